//! What the model is sent: one system message, pictures as pictures, and the members that it asks for.

use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, get, last_messages, post, scripted, user};

const NATIVE: &str = "/process";

fn message(role: &str, text: &str) -> Value {
    json!({ "role": role, "content": text })
}

#[tokio::test]
async fn system_messages__any_mixture__are_one_and_the_first() {
    let (model, server) = scripted().await;
    let first = post(&server, RESPONSES, &json!({ "instructions": "A", "input": "x" })).await;
    let conversation = json!({ "items": [message("system", "S"), user("x"), message("developer", "D")] });
    let conversation = post(&server, "/v1/conversations", &conversation).await;
    let native =
        |role: &str, text: &str| json!({ "role": role, "content": [{ "type": "text", "text": text }] });
    let middle =
        [message("system", "S"), user("x"), message("assistant", "y"), message("developer", "D"), user("z")];
    for (path, body, expected) in [
        (COMPLETIONS, json!({ "messages": middle }), &["S", "D"][..]),
        (RESPONSES, json!({ "instructions": "I", "input": middle }), &["I", "S", "D"]),
        (
            RESPONSES,
            json!({ "instructions": "B", "input": [message("system", "S"), user("y")],
                            "previous_response_id": first["id"] }),
            &["B", "S"],
        ),
        (
            RESPONSES,
            json!({ "instructions": "I", "input": "y", "conversation": conversation["id"] }),
            &["I", "S", "D"],
        ),
        (RESPONSES, json!({ "input": [user("x"), message("developer", "D")] }), &["D"]),
        (NATIVE, json!({ "input": [native("user", "x"), native("system", "S")], "stream": false }), &["S"]),
    ] {
        post(&server, path, &body).await;
        let messages = last_messages(&model);
        let system: Vec<&Value> = messages.iter().filter(|message| message["role"] == "system").collect();
        assert_eq!((system.len(), &messages[0]["role"]), (1, &json!("system")), "{body}: {messages:?}");
        let text = system[0]["content"].as_str().expect("a text");
        let found: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(found, expected, "{body}");
    }
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn pictures__in_outputs_of_parallel_calls__follow_the_last_output() {
    let (model, server) = scripted().await;
    let picture =
        |name: &str| json!({ "type": "input_image", "image_url": format!("data:image/png;base64,{name}") });
    let called =
        |id: &str| json!({ "type": "function_call", "call_id": id, "name": "look", "arguments": "{}" });
    let output =
        |id: &str, parts: Value| json!({ "type": "function_call_output", "call_id": id, "output": parts });
    let file =
        json!({ "type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA" });
    for (input, expected) in [
        (
            vec![
                called("a"),
                called("b"),
                output("a", json!([picture("AAAA")])),
                output("b", json!([picture("BBBB")])),
            ],
            &["image_url", "image_url"][..],
        ),
        (
            vec![called("a"), output("a", json!([picture("AAAA"), picture("BBBB")]))],
            &["image_url", "image_url"],
        ),
        (vec![called("a"), output("a", json!([file]))], &["file"]),
        (vec![called("a"), output("a", json!([{ "type": "input_text", "text": "only text" }]))], &[]),
    ] {
        let items: Vec<Value> = [vec![user("look")], input].concat();
        let body = json!({ "input": items });
        post(&server, RESPONSES, &body).await;
        let messages = last_messages(&model);
        let parts = messages.iter().filter(|message| message["role"] == "user");
        let parts = parts.filter_map(|message| message["content"].as_array()).flatten();
        let kinds: Vec<&str> =
            parts.filter_map(|part| part["type"].as_str()).filter(|kind| *kind != "text").collect();
        assert_eq!(kinds, expected, "{messages:?}");
        let as_text =
            |message: &Value| message["content"].as_str().is_some_and(|text| text.contains("base64"));
        assert!(!messages.iter().any(as_text), "{messages:?}");
    }
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn summary_of_reasoning__asked_for__is_where_clients_look() {
    let (_model, server) = scripted().await;
    let said = super::say(
        &json!([{ "reasoning_content": "let me " }, { "reasoning_content": "see" }, { "content": "ok" }]),
        "stop",
    );
    for (reasoning, is_summary) in [
        (json!({ "summary": "concise" }), true),
        (json!({ "summary": "detailed", "effort": "low" }), true),
        (json!({ "generate_summary": "auto" }), true),
        (json!({ "effort": "low" }), false),
        (Value::Null, false),
    ] {
        let mut body = json!({ "input": said, "reasoning": reasoning });
        let response = post(&server, RESPONSES, &body).await;
        let id = response["id"].as_str().expect("an id");
        let stored = get(&server, &format!("{RESPONSES}/{id}")).await;
        body["stream"] = true.into();
        let events = super::call(&server, RESPONSES, &body).await.events();
        let streamed = &events.last().expect("events")["response"];
        for response in [&response, &stored, streamed] {
            let item = &response["output"][0];
            let list = if is_summary { "summary" } else { "content" };
            assert_eq!(item[list][0]["text"], "let me see", "{reasoning}: {item}");
        }
        let kind = if is_summary {
            "response.reasoning_summary_text.delta"
        } else {
            "response.reasoning_text.delta"
        };
        let deltas = events.iter().filter(|event| event["type"] == kind);
        assert_eq!(
            deltas.filter_map(|event| event["delta"].as_str()).collect::<String>(),
            "let me see",
            "{reasoning}"
        );
    }
}

#[tokio::test]
async fn members_for_the_model__config_and_request__request_wins_where_it_may() {
    let model = agent_tests::ScriptedModel::start().await;
    let config = format!("{}extra_body = {{ top_k = 1, seed = 7 }}\n", model.config());
    let server = agent_tests::Launch::bare(&["--port", "0"]).config(&config).start().await;
    let messages = json!([user("hi")]);
    for (body, top_k, seed) in [
        (json!({ "messages": messages }), 1, 7),
        (json!({ "messages": messages, "top_k": 5 }), 5, 7),
        (json!({ "messages": messages, "seed": 8 }), 1, 8),
        (json!({ "messages": messages, "unheard_of": { "base_url": "http://127.0.0.1:9" } }), 1, 7),
    ] {
        post(&server, COMPLETIONS, &body).await;
        let request = model.received().pop().expect("a request");
        assert_eq!((&request["top_k"], &request["seed"]), (&json!(top_k), &json!(seed)), "{body}");
    }
    assert_eq!(model.rejected(), [""; 0]);
}
