//! Responses that are kept longer than their logs.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_runner::{RunHandle, agent_fn};
use agent_tests::within;
use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::agents::{self, writes};
use super::app::{Aging, Client, LOG_TIME, STREAM};

/// How long responses are kept.
const RESPONSE_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A response whose log was trimmed to its last entry is the same, except that items are in the order in which they ended,
/// parts are in the order of their numbers, and failures are missing: items that the run's failure ended, and errors of MCP
/// tools. The output of a call that is missing has an item of its own.
pub(crate) fn check_trimmed(kept: &Value, whole: &Value) -> Result<(), String> {
    let items = |response: &Value| {
        let items = response["output"].as_array().cloned().unwrap_or_default();
        let with_ids = items.into_iter().map(|mut item| {
            if let Some(parts) = item["content"].as_array_mut() {
                parts.sort_by_key(Value::to_string);
            }
            (item["id"].to_string(), item)
        });
        with_ids.collect::<BTreeMap<_, _>>()
    };
    let (mut expected, mut found) = (items(whole), items(kept));
    for call in expected.values_mut().filter(|item| item["type"] == "mcp_call" && item["status"] == "failed")
    {
        call["status"] = "incomplete".into();
        call["error"] = Value::Null;
    }
    if whole["status"] == "failed" {
        let may_miss = |item: &Value| item["status"] == "incomplete" || item["type"] == "mcp_call";
        expected.retain(|id, item| !may_miss(item) || found.contains_key(id));
        found.retain(|id, item| item["type"] != "mcp_call" || expected.contains_key(id));
    }
    let mut rest = whole.clone();
    rest["output"] = kept["output"].clone();
    if found == expected && *kept == rest {
        return Ok(());
    }
    Err(format!("without its log it is {kept}, and was {whole}"))
}

async fn get(client: &Client, path: &str) -> (u16, Value) {
    client.json(Method::GET, path, "").await
}

/// Waits until a request is rejected: the process that wrote a log may still have it in memory.
async fn refusal(call: impl AsyncFn() -> (StatusCode, String)) -> (u16, String) {
    within("a refusal", async {
        loop {
            let (status, answer) = call().await;
            if !status.is_success() {
                let json: Value = serde_json::from_str(&answer).expect("JSON");
                return (status.as_u16(), json["error"]["code"].as_str().unwrap_or_default().to_owned());
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn refused(client: &Client, path: &str) -> (u16, String) {
    refusal(async || client.call(Method::GET, path, "").await).await
}

/// The ids of a response and of its run.
fn ids(response: &Value) -> (&str, String) {
    let id = response["id"].as_str().expect("an id");
    (id, id.replace("resp_", "run_"))
}

#[tokio::test]
async fn stored_response__trimmed_log__is_still_readable() {
    let aging = Aging::new(writes(agents::plugin_call));
    let client = aging.client();
    let request = r#"{"input":"hi","session_id":"s","user_id":"u"}"#;
    let whole = client.create(request).await;
    let (id, run) = ids(&whole);
    let (response, events) = (format!("/v1/responses/{id}"), format!("/runs/{run}/events"));
    aging.age(LOG_TIME).await;

    let (status, kept) = get(&client, &response).await;
    assert_eq!(status, 200);
    check_trimmed(&kept, &whole).expect("the same response");
    let (status, items) = get(&client, &format!("{response}/input_items")).await;
    assert_eq!((status, &items["data"][0]["content"][0]["text"]), (200, &"hi".into()));
    for stream in ["stream=true", "stream=true&starting_after=2"] {
        let refused = refused(&client, &format!("{response}?{stream}")).await;
        assert_eq!(refused, (410, "response_events_gone".into()));
    }
    let (status, cancelled) = client.json(Method::POST, &format!("{response}/cancel"), "").await;
    assert_eq!((status, cancelled), (200, kept), "an ended one stays unchanged");

    let (status, info) = get(&client, &format!("/runs/{run}")).await;
    assert_eq!((status, &info["response"]["status"]), (200, &"completed".into()));
    assert_eq!(get(&client, "/runs?user_id=u").await.1["data"][0]["id"], *run);
    for after in ["", "?after=0", "?after=1"] {
        assert_eq!(refused(&client, &format!("{events}{after}")).await, (410, "RUN_GONE".into()), "{after}");
    }
    let last = info["events"].as_i64().expect("a number") - 1;
    let (_, rest) = client.call(Method::GET, &format!("{events}?after={}", last - 1), "").await;
    assert!(rest.contains(&format!("id: {last}\n")), "the last event is there: {rest}");

    let next = format!(r#"{{"input":"and?","previous_response_id":"{id}"}}"#);
    let (_, next_run) = ids(&client.create(&next).await);
    let context = aging.context(&next_run).await;
    let said: Vec<String> = context.iter().map(agent_schemas::Message::full_text).collect();
    assert_eq!((said[0].as_str(), said[4].as_str()), ("hi", "and?"));
    assert_eq!(said.len(), 8, "the earlier items are there: {said:?}");

    assert_eq!(client.json(Method::DELETE, &response, "").await.0, 200);
    assert_eq!(refused(&client, &response).await, (404, "response_not_found".into()));
}

#[tokio::test]
async fn stored_response__ttl_over__is_gone() {
    let aging = Aging::new(writes(|run| run.say("Hello!")));
    let client = aging.client();
    let whole = client.create(r#"{"input":"hi","background":true}"#).await;
    let path = format!("/v1/responses/{}", ids(&whole).0);
    client.call(Method::GET, &format!("{path}?stream=true"), "").await;
    aging.age(RESPONSE_TIME - Duration::from_secs(1)).await;
    let (status, kept) = get(&client, &path).await;
    assert_eq!((status, &kept["output"][0]["content"][0]["text"]), (200, &"Hello!".into()));
    aging.age(Duration::from_secs(1)).await;
    assert_eq!(refused(&client, &path).await, (404, "response_not_found".into()));
}

#[tokio::test]
async fn unstored_run__trimmed__keeps_no_response() {
    let aging = Aging::new(agent_fn(async |run: RunHandle| {
        run.say("Hello!");
        Ok(())
    }));
    let client = aging.client();
    let unstored = client.create(r#"{"input":"hi","store":false}"#).await;
    let (id, run) = ids(&unstored);
    assert_eq!(get(&client, &format!("/runs/{run}")).await.0, 200);
    assert_eq!(refused(&client, &format!("/v1/responses/{id}")).await, (404, "response_not_found".into()));
    let process = r#"{"user_id":"u","stream":false,"input":[]}"#;
    assert_eq!(client.json(Method::POST, "/process", process).await.0, 200);
    let chat = r#"{"model":"scripted","user":"u","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(client.json(Method::POST, "/v1/chat/completions", chat).await.0, 200);
    aging.age(LOG_TIME).await;
    assert_eq!(get(&client, &format!("/runs/{run}")).await.0, 404);
    assert_eq!(get(&client, "/runs?user_id=u").await.1["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn idempotency_key__trimmed_log__gives_same_response() {
    let aging = Aging::new(writes(|run| run.say("Hello!")));
    let client = aging.client();
    let whole = client.repeatable(r#"{"input":"hi"}"#).await;
    let streamed = client.repeatable(STREAM).await;
    assert!(whole.0.is_success() && streamed.0.is_success());
    aging.age(LOG_TIME).await;
    assert_eq!(client.repeatable(r#"{"input":"hi"}"#).await, whole, "the same answer, and no other run");
    let again = refusal(async || client.repeatable(STREAM).await).await;
    assert_eq!(again, (410, "response_events_gone".into()));
}
