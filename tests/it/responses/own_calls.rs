//! Calls that the agent executes itself, as items that clients read later, send back and delete.

use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{Event, Json, object};
use axum::http::Method;
use serde_json::{Value, json};

use super::agents::{self, writes};
use super::app::{Client, STREAM};

const ITEMS: &str = "/v1/conversations/c/items";

fn types(list: &Value) -> Vec<&str> {
    list.as_array().expect("items").iter().map(|item| item["type"].as_str().expect("a type")).collect()
}

async fn listed(client: &Client, query: &str) -> Value {
    let (status, list) = client.json(Method::GET, &format!("{ITEMS}?{query}"), "").await;
    assert_eq!(status, 200, "{list}");
    list["data"].clone()
}

/// An agent that answers with its input.
fn mirror() -> Client {
    Client::new(agent_fn(|run: RunHandle| async move {
        run.say(&serde_json::to_string(&run.request().input).unwrap_or_default());
        Ok(())
    }))
}

#[tokio::test]
async fn own_call__in_conversation__is_one_item() {
    let client = Client::new(writes(agents::plugin_call));
    let response = client.create(r#"{"input":"hi","conversation":"c"}"#).await;
    let items = listed(&client, "order=asc").await;
    assert_eq!(types(&items), ["message", "mcp_call", "message"]);
    assert_eq!(items[1], response["output"][0]);
    let mut newest_first = items.as_array().expect("items").clone();
    newest_first.reverse();
    assert_eq!(listed(&client, "").await, Value::from(newest_first));
    // Many turns, whose calls have the same id.
    for _ in 0..60 {
        client.create(r#"{"input":"hi","conversation":"c"}"#).await;
    }
    for order in ["asc", "desc"] {
        let items = listed(&client, &format!("order={order}&limit=100")).await;
        for item in items.as_array().expect("items") {
            assert!(item["type"] == "message" || item["output"] == "42", "{order}: {item}");
        }
    }
}

#[tokio::test]
async fn own_call__sent_back__reaches_the_agent_with_its_output() {
    let first = Client::new(writes(agents::plugin_call)).create(r#"{"input":"hi"}"#).await;
    let client = mirror();
    let seen = client.create(&json!({ "input": first["output"] }).to_string()).await;
    let text = seen["output"][0]["content"][0]["text"].as_str().expect("a text");
    let input: Value = serde_json::from_str(text).expect("JSON");
    let data = |at: usize, key: &str| input[at]["content"][0]["data"][key].clone();
    assert_eq!(types(&input), ["mcp_call", "mcp_call_output", "message"]);
    assert_eq!((data(0, "name"), data(1, "output")), (json!("calculator"), json!("42")));
    let call_id = data(0, "call_id");
    assert!(call_id == data(1, "call_id") && call_id.as_str().is_some_and(|id| id.len() <= 40), "{call_id}");
    let path = format!("/v1/responses/{}/input_items?order=asc", seen["id"].as_str().expect("an id"));
    let (_, items) = client.json(Method::GET, &path, "").await;
    assert_eq!(
        (types(&items["data"]), &items["data"][0]["output"]),
        (vec!["mcp_call", "message"], &json!("42"))
    );
}

#[tokio::test]
async fn own_calls__sent_back_together__precede_their_outputs() {
    let first = Client::new(writes(agents::plugin_call)).create(r#"{"input":"hi"}"#).await;
    let (call, mut other) = (first["output"][0].clone(), first["output"][0].clone());
    other["id"] = json!("mcp_other");
    let seen = mirror().create(&json!({ "input": [call, other] }).to_string()).await;
    let text = seen["output"][0]["content"][0]["text"].as_str().expect("a text");
    let input: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(types(&input), ["mcp_call", "mcp_call", "mcp_call_output", "mcp_call_output"]);
}

#[tokio::test]
async fn own_call__failed_and_sent_back__keeps_its_error() {
    let failed = Client::new(writes(agents::mcp_failures)).create(r#"{"input":"hi"}"#).await;
    let mut call = failed["output"][1].clone();
    for error in [call["error"].clone(), json!("the tool failed")] {
        call["error"] = error;
        let seen = mirror().create(&json!({ "input": [call] }).to_string()).await;
        let text = seen["output"][0]["content"][0]["text"].as_str().expect("a text");
        let input: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(input[1]["content"][0]["data"]["output"], "the tool failed");
    }
}

#[tokio::test]
async fn item__deleted__is_gone_with_its_output() {
    let client = Client::new(writes(agents::plugin_call));
    client.create(r#"{"input":"hi","conversation":"c"}"#).await;
    client.create(r#"{"input":"hi","conversation":"c"}"#).await;
    let items = listed(&client, "order=asc").await;
    let path = |at: usize| format!("{ITEMS}/{}", items[at]["id"].as_str().expect("an id"));
    let (status, conversation) = client.json(Method::DELETE, &path(4), "").await;
    assert_eq!(
        (status, &conversation["object"], &conversation["id"]),
        (200, &json!("conversation"), &json!("c"))
    );
    assert_eq!(client.json(Method::DELETE, &path(4), "").await, (200, conversation), "it can be repeated");
    assert_eq!(client.json(Method::GET, &path(4), "").await.0, 404);
    let (_, session) = client.json(Method::GET, "/sessions/c/messages", "").await;
    let kinds = ["message", "plugin_call", "plugin_call_output", "message", "message", "message"];
    assert_eq!(types(&session["data"]), kinds);
    for at in [5, 3] {
        assert_eq!(client.json(Method::DELETE, &path(at), "").await.0, 200);
    }
    let left: Vec<Value> = items.as_array().expect("items")[..3].to_vec();
    assert_eq!(listed(&client, "order=asc").await, Value::from(left));
    let answer = client.create(r#"{"input":"again","conversation":"c"}"#).await;
    assert_eq!(answer["status"], "completed");
    assert_eq!(listed(&client, "order=asc").await.as_array().map(Vec::len), Some(6));
    assert_eq!(client.json(Method::DELETE, "/v1/conversations/none/items/msg_1", "").await.0, 404);
}

#[tokio::test]
async fn own_event__is_passed_on() {
    let agent = writes(|run| {
        run.emit(Event::Other(Json::from(object! { "object" => "progress", "percent" => 50 })));
        run.emit(Event::Other(Json::from(object! { "object" => "response", "status" => "completed" })));
        run.say("Hello!");
    });
    let client = Client::new(agent);
    let stream = client.stream(STREAM).await;
    let response = agent_tests::responses::check(&stream).expect("well-formed");
    let own = stream.lines().filter(|line| line.contains("\"type\":\"agent_server:event\""));
    let own: Vec<Value> =
        own.map(|line| serde_json::from_str(line.trim_start_matches("data: ")).expect("JSON")).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["event"]["object"], &own[0]["event"]["percent"]), (&json!("progress"), &json!(50)));
    assert_eq!(types(&response["output"]), ["message"]);
}

#[tokio::test]
async fn input_tokens__grow_with_all_that_the_agent_reads() {
    let client = Client::new(writes(|run| run.say(&"word ".repeat(100))));
    let count = async |request: Value| {
        let (status, answer) =
            client.json(Method::POST, "/v1/responses/input_tokens", &request.to_string()).await;
        assert_eq!((status, &answer["object"]), (200, &json!("response.input_tokens")), "{answer}");
        answer["input_tokens"].as_u64().expect("a number")
    };
    let plain = count(json!({ "input": "one two three" })).await;
    assert!((3..20).contains(&plain), "{plain}");
    let first = client.create(r#"{"input":"one two three","conversation":"c"}"#).await;
    assert!(count(json!({ "input": "one two three", "instructions": "x".repeat(400) })).await >= plain + 100);
    assert!(count(json!({ "input": "one two three", "conversation": "c" })).await > plain + 100);
    let stored = client.create(r#"{"input":"hi"}"#).await;
    assert!(count(json!({ "input": "x", "previous_response_id": stored["id"] })).await > 100);
    assert_eq!(first["status"], "completed");
    let (status, refused) = client.json(Method::POST, "/v1/responses/input_tokens", r#"{"input":7}"#).await;
    assert_eq!((status, &refused["error"]["param"]), (400, &json!("input")));
}
