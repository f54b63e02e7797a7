//! The cases of `golden/protocol`: scripts that run through the runner, and a few through HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, Json, sse};
use agent_server::AgentApp;
use futures_util::StreamExt;
use parking_lot::Mutex;

use super::answer::{Answer, Body, parse};
use super::framework_cases::Served;
use super::script::{Script, ScriptAgent, data_content, seen};
use super::{Case, http_cases};

pub(super) async fn run_all(served: &Served) -> Vec<Case> {
    let mut cases = Vec::new();
    for (prefix, place) in [("protocol", "protocol"), ("protocol/v115", "protocol/v115")] {
        let folder = super::folder().join(place);
        for path in files(&folder, "json") {
            let json = parse(&std::fs::read_to_string(&path).expect("readable"));
            cases.push(script_case(prefix, &json).await);
        }
        let lines = std::fs::read_to_string(folder.join("sse_raw.jsonl")).expect("readable");
        for line in lines.lines() {
            cases.push(raw_case(prefix, served, &parse(line)).await);
        }
    }
    cases
}

pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn list(json: Option<&Json>) -> Vec<Json> {
    json.and_then(Json::as_array).map(<[Json]>::to_vec).unwrap_or_default()
}

/// A case in a separate file: the script's events through the runner.
async fn script_case(prefix: &str, json: &Json) -> Case {
    let name = format!("{prefix}/{}", text(json, "name"));
    let mut events = list(json.get("events"));
    let saw = json.get("handler_saw").and_then(|saw| saw.get("request_dump"));
    events.extend(saw.cloned());
    let Some(script) = json.get("handler").filter(|handler| !handler.is_null()) else {
        let ours = Err("its handler makes a string that Rust cannot hold".to_owned());
        return Case { name, upstream: Answer::events(events), ours };
    };
    let script = match text(script, "kind") {
        "builder_ops" => Script::Builders(list(script.get("ops"))),
        _ => Script::Text(list(script.get("steps"))),
    };
    let request = AgentRequest::from_json(json.get("request").cloned().expect("a request"));
    let ours = replay(script, request.expect("a valid request"), saw.is_some()).await;
    Case { name, upstream: Answer::events(events), ours: Ok(ours) }
}

async fn replay(script: Script, request: AgentRequest, shows_request: bool) -> Answer {
    let saw = Arc::new(Mutex::new(None));
    let agent = ScriptAgent { script, saw: Arc::clone(&saw) };
    let runner = Runner::builder().agent("script", agent).build().expect("built");
    let run = runner.start(request, RunOptions::default()).await.expect("started");
    let mut cursor = run.cursor(0);
    let mut events = Vec::new();
    while let Some(batch) = cursor.next().await {
        let frames = batch.expect("readable").frames;
        events.extend(
            sse::frames(&frames).map(|json| parse(std::str::from_utf8(json).expect("events are UTF-8"))),
        );
    }
    events.extend(saw.lock().as_ref().filter(|_| shows_request).map(seen));
    Answer::events(events)
}

/// A line of `sse_raw.jsonl`: a whole HTTP answer.
async fn raw_case(prefix: &str, served: &Served, json: &Json) -> Case {
    let name = format!("{prefix}/sse_raw/{}", text(json, "name"));
    let headers = json.get("headers").and_then(Json::as_object).expect("headers");
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let status = json.get("status").and_then(Json::as_i64).and_then(|status| u16::try_from(status).ok());
    let upstream = Answer::http(status.expect("a status"), headers, text(json, "body").as_bytes());
    let body = match json.get("request_body") {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let mut steps = list(json.get("steps"));
    for step in &mut steps {
        if let Some(data) = step.get("yield_data_content") {
            *step = data_content(data);
        }
    }
    let surrogate = steps.iter().any(|step| step.get("yield_lone_surrogate_text_content").is_some());
    let script = match text(json, "framework") {
        "text" => Script::Text(steps),
        "autogen" if !surrogate => Script::Builders(steps),
        "autogen" => return Case { name, upstream, ours: Err("Rust cannot hold its string".to_owned()) },
        "agentscope" => {
            let ours = served.answer(&agent_tests::client::post(&body)).await;
            return Case { name, upstream, ours: Ok(ours) };
        }
        _ => {
            let refusal = served.refused_without_a_framework().await;
            assert!(refusal.contains("is invalid or not set"), "{refusal}");
            return Case { name, upstream, ours: Err("its script is not served".to_owned()) };
        }
    };
    let agent = ScriptAgent { script, saw: Arc::default() };
    let app = AgentApp::builder("golden").agent("script", agent).build().expect("built");
    let request = http::Request::post("/process")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let request = request.body(body.into()).expect("a request");
    let mut ours = http_cases::answer(&app.router(), request).await;
    if matches!(ours.body, Body::Json(_)) {
        // The transcripts of such answers have only this header.
        ours.headers.retain(|name, _| name == "content-type");
    }
    Case { name, upstream, ours: Ok(ours) }
}
