//! Requests: which parts reach the agent, and how invalid ones are rejected.

use agent_protocol_openai::OpenAi;
use agent_runner::{RunHandle, RunLimits, agent_fn};
use agent_server::AgentApp;
use agent_tests::responses::{check, check_response};
use agent_tests::rounds;
use axum::http::Method;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::agents::writes;
use super::app::Client;

/// An agent that answers with its request.
fn mirror() -> Client {
    Client::new(agent_fn(|run: RunHandle| async move {
        run.say(&serde_json::to_string(run.request()).unwrap_or_default());
        Ok(())
    }))
}

async fn mirrored(client: &Client, request: &Value) -> Value {
    let response = client.create(&request.to_string()).await;
    let text = response["output"][0]["content"][0]["text"].as_str().expect("a text");
    serde_json::from_str(text).expect("JSON")
}

/// Inserts a value into another one at `path`.
fn put(json: &mut Value, path: &[prop::sample::Index], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *json = value;
        return;
    };
    match json {
        Value::Object(members) if !members.is_empty() => {
            let place = first.index(members.len());
            let member = members.values_mut().nth(place);
            member.into_iter().for_each(|member| put(member, rest, value.clone()));
        }
        Value::Array(items) if !items.is_empty() => {
            let index = first.index(items.len());
            put(&mut items[index], rest, value);
        }
        _ => *json = value,
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-z_\\PC]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["", "message", "input_text", "function", "auto", "resp_1", "conv_1"])
            .prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[[{}]]]])),
        Just(json!({"id": 7, "type": [], "role": {}})),
    ]
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(u32::try_from(rounds(64)).expect("few")) })]

    #[test]
    fn request__any_wrong_value__is_accepted_or_explained(
        path in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        value in any_value(),
        route in prop::sample::select(vec!["/v1/responses", "/v1/conversations", "/compatible-mode/v1/responses"]),
    ) {
        let mut request = everything();
        request["items"] = request["input"].clone();
        put(&mut request, &path, value);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = Client::new(writes(|run| run.say("Hello!")));
        let (status, answer) = runtime.block_on(client.call(Method::POST, route, &request.to_string()));
        match status.as_u16() {
            200 if answer.starts_with("event: ") => prop_assert!(check(&answer).is_ok(), "{request}: {answer}"),
            200 => {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                let is_good = answer["object"] == "conversation" || check_response(&answer).is_ok();
                prop_assert!(is_good, "{request}: {answer}");
            }
            400 => {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                prop_assert!(answer["error"]["message"].is_string() && answer["error"]["param"].is_string(), "{request}: {answer}");
            }
            status => prop_assert!(false, "{status}: {request}: {answer}"),
        }
    }
}

#[tokio::test]
async fn overloaded_server__says_when_to_retry() {
    let mut limits = RunLimits::default();
    (limits.max_runs, limits.max_waiting) = (1, 0);
    let waits = agent_fn(|run: RunHandle| async move {
        run.cancelled().await;
        Ok(())
    });
    let app = AgentApp::builder("test")
        .agent("waits", waits)
        .protocol(OpenAi)
        .limits(limits)
        .build()
        .expect("built");
    let client = Client::of(&app);
    client.create(r#"{"input":"hi","background":true}"#).await;
    let (status, answer) =
        client.json(Method::POST, "/v1/responses", r#"{"input":"hi","stream":true}"#).await;
    assert_eq!(
        (status, &answer["error"]["type"], &answer["error"]["code"]),
        (429, &json!("rate_limit_error"), &json!("too_many_runs"))
    );
    app.runner().close();
    let (status, answer) = client.json(Method::POST, "/v1/responses", r#"{"input":"hi"}"#).await;
    assert_eq!((status, &answer["error"]["type"]), (503, &json!("server_error")), "{answer}");
    app.runner().cancel_all();
}

#[tokio::test]
async fn request__too_deep_or_large__is_refused() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let deep = format!("{{\"input\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("{{\"input\":\"{}\"}}", "x".repeat(64 << 20));
    for (body, status, code) in [(deep, 400, "unreadable_body"), (large, 413, "payload_too_large")] {
        let (found, answer) = client.json(Method::POST, "/v1/responses", &body).await;
        assert_eq!((found, answer["error"]["code"].as_str()), (status, Some(code)), "{answer}");
    }
}

/// The request that upstream was tested with, which has every kind of item, without combinations that the specification
/// forbids.
fn everything() -> Value {
    json!({
        "model": "m1",
        "input": [
            {"type": "message", "role": "user", "content": "plain str"},
            {"role": "user", "content": [
                {"type": "input_text", "text": "it"},
                {"type": "refusal", "refusal": "no"},
                {"type": "input_image", "image_url": "http://i/1.png", "detail": "auto"},
                {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                {"type": "input_file", "file_data": "QUJD", "filename": "2.pdf"},
            ]},
            {"type": "message", "role": "developer", "content": "dev"},
            {"type": "message", "role": "assistant", "id": "msg_x", "status": "completed",
             "content": [{"type": "output_text", "text": "prev", "annotations": []}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "thought"}]},
            {"type": "function_call", "id": "fc_2", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "out"}]},
            {"type": "custom_tool_call", "id": "ctc_3", "call_id": "c2", "name": "g", "input": "in"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "out2"},
            {"type": "mcp_call", "id": "mcp_4", "name": "n", "arguments": "{}", "server_label": "s", "output": "o"},
            {"type": "computer_call", "id": "cu_1", "action": {"type": "click"}},
        ],
        "instructions": "be nice", "temperature": 1, "top_p": 0.5, "max_output_tokens": 50, "user": "u9",
        "metadata": {"k": "v"}, "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false,
        "text": {"format": {"type": "json_schema", "name": "s", "description": "d", "schema": {"type": "object"}, "strict": true}},
        "reasoning": {"effort": "low"}, "seed": 1, "stop": ["a"],
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}},
            {"type": "web_search"},
        ],
    })
}

#[tokio::test]
async fn request__all_parameters__reach_the_agent() {
    let request = mirrored(&mirror(), &everything()).await;
    let input = request["input"].as_array().expect("messages");
    let kinds: Vec<_> = input.iter().map(|message| message["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        kinds,
        [
            "message",
            "message",
            "message",
            "message",
            "reasoning",
            "function_call",
            "function_call_output",
            "plugin_call",
            "plugin_call_output",
            "mcp_call",
            "mcp_call_output",
            "computer_call"
        ]
    );
    let roles: Vec<_> =
        input.iter().take(4).map(|message| message["role"].as_str().unwrap_or_default()).collect();
    assert_eq!(roles, ["user", "user", "system", "assistant"]);
    let parts = input[1]["content"].as_array().expect("contents").iter();
    let parts: Vec<_> = parts.map(|content| content["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(parts, ["text", "refusal", "image", "audio", "file"]);
    assert_eq!(input[1]["content"][4]["file_data"], "QUJD");
    assert_eq!((&input[4]["id"], &input[5]["id"]), (&json!("msg_1"), &json!("msg_2")));
    assert_eq!(input[6]["content"][0]["data"]["output"], "out");
    assert_eq!((&request["max_tokens"], &request["user_id"]), (&json!(50), &json!("u9")));
    assert_eq!(
        (&request["temperature"], &request["top_p"], &request["stop"]),
        (&json!(1.0), &json!(0.5), &json!(["a"]))
    );
    assert_eq!((&request["presence_penalty"], &request["stream"]), (&Value::Null, &json!(false)));
    assert_eq!(request["tools"][0]["function"]["name"], "f");
    assert_eq!(request["tools"][1]["type"], "web_search");
    let foreign = &request["foreign"];
    assert_eq!(foreign["instructions"], "be nice");
    assert_eq!(foreign["tool_choice"]["function"]["name"], "f");
    assert_eq!(foreign["response_format"]["json_schema"]["name"], "s");
    assert_eq!(
        (&foreign["reasoning_effort"], &foreign["parallel_tool_calls"]),
        (&json!("low"), &json!(false))
    );
}

#[tokio::test]
async fn response__echoes_the_request() {
    let request = everything();
    let response = mirror().create(&request.to_string()).await;
    for member in [
        "model",
        "instructions",
        "temperature",
        "top_p",
        "max_output_tokens",
        "user",
        "metadata",
        "tool_choice",
        "text",
    ] {
        let same = response[member] == request[member]
            || response[member].as_f64() == request[member].as_f64().or(Some(f64::NAN));
        assert!(same, "{member}: {} is not {}", response[member], request[member]);
    }
    assert_eq!(response["tools"][0]["strict"], Value::Null, "members that clients expect are present");
    let plain = mirror().create(r#"{"input":"hi"}"#).await;
    assert_eq!(plain["model"], "scripted", "the agent that answered");
}

#[tokio::test]
async fn allowed_tools__only_these__reach_the_agent() {
    let request = json!({
        "input": "hi",
        "tools": [{"type": "function", "name": "a"}, {"type": "function", "name": "b"}],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]},
    });
    let seen = mirrored(&mirror(), &request).await;
    assert_eq!(
        (seen["tools"].as_array().map(Vec::len), &seen["tools"][0]["function"]["name"]),
        (Some(1), &json!("b"))
    );
    assert_eq!(seen["foreign"]["tool_choice"], "required");
}

#[tokio::test]
async fn compatible_path__response__is_nested_for_upstream_clients() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let path = "/compatible-mode/v1/responses";
    let (_, body) = client.json(Method::POST, path, r#"{"input":"hi","session_id":"s"}"#).await;
    assert_eq!(body["response"]["output"], body["output"]);
    assert_eq!(body["output"][0]["content"][0]["text"], "Hello!");
    let plain = client.create(r#"{"input":"hi"}"#).await;
    assert!(plain.get("response").is_none());
}

#[tokio::test]
async fn request__of_upstream_clients__is_accepted() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    for body in [
        json!({"model": "m1", "stream": true}),
        json!({"model": "m1", "input": "", "stream": true}),
        json!({"input": "text", "stream": true, "conversation": {"id": "conv_9"}}),
        json!({"input": "text", "stream": true, "tools": [
            {"type": "function", "name": "f", "description": null, "parameters": {}}
        ]}),
        json!({"stream": true, "input": [
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "x"}]}
        ]}),
        json!({"input": "text", "stream": true, "session_id": "s", "user_id": "u", "id": "r", "n": 2, "stop": "a"}),
    ] {
        let path = "/compatible-mode/v1/responses";
        let (status, stream) = client.call(Method::POST, path, &body.to_string()).await;
        assert_eq!(status, 200, "{body}: {stream}");
        check(&stream).unwrap_or_else(|fault| panic!("{body}: {fault}"));
    }
}

#[tokio::test]
async fn invalid_request__names_the_parameter() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    for (body, param, words) in [
        (json!({"input": [{"role": "robot", "content": "x"}]}), "input[0].role", "user, assistant"),
        (json!({"input": [{"role": "user"}]}), "input[0].content", "required"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "smell"}]}]}),
            "input[0].content[0].type",
            "smell",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0].image_url",
            "file_id",
        ),
        (json!({"input": ["x"]}), "input[0]", "object"),
        (json!({"input": 7}), "input", "array"),
        (json!({"input": [{"type": "item_reference", "id": "msg_9"}]}), "input[0].id", "msg_9"),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id", "required"),
        (
            json!({"input": [{"type": "mcp_approval_response", "approve": 7}]}),
            "input[0].approval_request_id",
            "required",
        ),
        (json!({"tools": [{"type": "function"}]}), "tools[0].name", "required"),
        (json!({"tools": [{"name": "f"}]}), "tools[0].type", "required"),
        (json!({"stream": "yes"}), "stream", "true or false"),
        (json!({"temperature": -1}), "temperature", "at least 0"),
        (json!({"prompt": {"id": "p"}}), "prompt", "not supported"),
        (json!({"background": true, "store": false}), "store", "stored"),
        (
            json!({"conversation": "c", "previous_response_id": "resp_1"}),
            "previous_response_id",
            "one of them",
        ),
        (json!({"conversation": ""}), "conversation", "id"),
        (json!({"previous_response_id": "resp_1"}), "previous_response_id", "not found"),
        (json!({"metadata": {"a": "x".repeat(600)}}), "metadata", "512"),
    ] {
        let (status, answer) = client.json(Method::POST, "/v1/responses", &body.to_string()).await;
        let error = &answer["error"];
        assert_eq!(
            (status, error["type"].as_str()),
            (400, Some("invalid_request_error")),
            "{body}: {answer}"
        );
        assert_eq!(error["param"], param, "{body}: {answer}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{body}: {answer}");
        assert!(error["code"].is_string(), "{answer}");
    }
}
