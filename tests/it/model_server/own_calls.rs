//! Calls that the agent executes itself are never the client's to answer.

use agent_tests::Server;
use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, call, get, post, say, scripted_with, types, user, weather};

/// Sends the items again, with an answer to each call, until there is none, as the loops of clients do.
async fn rounds(server: &Server, mut body: Value, is_chained: bool) -> usize {
    for round in 1..6 {
        let response = post(server, RESPONSES, &body).await;
        let items = response["output"].as_array().expect("items");
        let calls = items.iter().filter(|item| item["type"] == "function_call");
        let outputs: Vec<Value> = calls
            .map(|call| json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "no such tool" }))
            .collect();
        if outputs.is_empty() {
            return round;
        }
        if is_chained {
            (body["previous_response_id"], body["input"]) = (response["id"].clone(), outputs.into());
        } else {
            body["input"].as_array_mut().expect("items").extend(items.iter().cloned().chain(outputs));
        }
    }
    panic!("the loop does not end");
}

#[tokio::test]
async fn own_call__loop_of_a_client__takes_one_round() {
    let (_model, server) = scripted_with(&["calculator"]).await;
    let items = json!([user("calculate")]);
    for body in [
        json!({ "input": items, "tools": [weather()] }),
        json!({ "input": items, "tools": [weather()], "tool_choice": "auto", "parallel_tool_calls": false }),
        json!({ "input": items }),
    ] {
        assert_eq!(rounds(&server, body.clone(), false).await, 1, "{body}");
        assert_eq!(rounds(&server, body.clone(), true).await, 1, "{body}");
    }
    let conversation = post(&server, "/v1/conversations", &json!({})).await;
    let body = json!({ "input": items, "conversation": conversation["id"] });
    assert_eq!(rounds(&server, body.clone(), false).await, 1);
    let completion = post(&server, COMPLETIONS, &json!({ "messages": [user("calculate")] })).await;
    let message = &completion["choices"][0]["message"];
    assert_eq!((&message["content"], message.get("tool_calls")), (&json!("The tools say: 42"), None));
}

#[tokio::test]
async fn own_call__wherever_a_client_looks__is_an_mcp_call() {
    let (_model, server) = scripted_with(&["calculator"]).await;
    let conversation = post(&server, "/v1/conversations", &json!({})).await["id"].clone();
    let body =
        json!({ "input": "calculate", "tools": [weather()], "conversation": conversation, "stream": true });
    let events = call(&server, RESPONSES, &body).await.events();
    let is_call_event = |event: &&Value| {
        event["type"].as_str().is_some_and(|kind| kind.starts_with("response.function_call_arguments"))
    };
    assert_eq!(events.iter().find(is_call_event), None);
    let added: Vec<Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.added")
        .map(|event| event["item"].clone())
        .collect();
    assert_eq!(types(&added.into()), ["mcp_call", "message"]);
    let response = &events.last().expect("events")["response"];
    let id = response["id"].as_str().expect("an id");
    let stored = get(&server, &format!("{RESPONSES}/{id}")).await;
    assert_eq!(types(&stored["output"]), ["mcp_call", "message"]);
    let path = format!("/v1/conversations/{}/items?order=asc", conversation.as_str().expect("an id"));
    assert_eq!(types(&get(&server, &path).await["data"]), ["message", "mcp_call", "message"]);
}

#[tokio::test]
async fn calls__own_and_clients__only_the_declared_one_is_a_function_call() {
    let (_model, server) = scripted_with(&["calculator"]).await;
    let called = |index: usize, name: &str| {
        let function = json!({ "name": name, "arguments": "{\"expression\": \"6*7\"}" });
        json!({ "index": index, "id": format!("call_{index}"), "type": "function", "function": function })
    };
    let both = say(&json!([{ "tool_calls": [called(0, "calculator"), called(1, "weather")] }]), "tool_calls");
    let unknown = say(&json!([{ "tool_calls": [called(0, "unheard_of")] }]), "tool_calls");
    for (input, expected) in [
        (&both, &["function_call", "mcp_call"][..]),
        // The model is told that there is no such tool, and answers.
        (&unknown, &["mcp_call", "message"]),
    ] {
        let response = post(&server, RESPONSES, &json!({ "input": input, "tools": [weather()] })).await;
        assert_eq!(types(&response["output"]), expected, "{response}");
    }
    // Without the declaration, the client's tool is unknown as well.
    let response = post(&server, RESPONSES, &json!({ "input": both })).await;
    assert_eq!(types(&response["output"]), ["mcp_call", "mcp_call", "message"], "{response}");
}

#[tokio::test]
async fn reference__item_of_every_kind__stands_for_it() {
    let (model, server) = scripted_with(&["calculator"]).await;
    let own = post(&server, RESPONSES, &json!({ "input": "calculate" })).await;
    let deltas = json!([
        { "reasoning_content": "hm" },
        { "tool_calls": [{ "index": 0, "id": "call_1", "function": { "name": "weather", "arguments": "{}" } }] }
    ]);
    let body = json!({ "input": say(&deltas, "tool_calls"), "tools": [weather()] });
    let clients = post(&server, RESPONSES, &body).await;
    let reference =
        |response: &Value, at: usize| json!({ "type": "item_reference", "id": response["output"][at]["id"] });
    let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "sun" });
    for (items, expected) in [
        (
            vec![reference(&own, 0), reference(&own, 1)],
            &["user", "assistant", "tool", "assistant", "user"][..],
        ),
        (
            vec![reference(&clients, 0), reference(&clients, 1), output.clone()],
            &["user", "assistant", "tool", "user"],
        ),
        (vec![reference(&clients, 1), output.clone()], &["user", "assistant", "tool", "user"]),
    ] {
        let input: Vec<Value> = [vec![user("x")], items, vec![user("y")]].concat();
        post(&server, RESPONSES, &json!({ "input": input, "tools": [weather()] })).await;
        let messages = super::last_messages(&model);
        let roles: Vec<&Value> = messages.iter().map(|message| &message["role"]).collect();
        assert_eq!(roles, expected, "{input:?}");
    }
    let lost = json!({ "input": [user("x"), { "type": "item_reference", "id": "msg_none" }] });
    assert_eq!(call(&server, RESPONSES, &lost).await.status, 404);
}
