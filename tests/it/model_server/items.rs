//! Items of a conversation that a client removes, and what the model attached to those that stay.

use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, get, last_messages, post, say, scripted, user, weather};

#[tokio::test]
async fn item__deleted__is_unknown_to_list_and_model() {
    let (model, server) = scripted().await;
    let items = json!([user("one"), user("two"), user("three")]);
    for gone in 0..3 {
        let conversation = post(&server, "/v1/conversations", &json!({ "items": items })).await;
        let in_conversation = format!("/v1/conversations/{}", conversation["id"].as_str().expect("an id"));
        let listed = get(&server, &format!("{in_conversation}/items?order=asc")).await;
        let item = format!("{in_conversation}/items/{}", listed["data"][gone]["id"].as_str().expect("an id"));
        let other = post(&server, "/v1/conversations", &json!({})).await;
        let wrong =
            item.replace(conversation["id"].as_str().expect("an id"), other["id"].as_str().expect("an id"));
        // Deleting twice is no error, so that a client may repeat it; nor is deleting what is not there.
        for (path, left) in [(&wrong, 3), (&item, 2), (&item, 2)] {
            let answer = server.connect().await.call("DELETE", path, None).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let listed = get(&server, &format!("{in_conversation}/items?order=asc")).await;
            assert_eq!(listed["data"].as_array().map(Vec::len), Some(left));
        }
        assert_eq!(server.connect().await.get(&item).await.status, 404);
        post(&server, RESPONSES, &json!({ "input": "four", "conversation": conversation["id"] })).await;
        let sent: Vec<Value> =
            last_messages(&model).iter().map(|message| message["content"].clone()).collect();
        let mut expected = vec![json!("one"), json!("two"), json!("three"), json!("four")];
        expected.remove(gone);
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn reasoning__under_any_name__comes_back_with_the_call() {
    let (model, server) = scripted().await;
    let called = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "{}" } });
    let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "sun" });
    let details = json!([{ "type": "reasoning.encrypted", "data": "X", "index": 0 }]);
    for (member, value) in
        [("reasoning_content", json!("hm")), ("reasoning", json!("hm")), ("reasoning_details", details)]
    {
        let deltas = json!([{ member: value }, { "tool_calls": [called] }]);
        let said = say(&deltas, "tool_calls");
        let first = json!({ "input": said, "tools": [weather()] });
        let response = post(&server, RESPONSES, &first).await;
        let mut resent = vec![user("x")];
        resent.extend(response["output"].as_array().expect("items").iter().cloned());
        resent.push(output.clone());
        let conversation = post(&server, "/v1/conversations", &json!({})).await["id"].clone();
        post(
            &server,
            RESPONSES,
            &json!({ "input": said, "tools": [weather()], "conversation": conversation }),
        )
        .await;
        for body in [
            json!({ "input": [output], "tools": [weather()], "previous_response_id": response["id"] }),
            json!({ "input": resent, "tools": [weather()] }),
            json!({ "input": [output], "tools": [weather()], "conversation": conversation }),
        ] {
            post(&server, RESPONSES, &body).await;
            let sent = &last_messages(&model)[1];
            assert_eq!(
                (&sent[member], &sent["tool_calls"][0]["id"]),
                (&value, &json!("call_1")),
                "{body}: {sent}"
            );
        }
        let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
        let completion =
            post(&server, COMPLETIONS, &json!({ "messages": [user(&said)], "tools": tools })).await;
        let answer = json!({ "role": "tool", "tool_call_id": "call_1", "content": "sun" });
        let messages = json!([user("x"), completion["choices"][0]["message"], answer]);
        post(&server, COMPLETIONS, &json!({ "messages": messages, "tools": tools })).await;
        assert_eq!(last_messages(&model)[1][member], value, "{member}");
    }
}

#[tokio::test]
async fn signature__wherever_the_model_put_it__comes_back_there() {
    let (model, server) = scripted().await;
    let signature = json!({ "google": { "thought_signature": "S" } });
    let called = |index: usize| {
        json!({
            "index": index, "id": format!("call_{index}"), "type": "function", "function": { "name": "weather", "arguments": "{}" }
        })
    };
    let mut signed = called(0);
    signed["extra_content"] = signature.clone();
    // On the first of two calls, on a message with a call, and on a message of text.
    for (deltas, calls) in [
        (json!([{ "tool_calls": [signed] }, { "tool_calls": [called(1)] }]), 2),
        (json!([{ "content": "so", "extra_content": signature }, { "tool_calls": [called(0)] }]), 1),
        (json!([{ "content": "so" }, { "content": "", "extra_content": signature }]), 0),
    ] {
        let response =
            post(&server, RESPONSES, &json!({ "input": say(&deltas, "stop"), "tools": [weather()] })).await;
        let mut input: Vec<Value> = (0..calls)
            .map(|index| json!({ "type": "function_call_output", "call_id": format!("call_{index}"), "output": "sun" }))
            .collect();
        input.push(user("and?"));
        post(
            &server,
            RESPONSES,
            &json!({ "input": input, "tools": [weather()], "previous_response_id": response["id"] }),
        )
        .await;
        let sent = &last_messages(&model)[1];
        let on_call = &sent["tool_calls"][0]["extra_content"];
        let found = if on_call.is_null() { &sent["extra_content"] } else { on_call };
        assert_eq!(*found, signature, "{deltas}: {sent}");
        assert_eq!(sent["tool_calls"].as_array().map_or(0, Vec::len), calls);
        assert!(sent["tool_calls"][1]["extra_content"].is_null());
    }
}
