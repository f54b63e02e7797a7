//! What a model server receives and attaches, through the protocols of clients, on the real binary.

mod endings;
mod inputs;
mod items;
mod odd_answers;
mod own_calls;
mod refusals;

use agent_tests::{Answer, Launch, ScriptedModel, Server};
use serde_json::{Value, json};

const RESPONSES: &str = "/v1/responses";
const COMPLETIONS: &str = "/v1/chat/completions";

async fn scripted() -> (ScriptedModel, Server) {
    scripted_with(&[]).await
}

/// The same with these tools of the server.
async fn scripted_with(tools: &[&str]) -> (ScriptedModel, Server) {
    let model = ScriptedModel::start().await;
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]);
    let server = launch.config(&model.config_with_tools(tools)).start().await;
    (model, server)
}

async fn call(server: &Server, path: &str, body: &Value) -> Answer {
    server.connect().await.call("POST", path, Some(body)).await
}

async fn post(server: &Server, path: &str, body: &Value) -> Value {
    let answer = call(server, path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.connect().await.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// The types of items.
fn types(items: &Value) -> Vec<&str> {
    items.as_array().expect("items").iter().filter_map(|item| item["type"].as_str()).collect()
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

/// A message that makes the model answer so.
fn say(deltas: &Value, finish_reason: &str) -> String {
    format!("say {}", json!({ "deltas": deltas, "finish_reason": finish_reason }))
}

/// Reasoning and a call, both with signatures.
fn signed_call() -> String {
    let call = json!({
        "index": 0, "id": "call_1", "type": "function",
        "function": { "name": "weather", "arguments": "{}", "signature": "of the function" },
        "extra_content": { "google": { "thought_signature": "of the call" } }
    });
    let deltas = json!([
        { "role": "assistant", "reasoning": "hm", "reasoning_details": [{ "type": "reasoning.text", "text": "h", "index": 0 }] },
        { "reasoning_details": [{ "type": "reasoning.text", "text": "m", "index": 0 }] },
        { "tool_calls": [call] }
    ]);
    say(&deltas, "tool_calls")
}

/// The message of that answer, as the model server gets it back.
fn signed_message() -> Value {
    json!({
        "role": "assistant", "content": null, "reasoning": "hm",
        "reasoning_details": [{ "type": "reasoning.text", "text": "hm", "index": 0 }],
        "tool_calls": [{
            "id": "call_1", "type": "function",
            "function": { "name": "weather", "arguments": "{}", "signature": "of the function" },
            "extra_content": { "google": { "thought_signature": "of the call" } }
        }]
    })
}

fn last_messages(model: &ScriptedModel) -> Vec<Value> {
    let requests = model.received();
    requests.last().expect("a request")["messages"].as_array().expect("messages").clone()
}

fn weather() -> Value {
    json!({ "type": "function", "name": "weather", "parameters": { "type": "object", "properties": {} } })
}

#[tokio::test]
async fn attached_members__responses__come_back() {
    let (model, server) = scripted().await;
    let first = json!({ "input": signed_call(), "tools": [weather()] });
    let response = post(&server, RESPONSES, &first).await;
    let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "sun" });
    let by_id = json!({ "previous_response_id": response["id"], "input": [output], "tools": [weather()] });
    post(&server, RESPONSES, &by_id).await;
    assert_eq!(last_messages(&model)[1], signed_message());
    let mut items = vec![json!({ "role": "user", "content": "x" })];
    items.extend(response["output"].as_array().expect("items").clone());
    items.push(output.clone());
    post(&server, RESPONSES, &json!({ "input": items, "tools": [weather()] })).await;
    assert_eq!(last_messages(&model)[1], signed_message());
    let conversation = post(&server, "/v1/conversations", &json!({})).await;
    for input in [json!(signed_call()), json!([output])] {
        let body = json!({ "conversation": conversation["id"], "input": input, "tools": [weather()] });
        post(&server, RESPONSES, &body).await;
    }
    assert_eq!(last_messages(&model)[1], signed_message());
}

#[tokio::test]
async fn attached_members__own_tool_over_responses__come_back() {
    let (model, server) = scripted_with(&["calculator"]).await;
    let signature = json!({ "google": { "thought_signature": "of the call" } });
    let call = json!({
        "index": 0, "id": "call_1", "type": "function", "extra_content": signature,
        "function": { "name": "calculator", "arguments": "{\"expression\":\"6*7\"}" }
    });
    let input = say(&json!([{ "tool_calls": [call] }]), "tool_calls");
    let response = post(&server, RESPONSES, &json!({ "input": input })).await;
    assert_eq!(response["output"][0]["type"], "mcp_call");
    let mut items = vec![json!({ "role": "user", "content": "x" })];
    items.extend(response["output"].as_array().expect("items").clone());
    items.push(json!({ "role": "user", "content": "y" }));
    post(&server, RESPONSES, &json!({ "input": items })).await;
    let messages = last_messages(&model);
    assert_eq!(messages[1]["tool_calls"][0]["extra_content"], signature, "{messages:?}");
    assert_eq!(messages[2]["content"], "42");
}

#[tokio::test]
async fn calls_of_one_answer__own_and_clients_tool__stay_one_message() {
    let (model, server) = scripted_with(&["calculator"]).await;
    let signature = json!({ "google": { "thought_signature": "of both" } });
    let own = json!({
        "index": 0, "id": "call_1", "type": "function", "extra_content": signature,
        "function": { "name": "calculator", "arguments": "{\"expression\":\"6*7\"}" }
    });
    let clients = json!({
        "index": 1, "id": "call_2", "type": "function", "function": { "name": "weather", "arguments": "{}" }
    });
    let input = say(&json!([{ "tool_calls": [own, clients] }]), "tool_calls");
    let first = json!({ "input": input, "tools": [weather()] });
    let response = post(&server, RESPONSES, &first).await;
    let output = json!({ "type": "function_call_output", "call_id": "call_2", "output": "sun" });
    let by_id = json!({ "previous_response_id": response["id"], "input": [output], "tools": [weather()] });
    let mut items = vec![json!({ "role": "user", "content": "x" })];
    items.extend(response["output"].as_array().expect("items").clone());
    items.push(output);
    for body in [by_id, json!({ "input": items, "tools": [weather()] })] {
        post(&server, RESPONSES, &body).await;
        let messages = last_messages(&model);
        let shown: Vec<Value> = messages[1..].iter().map(|message| message["content"].clone()).collect();
        assert_eq!(shown, [Value::Null, json!("42"), json!("sun")], "{messages:?}");
        let calls = messages[1]["tool_calls"].as_array().expect("calls");
        let names: Vec<&Value> = calls.iter().map(|call| &call["function"]["name"]).collect();
        assert_eq!(names, ["calculator", "weather"]);
        assert_eq!(calls[0]["extra_content"], signature);
    }
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn attached_members__chat_completions__come_back() {
    let (model, server) = scripted().await;
    let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
    let user = json!({ "role": "user", "content": signed_call() });
    let completion = post(&server, COMPLETIONS, &json!({ "messages": [user], "tools": tools })).await;
    let message = &completion["choices"][0]["message"];
    let output = json!({ "role": "tool", "tool_call_id": "call_1", "content": "sun" });
    post(&server, COMPLETIONS, &json!({ "messages": [user, message, output], "tools": tools })).await;
    assert_eq!(last_messages(&model)[1], signed_message());
    for message in [&user, &output] {
        let body = json!({ "session_id": "s", "messages": [message], "tools": tools });
        post(&server, COMPLETIONS, &body).await;
    }
    assert_eq!(last_messages(&model)[1], signed_message());
}

#[tokio::test]
async fn thinking_parts__with_signatures__come_back() {
    let (model, server) = scripted().await;
    let thinking = json!({ "type": "thinking", "thinking": "hm", "signature": "S" });
    let redacted = json!({ "type": "redacted_thinking", "data": "X" });
    let text = json!({ "type": "text", "text": "so" });
    let called = json!({ "index": 0, "id": "call_1", "type": "function", "function": { "name": "weather", "arguments": "{}" } });
    let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
    for (delta, follow_up) in [
        (
            json!({ "tool_calls": [called] }),
            json!({ "role": "tool", "tool_call_id": "call_1", "content": "sun" }),
        ),
        (json!({}), json!({ "role": "user", "content": "y" })),
    ] {
        let deltas = json!([{ "content": [thinking, redacted, text] }, delta]);
        let user = json!({ "role": "user", "content": say(&deltas, "stop") });
        let completion = post(&server, COMPLETIONS, &json!({ "messages": [user], "tools": tools })).await;
        let message = &completion["choices"][0]["message"];
        assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("so"), &json!("hm")));
        post(&server, COMPLETIONS, &json!({ "messages": [user, message, follow_up], "tools": tools })).await;
        let sent = &last_messages(&model)[1];
        assert_eq!(sent["content"], json!([thinking, redacted, text]), "{sent}");
        assert_eq!(sent.get("reasoning_parts").or(sent.get("reasoning_content")), None, "{sent}");
    }
}

#[tokio::test]
async fn custom_tool__call_and_output__are_a_functions() {
    let (model, server) = scripted().await;
    let patch = json!({
        "type": "custom", "name": "apply_patch", "description": "Edits files.",
        "format": { "type": "grammar", "syntax": "lark", "definition": "start: /.+/" }
    });
    let tools = json!([patch, { "type": "web_search" }, { "type": "local_shell" }]);
    let piece = |text: &str| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": text } }] });
    let named = json!({ "index": 0, "id": "call_1", "function": { "name": "apply_patch", "arguments": "" } });
    let deltas =
        json!([{ "tool_calls": [named] }, piece("{\"input\": \"a"), piece("\\"), piece("nb"), piece("\"}")]);
    let choice = json!({ "type": "custom", "name": "apply_patch" });
    let body =
        json!({ "input": say(&deltas, "tool_calls"), "tools": tools, "tool_choice": choice, "stream": true });
    let answer = server.connect().await.call("POST", RESPONSES, Some(&body)).await;
    let events: Vec<Value> = answer
        .body
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let pieces = events.iter().filter(|event| event["type"] == "response.custom_tool_call_input.delta");
    let pieces: Vec<&str> = pieces.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(pieces, ["a", "\nb"]);
    let response = &events.last().expect("events")["response"];
    let call = &response["output"][0];
    assert_eq!((&call["type"], &call["input"]), (&json!("custom_tool_call"), &json!("a\nb")));
    let sent = model.received();
    let kinds: Vec<_> =
        sent[0]["tools"].as_array().expect("tools").iter().map(|tool| tool["type"].clone()).collect();
    assert_eq!(kinds, ["function"]);
    assert_eq!(sent[0]["tool_choice"], json!({ "type": "function", "function": { "name": "apply_patch" } }));
    let output = json!({ "type": "custom_tool_call_output", "call_id": "call_1", "output": "Done." });
    let with_items = json!({ "input": [{ "role": "user", "content": "x" }, call, output], "tools": tools });
    let with_id = json!({ "previous_response_id": response["id"], "input": [output], "tools": tools });
    for body in [with_items, with_id] {
        post(&server, RESPONSES, &body).await;
        let messages = last_messages(&model);
        let function = &messages[1]["tool_calls"][0]["function"];
        assert_eq!(*function, json!({ "name": "apply_patch", "arguments": "{\"input\":\"a\\nb\"}" }));
        assert_eq!(messages[2], json!({ "role": "tool", "tool_call_id": "call_1", "content": "Done." }));
    }
}

#[tokio::test]
async fn allowed_tools__of_any_kind__are_the_only_ones() {
    let (model, server) = scripted().await;
    let tools = json!([
        weather(), { "type": "custom", "name": "patch" }, { "type": "web_search" },
        { "type": "namespace", "name": "n", "tools": [{ "type": "function", "name": "find" }] }
    ]);
    for (allowed, expected) in [
        (json!([{ "type": "custom", "name": "patch" }]), &["patch"][..]),
        (json!([{ "type": "function", "name": "weather" }, { "type": "web_search" }]), &["weather"]),
        (json!([{ "type": "function", "name": "find" }]), &["find"]),
    ] {
        let choice = json!({ "type": "allowed_tools", "mode": "required", "tools": allowed });
        post(&server, RESPONSES, &json!({ "input": "hi", "tools": tools, "tool_choice": choice })).await;
        let request = model.received().pop().expect("a request");
        let names = request["tools"].as_array().expect("tools").iter().map(|tool| &tool["function"]["name"]);
        assert_eq!(names.collect::<Vec<_>>(), expected);
        assert_eq!(request["tool_choice"], "required");
    }
}

#[tokio::test]
async fn items__that_no_model_has__are_ignored() {
    let (model, server) = scripted().await;
    let input = json!([
        { "role": "user", "content": "hi" },
        { "type": "local_shell_call", "id": "l_1", "call_id": "c1", "status": "completed", "action": { "type": "exec", "command": ["ls"] } },
        { "type": "local_shell_call_output", "id": "l_2", "output": "a" },
        { "type": "shell_call", "call_id": "c2", "action": { "commands": ["ls"] } },
        { "type": "shell_call_output", "call_id": "c2", "output": [{ "stdout": "a" }] },
        { "type": "web_search_call", "id": "ws_1", "status": "completed" }
    ]);
    let response =
        post(&server, RESPONSES, &json!({ "input": input, "tools": [{ "type": "local_shell" }] })).await;
    assert_eq!(response["status"], "completed");
    let request = model.received().pop().expect("a request");
    assert_eq!((request.get("tools"), last_messages(&model).len()), (None, 1));
}

#[tokio::test]
async fn picture__in_tool_output__reaches_the_model() {
    let (model, server) = scripted().await;
    let url = "data:image/png;base64,AAAA";
    let picture = json!({ "type": "input_image", "image_url": url });
    let text = json!({ "type": "input_text", "text": "shot" });
    let call = json!({ "type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}" });
    let custom = json!({ "type": "custom_tool_call", "call_id": "c", "name": "view", "input": "a.png" });
    for (call, kind, parts, said) in [
        (&call, "function_call_output", json!([text, picture]), "shot"),
        (&custom, "custom_tool_call_output", json!([picture]), "The output follows in the next message."),
    ] {
        let output = json!({ "type": kind, "call_id": "c", "output": parts });
        let body = json!({ "input": [{ "role": "user", "content": "look" }, call, output] });
        let response = post(&server, RESPONSES, &body).await;
        let messages = last_messages(&model);
        assert_eq!(messages[2], json!({ "role": "tool", "tool_call_id": "c", "content": said }));
        assert_eq!(messages[3]["content"][1], json!({ "type": "image_url", "image_url": { "url": url } }));
        let path = format!("{RESPONSES}/{}/input_items", response["id"].as_str().expect("an id"));
        let items = server.connect().await.call("GET", &path, None).await.json();
        assert_eq!(items["data"][0]["output"].as_array().map(Vec::len), parts.as_array().map(Vec::len));
    }
    let user = json!({ "role": "user", "content": "look" });
    let called =
        json!({ "id": "c", "type": "function", "function": { "name": "weather", "arguments": "{}" } });
    let content =
        json!([{ "type": "text", "text": "shot" }, { "type": "image_url", "image_url": { "url": url } }]);
    let body = json!({ "messages": [
        user, { "role": "assistant", "content": null, "tool_calls": [called] },
        { "role": "tool", "tool_call_id": "c", "content": content }
    ] });
    post(&server, COMPLETIONS, &body).await;
    assert_eq!(last_messages(&model)[3]["content"][1], content[1]);
}

#[tokio::test]
async fn call__cut_off_by_length__is_incomplete() {
    let (_model, server) = scripted().await;
    let call =
        json!({ "index": 0, "id": "c", "function": { "name": "weather", "arguments": "{\"city\":\"Os" } });
    let said = say(&json!([{ "tool_calls": [call] }]), "max_tokens");
    let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
    let messages = json!([{ "role": "user", "content": said }]);
    let completion = post(&server, COMPLETIONS, &json!({ "messages": messages, "tools": tools })).await;
    assert_eq!(completion["choices"][0]["finish_reason"], "length");
    let response = post(&server, RESPONSES, &json!({ "input": said, "tools": [weather()] })).await;
    assert_eq!(
        (&response["status"], &response["output"][0]["status"]),
        (&json!("incomplete"), &json!("incomplete"))
    );
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
}

#[tokio::test]
async fn members_of_model_server__requests_of_each_protocol__are_passed_on() {
    let (model, server) = scripted().await;
    let options =
        json!({ "top_k": 5, "chat_template_kwargs": { "enable_thinking": false }, "unheard_of": 1 });
    let native = json!([{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }]);
    for (path, key, value) in [
        (COMPLETIONS, "messages", json!([{ "role": "user", "content": "hi" }])),
        (RESPONSES, "input", json!("hi")),
        ("/process", "input", native),
    ] {
        let mut body = options.clone();
        (body[key], body["stream"]) = (value, json!(false));
        post(&server, path, &body).await;
        let request = model.received().pop().expect("a request");
        for member in ["top_k", "chat_template_kwargs"] {
            assert_eq!(request[member], options[member], "{path}");
        }
        assert_eq!(request.get("unheard_of"), None, "{path}");
    }
}
