//! Requests that upstream was observed to accept: those that the specification allows are accepted here, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use agent_protocol_openai::OpenAi;
use agent_server::{AgentApp, HttpConfig};
use agent_tests::responses::{check, check_response};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::Value;
use tower::ServiceExt;

use crate::golden::{Golden, request};

/// The rejected ones, with the status and the reason. `docs/compatibility.md` repeats them.
const REFUSED: [(&str, u16, &str); 9] = [
    ("array_body", 400, "a body is an object; upstream answers 500"),
    ("empty_body", 400, "a body is an object; upstream answers 500"),
    ("malformed_json", 400, "a body is JSON; upstream answers 500"),
    ("nonstream_bad_input", 400, "an item is an object; upstream answers 200 and an error"),
    ("stream_bad_input", 400, "an item is an object; upstream answers 200 and an error"),
    ("get", 405, "there is no WebSocket on upstream's path"),
    ("text_plain", 400, "a body says that it is JSON"),
    ("request_mapping", 400, "two earlier contexts, an item of none of them, and a text for a number"),
    ("retrieve", 404, "upstream has no such route"),
];

/// A response, or a stream of one, or an error in OpenAI's shape.
fn check_body(status: u16, content_type: &str, body: &str) -> Result<(), String> {
    if content_type.starts_with("text/event-stream") {
        return check(body).map(drop).map_err(|fault| fault.to_string());
    }
    let json: Value = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    if status == 200 {
        return check_response(&json).map_err(|fault| fault.to_string());
    }
    let members = ["message", "type", "code"];
    let is_error = members.into_iter().all(|member| json["error"][member].is_string());
    if is_error { Ok(()) } else { Err("it is not an error in OpenAI's format".to_owned()) }
}

fn router() -> Router {
    let mut http = HttpConfig::default();
    // Upstream allows every origin.
    http.cors_origins = vec!["*".to_owned()];
    let app = AgentApp::builder("AgentScope Runtime").agent("golden", Golden).http(http).protocol(OpenAi);
    app.build().expect("built").router()
}

fn recorded(name: &str) -> Request<Body> {
    let path = folder().join(name).with_extension("http");
    request(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/responses")
}

/// Sends a request and returns what is wrong with the answer.
async fn send(router: &Router, request: Request<Body>, expected: u16) -> Result<(), String> {
    let answer = router.clone().oneshot(request).await.expect("routers answer");
    let status = answer.status().as_u16();
    let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body);
    if status != expected {
        return Err(format!("{status} instead of {expected}: {body}"));
    }
    check_body(status, &content_type, &body).map_err(|fault| format!("{fault}: {body}"))
}

#[tokio::test]
async fn requests__recorded__are_accepted_where_specified() {
    let router = router();
    let mut refused: BTreeMap<_, _> = REFUSED.iter().map(|(name, status, _)| (*name, *status)).collect();
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in folder().read_dir().expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let expected = refused.remove(name).unwrap_or(200);
        let sent = send(&router, recorded(name), expected).await;
        complaints.extend(sent.err().map(|complaint| format!("{name}: {complaint}")));
        count += 1;
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(refused.is_empty(), "there are no such requests: {refused:?}");
    assert!(count > 50, "only {count} requests were found");
}

#[tokio::test]
async fn request__every_item_kind__is_accepted() {
    let (head, body) = recorded("request_mapping").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let mut body: Value = serde_json::from_slice(&body).expect("JSON");
    let members = body.as_object_mut().expect("an object");
    members.remove("previous_response_id");
    members.insert("frequency_penalty".to_owned(), 0.2.into());
    let items = members["input"].as_array_mut().expect("items");
    items.retain(|item| item["type"] != "item_reference");
    let sent = send(&router(), Request::from_parts(head, Body::from(body.to_string())), 200).await;
    assert_eq!(sent, Ok(()));
}
