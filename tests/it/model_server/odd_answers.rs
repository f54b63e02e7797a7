//! Answers that no specification allows and that real model servers send.

use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, last_messages, post, say, scripted, types, user, weather};

/// The message that Chat Completions answers with.
async fn completed(server: &agent_tests::Server, said: &str, tools: &Value) -> Value {
    let mut body = json!({ "messages": [user(said)] });
    if !tools.is_null() {
        body["tools"] = tools.clone();
    }
    post(server, COMPLETIONS, &body).await["choices"][0]["message"].clone()
}

#[tokio::test]
async fn thinking__in_any_part__is_reasoning() {
    let (_model, server) = scripted().await;
    let text = |text: &str| json!({ "type": "text", "text": text });
    for deltas in [
        json!([{ "content": [{ "type": "thinking", "thinking": "hm" }] }, { "content": "ok" }]),
        json!([{ "content": [{ "type": "thinking", "thinking": [text("h"), text("m")] }, text("ok")] }]),
        json!([{ "content": [{ "type": "thinking", "thinking": [text("hm")], "closed": true }] }, { "content": [text("o")] }, { "content": "k" }]),
    ] {
        let said = say(&deltas, "stop");
        let message = completed(&server, &said, &Value::Null).await;
        assert_eq!(
            (&message["reasoning_content"], &message["content"]),
            (&json!("hm"), &json!("ok")),
            "{deltas}"
        );
        let response = post(&server, RESPONSES, &json!({ "input": said })).await;
        assert_eq!(types(&response["output"]), ["reasoning", "message"], "{deltas}");
        assert_eq!(response["output"][0]["content"][0]["text"], "hm", "{deltas}");
    }
}

#[tokio::test]
async fn calls__with_one_id__keep_their_outputs() {
    let (model, server) = scripted().await;
    let item =
        |name: &str| json!({ "type": "function_call", "call_id": "c", "name": name, "arguments": "{}" });
    let output = |text: &str| json!({ "type": "function_call_output", "call_id": "c", "output": text });
    let called = |name: &str| json!({ "id": "c", "type": "function", "function": { "name": name, "arguments": "{}" } });
    let asks = |names: &[&str]| {
        let calls: Vec<Value> = names.iter().map(|name| called(name)).collect();
        json!({ "role": "assistant", "content": null, "tool_calls": calls })
    };
    let answers = |text: &str| json!({ "role": "tool", "tool_call_id": "c", "content": text });
    for (path, body) in [
        (
            RESPONSES,
            json!({ "input": [user("x"), item("first"), item("second"), output("of first"), output("of second")] }),
        ),
        (
            RESPONSES,
            json!({ "input": [user("x"), item("first"), output("of first"), item("second"), output("of second")] }),
        ),
        (
            COMPLETIONS,
            json!({ "messages": [user("x"), asks(&["first", "second"]), answers("of first"), answers("of second")] }),
        ),
        (
            COMPLETIONS,
            json!({ "messages": [user("x"), asks(&["first"]), answers("of first"), asks(&["second"]), answers("of second")] }),
        ),
    ] {
        post(&server, path, &body).await;
        let messages = last_messages(&model);
        let calls = messages.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
        let mut open: Vec<(&Value, &Value)> =
            calls.map(|call| (&call["id"], &call["function"]["name"])).collect();
        for message in messages.iter().filter(|message| message["role"] == "tool") {
            let at = open.iter().position(|(id, _)| *id == &message["tool_call_id"]).expect("its call");
            let name = open.remove(at).1.as_str().expect("a name");
            assert_eq!(message["content"], format!("of {name}"), "{body}");
        }
        assert_eq!(open, [], "{body}");
    }
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn half_characters__wherever_the_model_writes_them__do_no_harm() {
    let (_model, server) = scripted().await;
    let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
    let content = |member: &str, text: &str| {
        format!("{{\"choices\":[{{\"index\":0,\"delta\":{{\"{member}\":\"{text}\"}}}}]}}")
    };
    let arguments = |text: &str| {
        format!(
            "{{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":0,\"id\":\"c\",\"function\":\
             {{\"name\":\"weather\",\"arguments\":\"{text}\"}}}}]}}}}]}}"
        )
    };
    let end = "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}".to_owned();
    let first_argument = arguments("{\\\"city\\\":\\\"\\ud83d");
    let rest = "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\ude00\\\"}\"}}]}}]}";
    for (frames, member, expected) in [
        (vec![content("content", "a \\ud83d"), content("content", "\\ude00 b")], "content", json!("a 😀 b")),
        (vec![content("content", "a \\ud83d")], "content", json!("a \u{fffd}")),
        (vec![content("content", "a \\ude00\\ud83d b")], "content", json!("a \u{fffd}\u{fffd} b")),
        (
            vec![
                content("reasoning_content", "\\ud83d"),
                content("reasoning_content", "\\ude00"),
                content("content", "ok"),
            ],
            "reasoning_content",
            json!("😀"),
        ),
        (vec![first_argument, rest.to_owned()], "tool_calls", json!("{\"city\":\"😀\"}")),
    ] {
        let frames: Vec<String> = frames.into_iter().chain([end.clone()]).collect();
        let said = format!("write {}", json!(frames));
        let message = completed(&server, &said, &tools).await;
        let found = match member {
            "tool_calls" => &message["tool_calls"][0]["function"]["arguments"],
            member => &message[member],
        };
        assert_eq!(*found, expected, "{frames:?}");
    }
    let _ = weather();
}
