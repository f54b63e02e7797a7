//! The requests that the peer was seen to take: all that the specification allows are taken here, too.

use std::path::Path;

use agent_server::{AgentApp, HttpConfig};
use agent_tests::responses::{check, check_response};
use axum::body::to_bytes;
use tower::ServiceExt;

use crate::golden::{Golden, request};

/// Those that are refused, with the status and why. `docs/compatibility.md` repeats it.
const REFUSED: [(&str, u16, &str); 7] = [
    ("array_body", 400, "a body is an object; the peer answers 500"),
    ("empty_body", 400, "a body is an object; the peer answers 500"),
    ("malformed_json", 400, "a body is JSON; the peer answers 500"),
    ("nonstream_bad_input", 400, "an item is an object; the peer answers 200 and an error"),
    ("stream_bad_input", 400, "an item is an object; the peer answers 200 and an error"),
    ("get", 405, "there is no WebSocket on the peer's path"),
    ("retrieve", 404, "the peer has no such route"),
];

/// A response, or a stream of one, or an error in OpenAI's shape.
fn check_body(status: u16, content_type: &str, body: &str) -> Result<(), String> {
    if content_type.starts_with("text/event-stream") {
        return check(body).map(drop).map_err(|fault| fault.to_string());
    }
    let json: serde_json::Value = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    if status == 200 {
        return check_response(&json).map_err(|fault| fault.to_string());
    }
    let members = ["message", "type", "code"];
    let is_error = members.into_iter().all(|member| json["error"][member].is_string());
    if is_error { Ok(()) } else { Err("it is no error of OpenAI's".to_owned()) }
}

#[tokio::test]
async fn requests_are_taken_wherever_the_specification_allows() {
    let mut http = HttpConfig::default();
    // The peer allows every origin.
    http.cors_origins = vec!["*".to_owned()];
    let app = AgentApp::builder("AgentScope Runtime").agent("golden", Golden).http(http);
    let router = app.build().expect("built").router();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/responses");
    let files = folder.read_dir().expect("a folder").map(|file| file.expect("a file").path());
    let mut refused: Vec<_> = REFUSED.iter().map(|(name, status, _)| (*name, *status)).collect();
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in files {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let bytes = std::fs::read(&file).expect("readable");
        let answer = router.clone().oneshot(request(&bytes)).await.expect("routers answer");
        let status = answer.status().as_u16();
        let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
        let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let body = String::from_utf8_lossy(&body);
        let listed = refused.iter().position(|(listed, _)| *listed == name);
        let expected = listed.map_or(200, |at| refused.swap_remove(at).1);
        if status != expected {
            complaints.push(format!("{name}: {status} instead of {expected}: {body}"));
        } else if let Err(fault) = check_body(status, &content_type, &body) {
            complaints.push(format!("{name}: {fault}: {body}"));
        }
        count += 1;
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(refused.is_empty(), "there are no such cases: {refused:?}");
    assert!(count > 50, "only {count} cases were found");
}
