//! Requests of OpenAI's clients as run specs, and those that are refused.

use agent_schemas::json;
use serde_json::{Value, json};

use super::*;

fn asked(body: &Value) -> Result<CompletionSpec, ApiError> {
    match json::parse(&body.to_string()).expect("JSON") {
        Json::Object(body) => read(body, RunOptions::default()),
        other => panic!("no object: {other}"),
    }
}

/// A request with this message and these members.
fn with(more: Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    body
}

/// Each message as its type, role and contents.
#[track_caller]
fn check_messages(messages: Value, expected: &[&str]) {
    let asked = asked(&json!({ "messages": messages })).expect("a good request");
    let shown = |message: &Message| {
        assert_eq!(message.id, "", "the runner gives ids");
        let contents: Vec<String> =
            message.contents().iter().map(|content| shown_body(&content.body)).collect();
        let role = message.role.map_or("-", |role| role.as_str());
        format!("{} {role}: {}", message.kind, contents.join(" "))
    };
    let shown: Vec<String> = asked.spec.request.input.iter().map(shown).collect();
    assert_eq!(shown, expected);
}

/// What a content holds, without the members that are null.
fn shown_body(body: &agent_schemas::ContentBody) -> String {
    use agent_schemas::ContentBody;
    match body {
        ContentBody::Text { text } => text.clone().unwrap_or_default(),
        ContentBody::Refusal { refusal } => format!("refusal={}", refusal.as_deref().unwrap_or_default()),
        ContentBody::Data { data } => Json::from(data.clone().unwrap_or_default()).to_string(),
        ContentBody::Image { image_url } => format!("image={}", image_url.as_deref().unwrap_or_default()),
        ContentBody::Audio { data, format } => format!("audio={data:?},{format:?}"),
        ContentBody::File { file_id, filename, file_data, .. } => {
            format!("file={file_id:?},{filename:?},{file_data:?}")
        }
        other => panic!("unexpected {}", other.type_name()),
    }
}

#[track_caller]
fn check_refused(body: Value, parameter: &str, message: &str) {
    let error = asked(&body).expect_err("it is refused");
    let failure = error.info();
    assert!(failure.status.is_client_error(), "{failure:?}");
    assert_eq!(failure.parameter.as_deref(), Some(parameter), "{failure:?}");
    assert!(failure.message.contains(message), "{failure:?}");
}

#[test]
fn messages__every_role__is_read() {
    check_messages(
        json!([
            { "role": "developer", "content": "Be brief." },
            { "role": "system", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
            { "role": "user", "content": "hi", "name": "ann" },
            { "role": "assistant", "content": "I look.", "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } },
                { "id": "c2", "type": "function", "function": { "name": "g", "arguments": "{\"a\":1}" } }
            ]},
            { "role": "tool", "tool_call_id": "c1", "content": "one" },
            { "role": "tool", "tool_call_id": "c2", "content": [{ "type": "text", "text": "two" }] },
            { "role": "assistant", "content": null, "refusal": "No." },
            { "type": "reasoning", "role": "user", "content": "no message of our own protocol" }
        ]),
        &[
            "message system: Be brief.",
            "message system: a b",
            "message user: hi",
            "message assistant: I look.",
            r#"function_call assistant: {"call_id":"c1","name":"f","arguments":"{}"} {"call_id":"c2","name":"g","arguments":"{\"a\":1}"}"#,
            r#"function_call_output tool: {"call_id":"c1","name":null,"output":"one"}"#,
            r#"function_call_output tool: {"call_id":"c2","name":null,"output":"two"}"#,
            "message assistant: refusal=No.",
            "message user: no message of our own protocol",
        ],
    );
}

#[test]
fn messages__every_part_kind__is_read() {
    check_messages(
        json!([{ "role": "user", "content": [
            { "type": "text", "text": "look" },
            { "type": "image_url", "image_url": { "url": "https://host/a.png", "detail": "low" } },
            { "type": "input_audio", "input_audio": { "data": "AA==", "format": "wav" } },
            { "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA==" } },
            { "type": "file", "file": { "file_id": "file-1" } }
        ]}]),
        &["message user: look image=https://host/a.png audio=Some(\"AA==\"),Some(\"wav\") \
           file=None,Some(\"a.pdf\"),Some(\"data:application/pdf;base64,AA==\") file=Some(\"file-1\"),None,None"],
    );
}

#[test]
fn parameters__all__reach_the_run_request() {
    let body = with(json!({
        "temperature": 0.5, "top_p": 0.9, "frequency_penalty": 0.1, "presence_penalty": 0.2, "max_tokens": 5,
        "max_completion_tokens": 7, "stop": ["a", "b"], "seed": 3, "n": 1, "user": "ann", "stream": true,
        "stream_options": { "include_usage": true }, "parallel_tool_calls": false,
        "tools": [{ "type": "function", "function": { "name": "f", "parameters": {}, "strict": true } }],
        "tool_choice": { "type": "function", "function": { "name": "f" } },
        "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": {}, "strict": true } },
        "reasoning_effort": "low", "metadata": { "k": "v" }, "store": true, "delay_ms": 3
    }));
    let CompletionSpec { spec, is_stream, wants_usage, .. } = asked(&body).expect("a good request");
    let request = spec.request;
    assert!(wants_usage && is_stream && !spec.options.keep_history && request.stream);
    let numbers = (request.temperature, request.top_p, request.frequency_penalty, request.presence_penalty);
    assert_eq!(numbers, (Some(0.5), Some(0.9), Some(0.1), Some(0.2)));
    assert_eq!(
        (request.max_tokens, request.seed, request.user_id.as_deref()),
        (Some(7), Some(3), Some("ann"))
    );
    assert_eq!(request.stop, Some(agent_schemas::Stop::Many(vec!["a".to_owned(), "b".to_owned()])));
    assert_eq!((request.model.as_deref(), request.session_id), (Some("m"), None));
    assert_eq!(
        request.tools.expect("tools")[0].function().map(|(name, ..)| name.to_owned()),
        Some("f".into())
    );
    assert!(request.extra.is_empty(), "these are members of our own protocol");
    let kept = serde_json::to_value(&request.foreign).expect("JSON");
    for key in [
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "metadata",
        "store",
        "delay_ms",
    ] {
        assert_eq!(kept[key], body[key], "{key}");
    }
    assert_eq!(kept.as_object().map(serde_json::Map::len), Some(7), "{kept}");
    let plain =
        asked(&with(json!({ "max_tokens": 5, "stream": null, "tools": null }))).expect("a good request");
    assert_eq!((plain.spec.request.max_tokens, plain.is_stream), (Some(5), false));
}

#[test]
fn session_id__body_or_metadata__is_read() {
    let session = |more: Value| {
        let spec = asked(&with(more)).expect("a good request").spec;
        assert_eq!(!spec.options.keep_history, spec.request.session_id.is_none());
        spec.request.session_id
    };
    assert_eq!(
        session(json!({ "session_id": "s", "metadata": { "session_id": "t" } })).as_deref(),
        Some("s")
    );
    assert_eq!(session(json!({ "metadata": { "session_id": "t" } })).as_deref(), Some("t"));
    assert_eq!(session(json!({ "session_id": "", "metadata": null })), None);
    check_refused(
        with(json!({ "metadata": { "session_id": 1 } })),
        "metadata.session_id",
        "expected a string",
    );
}

#[test]
fn tool_output__without_its_call__needs_a_session() {
    let output = json!([{ "role": "tool", "tool_call_id": "c", "content": "1" }]);
    let place = "messages[0].tool_call_id";
    check_refused(json!({ "messages": output }), place, "no earlier message has a call 'c'");
    assert!(asked(&json!({ "messages": output, "session_id": "s" })).is_ok());
}

#[test]
fn request__unsupported_parameter__is_refused() {
    for (more, parameter, message) in [
        (json!({ "messages": [] }), "messages", "at least one"),
        (json!({ "n": 2 }), "n", "only one choice"),
        (json!({ "logprobs": true }), "logprobs", "log probabilities"),
        (json!({ "modalities": ["text", "audio"] }), "modalities", "text"),
        (json!({ "stream_options": { "include_usage": true } }), "stream_options", "stream: true"),
        (json!({ "functions": [{}] }), "functions[0].name", "a function needs a name"),
        (
            json!({ "tools": [{ "type": "custom", "custom": { "name": "x" } }] }),
            "tools[0].type",
            "'function'",
        ),
        (json!({ "tools": [{ "type": "function", "function": {} }] }), "tools[0].function.name", "name"),
        (
            json!({ "tools": [{ "type": "function", "function": { "name": "f", "strict": 1 } }] }),
            "tools[0].function.strict",
            "true or false",
        ),
        (
            json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": [] } }] }),
            "tools[0].function.parameters",
            "a JSON Schema",
        ),
        (json!({ "tool_choice": "any" }), "tool_choice", "'required'"),
        (json!({ "tool_choice": { "type": "allowed_tools" } }), "tool_choice", "'required'"),
        (json!({ "response_format": {} }), "response_format.type", "json_schema"),
        (json!({ "response_format": { "type": "xml" } }), "response_format", "json_schema"),
        (
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "x", "strict": 0 } } }),
            "response_format.json_schema.strict",
            "true or false",
        ),
        (json!({ "response_format": { "type": "json_schema" } }), "response_format", "required"),
    ] {
        check_refused(with(more), parameter, message);
    }
}

#[test]
fn request__malformed_member__names_its_path() {
    check_refused(json!({ "model": "m" }), "messages", "required");
    for (message, place) in [
        (json!("hi"), "messages[0]"),
        (json!({ "content": "hi" }), "messages[0].role"),
        (json!({ "role": "function", "name": "f", "content": "1" }), "messages[0].name"),
        (json!({ "role": "user" }), "messages[0].content"),
        (json!({ "role": "user", "content": [{ "type": "smell" }] }), "messages[0].content[0]"),
        (json!({ "role": "tool", "content": "1" }), "messages[0].tool_call_id"),
        (
            json!({ "role": "assistant", "tool_calls": [{ "id": "c", "type": "function" }] }),
            "messages[0].tool_calls[0].function",
        ),
    ] {
        check_refused(json!({ "messages": [message] }), place, "");
    }
    for (more, place) in [
        (json!({ "temperature": "1" }), "temperature"),
        (json!({ "temperature": 3 }), "temperature"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "stream": 1 }), "stream"),
        (json!({ "seed": 1.5 }), "seed"),
        (json!({ "stop": 1 }), "stop"),
        (json!({ "tools": [1] }), "tools[0]"),
        (json!({ "messages": "hi" }), "messages"),
        (json!({ "user": 1 }), "user"),
    ] {
        check_refused(with(more), place, "");
    }
}

#[test]
fn run_options__in_body__are_read() {
    let body =
        json!({"messages": [{"role": "user", "content": "hi"}], "session_policy": "reject", "background": 1});
    let read = asked(&body).expect("a good request").spec;
    assert_eq!(read.options.session_policy, agent_schemas::SessionPolicy::Reject);
    assert_eq!(read.options.disconnect_grace, RunOptions::default().disconnect_grace);
    assert_eq!(
        read.request.extra_member("background"),
        Some(&Json::from(1)),
        "a completion is always waited for"
    );
    let body = json!({"messages": [{"role": "user", "content": "hi"}], "on_disconnect": "cancel"});
    let read = asked(&body).expect("a good request").spec;
    assert_eq!(read.options.cancel_after(), Some(std::time::Duration::ZERO), "at once");
}
