//! The cases of `golden/http`: the bytes of a request through the real router.

use std::path::Path;

use agent_server::{AgentApp, HttpConfig};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use tower::ServiceExt;

use super::Case;
use super::answer::Answer;
use super::framework_cases::Served;
use super::handlers::{Golden, own_routes};

/// The cases that are not replayed, by the prefix of their names, and the reasons.
const NOT_REPLAYED: [(&str, &str); 4] = [
    ("custom_agen", "FastAPI's generator endpoints"),
    ("custom_gen_", "FastAPI's generator endpoints"),
    ("custom_async_missing", "FastAPI's parameter binding"),
    ("custom_sync_badquery", "FastAPI's parameter binding"),
];

pub(super) async fn run_all(served: &Served) -> Vec<Case> {
    let mut http = HttpConfig::default();
    // Upstream allows every origin.
    http.cors_origins = vec!["*".to_owned()];
    let app = AgentApp::builder("AgentScope Runtime").agent("golden", Golden).http(http).routes(own_routes());
    let router = app.build().expect("built").router();
    let entries = std::fs::read_dir(super::folder().join("http")).expect("the folder is there");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let mut cases = Vec::new();
    for folder in folders {
        cases.push(case(&router, served, &folder).await);
    }
    cases
}

async fn case(router: &Router, served: &Served, folder: &Path) -> Case {
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    let read = |file: &str| std::fs::read(folder.join(file)).expect("readable");
    let upstream = recorded(&read("response.http"));
    let ours = match NOT_REPLAYED.iter().find(|(start, _)| name.starts_with(start)) {
        Some((_, why)) => Err((*why).to_owned()),
        None if name.contains("process_agentscope_") => Ok(served.answer(&read("request.http")).await),
        None => Ok(answer(router, request(&read("request.http"))).await),
    };
    Case { name: format!("http/{name}"), upstream, ours }
}

/// Splits a message into its first line, its headers and its body.
fn cut(bytes: &[u8]) -> (String, Vec<(String, String)>, &[u8]) {
    let crlf = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| (at, 4));
    let end = crlf.or_else(|| bytes.windows(2).position(|window| window == b"\n\n").map(|at| (at, 2)));
    let (at, length) = end.expect("headers end with an empty line");
    let head = std::str::from_utf8(&bytes[..at]).expect("headers are text");
    let mut lines = head.lines();
    let first = lines.next().expect("a first line").to_owned();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.trim().to_owned(), value.trim().to_owned())
    });
    (first, headers.collect(), &bytes[at + length..])
}

fn recorded(bytes: &[u8]) -> Answer {
    let (first, headers, body) = cut(bytes);
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Answer::http(status, headers, body)
}

/// A recorded request.
pub(crate) fn request(bytes: &[u8]) -> Request<Body> {
    let (first, headers, body) = cut(bytes);
    let mut words = first.split(' ');
    let mut request = Request::builder().method(words.next().expect("a method"));
    request = request.uri(words.next().expect("a path"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_vec())).expect("a request")
}

pub(super) async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    let headers =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("headers are text")));
    Answer::http(parts.status.as_u16(), headers, &bytes)
}
