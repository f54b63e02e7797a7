//! Snapshots of streams, in `streams/`. `AGENT_TEST_UPDATE=1` updates them; review the difference then.

use std::path::PathBuf;

use agent_runner::Agent;
use agent_tests::responses::check;
use axum::http::Method;
use serde_json::Value;

use super::agents::{self, fails, is_cancelled, writes};
use super::app::{Aging, CALLS, Client, LOG_TIME, STREAM, app};
use super::trimmed::check_trimmed;

/// Compares a stream with its snapshot, and checks it; returns its final response.
fn compare(name: &str, stream: &str) -> Value {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("it/responses/streams").join(format!("{name}.sse"));
    #[expect(clippy::disallowed_methods, reason = "snapshots are updated on request")]
    if std::env::var_os("AGENT_TEST_UPDATE").is_some() {
        std::fs::write(&path, stream).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let first_difference = kept.lines().zip(stream.lines()).find(|(kept, now)| kept != now);
    assert!(kept == stream, "{name} differs from its snapshot, first here: {first_difference:#?}");
    check(stream).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

async fn stream_of(name: &str, agent: impl Agent) -> Value {
    stream_for(STREAM, name, agent).await
}

async fn stream_for(request: &str, name: &str, agent: impl Agent) -> Value {
    let aging = Aging::new(agent);
    let client = aging.client();
    let response = compare(name, &client.stream(request).await);
    aging.age(LOG_TIME).await;
    let path = format!("/v1/responses/{}", response["id"].as_str().expect("an id"));
    let (_, kept) = client.json(Method::GET, &path, "").await;
    check_trimmed(&kept, &response).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    response
}

fn types(response: &Value) -> Vec<&str> {
    let items = response["output"].as_array().expect("items");
    items.iter().map(|item| item["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn texts__match_snapshots() {
    let text = stream_of("text", writes(|run| run.say("Hello!"))).await;
    assert_eq!(text["output"][0]["content"][0]["text"], "Hello!");
    stream_of("chunks", writes(agents::chunks)).await;
    let two = stream_of("two_texts", writes(agents::two_texts)).await;
    assert_eq!((two["output"][0]["content"][1]["text"].as_str(), types(&two).len()), (Some("two"), 2));
    let empty = stream_of("empty", writes(|_| ())).await;
    assert_eq!((&empty["status"], &empty["output"]), (&"completed".into(), &Value::Array(vec![])));
    let said_nothing = writes(|run| run.message().complete());
    assert_eq!(types(&stream_of("empty_message", said_nothing).await), ["message"]);
}

#[tokio::test]
async fn reasoning_and_refusal__match_snapshots() {
    assert_eq!(types(&stream_of("reasoning", writes(agents::reasoning)).await), ["reasoning", "message"]);
    let refused = stream_of("refusal", writes(agents::refusal)).await;
    assert_eq!(refused["output"][0]["content"][0]["refusal"], "I will not.");
}

#[tokio::test]
async fn calls__match_snapshots() {
    let call = stream_for(CALLS, "function_call", writes(agents::function_call)).await;
    assert_eq!(call["output"][0]["arguments"], "{\"city\":\"Paris\"}");
    let parallel = stream_for(CALLS, "parallel_calls", writes(agents::parallel_calls)).await;
    assert_eq!(
        (&parallel["output"][0]["call_id"], &parallel["output"][1]["call_id"]),
        (&"call_1".into(), &"call_2".into())
    );
    let plugin = stream_of("plugin_call", writes(agents::plugin_call)).await;
    assert_eq!(types(&plugin), ["mcp_call", "message"]);
    assert_eq!(plugin["output"][0]["output"], "42");
    let custom = stream_for(CALLS, "custom_call", writes(agents::custom_call)).await;
    assert_eq!(types(&custom), ["custom_tool_call"]);
}

#[tokio::test]
async fn calls__undeclared__are_the_agents_own() {
    let call = stream_of("undeclared_call", writes(agents::function_call)).await;
    assert_eq!(types(&call), ["mcp_call"]);
    assert_eq!((&call["status"], &call["output"][0]["status"]), (&"completed".into(), &"incomplete".into()));
    let custom = stream_of("undeclared_custom_call", writes(agents::custom_call)).await;
    assert_eq!(custom["output"][0]["arguments"], r#"{"input":"ls"}"#);
    let parallel = stream_of("parallel_plugin_calls", writes(agents::parallel_plugin_calls)).await;
    let outputs = parallel["output"].as_array().expect("items").iter().map(|item| &item["output"]);
    assert_eq!(outputs.collect::<Vec<_>>(), [&Value::from("one"), &Value::from("two"), &Value::Null]);
}

#[tokio::test]
async fn reasoning__asked_for_as_summary__matches_snapshot() {
    let request = r#"{"input":"hi","stream":true,"reasoning":{"summary":"auto"}}"#;
    let response = stream_for(request, "reasoning_summary", writes(agents::reasoning)).await;
    let item = &response["output"][0];
    assert_eq!(
        (&item["summary"][0]["text"], &item["content"]),
        (&"Let me think.".into(), &Value::Array(vec![]))
    );
}

#[tokio::test]
async fn mcp__matches_snapshots() {
    let call = stream_of("mcp_call", writes(agents::mcp_call)).await;
    assert_eq!(types(&call), ["mcp_list_tools", "mcp_call", "message"]);
    assert_eq!(call["output"][1]["output"], "found");
    let failed = stream_of("mcp_failures", writes(agents::mcp_failures)).await;
    assert_eq!(types(&failed), ["mcp_list_tools", "mcp_call", "mcp_call"]);
    assert_eq!(failed["output"][1]["error"]["content"], "the tool failed");
    let asked = stream_of("approval", writes(agents::approval)).await;
    assert_eq!(asked["output"][0]["id"], "ask_1");
}

#[tokio::test]
async fn media__matches_snapshots() {
    let response = stream_of("other_contents", writes(agents::other_contents)).await;
    assert_eq!(types(&response), ["message", "image_generation_call", "message"]);
    let parts = response["output"][0]["content"].as_array().expect("parts");
    let texts: Vec<_> = parts.iter().map(|part| part["text"].as_str().unwrap_or_default()).collect();
    assert_eq!(texts, ["See:", "![](https://example.com/a.png)", "{\"answer\":42}", "Done."]);
    assert_eq!(response["output"][1]["result"], "QUJD");
}

#[tokio::test]
async fn failures__match_snapshots() {
    let before = stream_of("failure_before", fails(|_| ())).await;
    assert_eq!((&before["status"], &before["error"]["message"]), (&"failed".into(), &"it broke".into()));
    let after = stream_of(
        "failure_after",
        fails(|run| {
            let mut text = run.message().text();
            text.delta("half a");
        }),
    )
    .await;
    assert_eq!(after["output"][0]["status"], "incomplete");
}

#[tokio::test]
async fn canceled_run__matches_snapshot() {
    let (agent, runner) = is_cancelled(|run| {
        let mut text = run.message().text();
        text.delta("half a");
    });
    let app = app(agent);
    runner.set(app.runner().clone()).expect("set once");
    let response = compare("cancelled", &Client::of(&app).stream(STREAM).await);
    assert_eq!((&response["status"], &response["error"]), (&"cancelled".into(), &Value::Null));
}

#[tokio::test]
async fn truncated_answers__match_snapshots() {
    let response = stream_of("max_tokens", writes(|run| agents::cut_short(run, "length"))).await;
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(response["usage"]["output_tokens_details"]["reasoning_tokens"], 1);
    let filtered = stream_of("content_filter", writes(|run| agents::cut_short(run, "content_filter"))).await;
    assert_eq!(
        (&filtered["status"], &filtered["incomplete_details"]["reason"]),
        (&"incomplete".into(), &"content_filter".into())
    );
}

#[tokio::test]
async fn background_run__matches_snapshot() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let request = r#"{"input":"hi","stream":true,"background":true}"#;
    let response = compare("background", &client.stream(request).await);
    assert_eq!(response["background"], true);
}
