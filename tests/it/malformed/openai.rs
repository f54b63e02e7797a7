//! The same for OpenAI's routes, whose clients get errors in OpenAI's format.

use agent_tests::{Launch, Server};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{exchange, statuses};

/// Valid requests, to be damaged.
pub(super) fn valid() -> Vec<Vec<u8>> {
    let message = json!({ "role": "user", "content": [{ "type": "input_text", "text": "a" }] });
    let call = json!({ "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" });
    let output = json!({ "type": "function_call_output", "call_id": "c", "output": [] });
    let response = json!({
        "model": "m", "input": [message, call, output], "tools": [{ "type": "function", "name": "f" }],
        "tool_choice": "auto", "metadata": { "a": "b" }, "text": { "format": { "type": "text" } }, "stream": true,
        "conversation": "c", "temperature": 0.5, "max_output_tokens": 9
    });
    let completion = json!({
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "a" }] }],
        "tools": [{ "type": "function", "function": { "name": "f" } }], "tool_choice": "auto", "n": 1, "stream": true
    });
    let conversation = json!({ "items": [message], "metadata": { "a": "b" } });
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
    vec![
        post("/v1/responses", &response.to_string()),
        post("/v1/responses", r#"{"input":"a","background":true}"#),
        post("/v1/chat/completions", &completion.to_string()),
        post("/v1/conversations", &conversation.to_string()),
        get("/v1/responses/resp_1?stream=true&starting_after=1"),
        get("/v1/conversations/c/items?limit=1&order=asc&after=msg_1"),
    ]
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let head = "host: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// Whether the first answer to a request for one of these routes has their format, if it is an error with a body.
pub(super) fn is_in_shape(request: &[u8], answer: &[u8]) -> bool {
    let (request, answer) = (String::from_utf8_lossy(request), String::from_utf8_lossy(answer));
    let line = request.split("\r\n").next().unwrap_or_default();
    let is_openais = line.ends_with(" HTTP/1.1")
        && line
            .split(' ')
            .nth(1)
            .is_some_and(|path| path.trim_start_matches("/compatible-mode").starts_with("/v1/"));
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return true };
    let is_error = statuses(head.as_bytes()).first().is_some_and(|status| (400..500).contains(status));
    if !is_openais || !is_error || body.is_empty() || line.starts_with("HEAD") {
        return true;
    }
    // Another answer may follow on the connection.
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    let Some(Ok(body)) = values.next() else { return false };
    ["message", "type", "code"].into_iter().all(|member| body["error"][member].is_string())
}

async fn check(server: &Server, path: &str, body: &str, expected: &[u16]) {
    let request = post(path, body);
    let answer = exchange(server.address(), &request, false).await;
    let shown: String = body.chars().take(200).collect();
    let found = statuses(&answer);
    let answer_shown = String::from_utf8_lossy(&answer);
    assert!(found.first().is_some_and(|status| expected.contains(status)), "{path} {shown}: {answer_shown}");
    assert!(is_in_shape(&request, &answer), "{path} {shown}: {answer_shown}");
}

const PATHS: [&str; 4] =
    ["/v1/responses", "/compatible-mode/v1/responses", "/v1/chat/completions", "/v1/conversations"];

#[tokio::test]
async fn hostile_bodies__have_openai_error_format() {
    let server = super::server().await;
    let many: String = (0..9_000).map(|number| format!(",\"k{number}\":0")).collect();
    for path in PATHS {
        let check = async |body: &str, expected: &[u16]| check(&server, path, body, expected).await;
        for body in ["", "null", "7", "\"x\"", "[]", "{", "{\"input\"", "{}\0", "\u{feff}", "{\"a\":NaN}"] {
            check(body, &[400]).await;
        }
        for (open, close) in [("[", ""), ("{\"a\":", ""), ("[", "]")] {
            check(&(open.repeat(9_000) + &close.repeat(9_000)), &[400]).await;
        }
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for member in ["input", "messages", "items", "metadata", "tools"] {
            check(&format!("{{\"{member}\":{deep}}}"), &[400]).await;
        }
        check(&" ".repeat(200_000), &[413]).await;
        check(r#"{"metadata":{"a":"\ud800"}}"#, &[400]).await;
        check(r#"{"metadata":1e400}"#, &[400]).await;
        // Other members do not make an invalid request valid, and a valid one may have them.
        check(&format!("{{\"metadata\":7{many}}}"), &[400]).await;
    }
    check(&server, "/v1/responses", &format!("{{\"input\":\"a\"{many}}}"), &[200]).await;
    let items = format!("{{\"input\":[{}0]}}", "{},".repeat(20_000));
    check(&server, "/v1/responses", &items, &[400]).await;
    server.check_health().await;
}

/// Any value of a member, of the right type or not.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec!["", "auto", "user", "message", "function", "text", "\0", "resp_1"])
            .prop_map(Value::from),
    ];
    let keys =
        vec!["type", "role", "content", "id", "call_id", "name", "text", "format", "arguments", "output"];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let members =
            proptest::collection::vec((proptest::sample::select(keys.clone()), inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::from),
            members.prop_map(|members| members.into_iter().collect()),
        ]
    })
}

const MEMBERS: [&str; 20] = [
    "input",
    "messages",
    "items",
    "model",
    "stream",
    "background",
    "store",
    "tools",
    "tool_choice",
    "metadata",
    "text",
    "reasoning",
    "conversation",
    "previous_response_id",
    "response_format",
    "stop",
    "n",
    "max_output_tokens",
    "include",
    "stream_options",
];

fn wrongly_typed() -> impl Strategy<Value = (&'static str, String)> {
    let member = proptest::sample::select(&MEMBERS[..]).prop_map(str::to_owned);
    let body = proptest::collection::btree_map(member, any_json(), 1..4);
    let is_valid_besides = any::<bool>();
    (proptest::sample::select(&PATHS[..]), body, is_valid_besides).prop_map(
        |(path, mut body, is_valid_besides)| {
            if is_valid_besides {
                let said = json!([{ "role": "user", "content": "a" }]);
                for member in ["input", "messages", "items"] {
                    body.entry(member.to_owned()).or_insert_with(|| said.clone());
                }
            }
            (path, json!(body).to_string())
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrongly_typed_members__never_answer_5xx() {
    let server = Launch::echo("").start().await;
    let requests = super::samples(&wrongly_typed(), 8);
    let requests = requests.into_iter().map(|(path, body)| (post(path, &body), false)).collect();
    super::check_all(&server, requests).await;
}
