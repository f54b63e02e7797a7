//! Compaction: the agent summarizes, and the summary takes the conversation's place.

use agent_runner::{Agent, AgentError, RunHandle};
use agent_schemas::Message;
use async_trait::async_trait;
use axum::http::Method;
use serde_json::{Value, json};

use super::agents::writes;
use super::app::Client;

const PATH: &str = "/v1/responses/compact";

/// Says how many messages it received, and the first words of the last one.
#[derive(Debug)]
struct Summarizer;

#[async_trait]
impl Agent for Summarizer {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let input = &run.request().input;
        let last = input.last().map(Message::full_text).unwrap_or_default();
        run.say(&format!("{} {}", input.len(), last.chars().take(37).collect::<String>()));
        Ok(())
    }

    fn summarizes(&self) -> bool {
        true
    }
}

async fn compact(client: &Client, request: &Value) -> (u16, Value) {
    client.json(Method::POST, PATH, &request.to_string()).await
}

#[tokio::test]
async fn compaction__takes_the_place_of_the_conversation() {
    let client = Client::new(Summarizer);
    let first = client.create(r#"{"input":"one"}"#).await;
    let request = json!({ "input": "two", "previous_response_id": first["id"], "stream": true, "tools": [] });
    let (status, compacted) = compact(&client, &request).await;
    assert_eq!((status, &compacted["object"]), (200, &json!("response.compaction")), "{compacted}");
    let output = compacted["output"].as_array().expect("items");
    let texts: Vec<&str> = output.iter().filter_map(|item| item["content"][0]["text"].as_str()).collect();
    assert_eq!(texts, ["one", "two"], "the user's messages stay");
    let id = output[1]["id"].as_str().expect("an id");
    assert!(id.starts_with("msg_") && id.len() > "msg_".len(), "{id}");
    assert_eq!((output.len(), &output[2]["type"]), (3, &json!("compaction")));
    let summary = output[2]["encrypted_content"].as_str().expect("a text");
    assert!(summary.ends_with("4 Summarize the conversation above for "), "{summary:?}");
    assert!(compacted["usage"]["total_tokens"].is_number());
    let mut next = output.clone();
    next.push(json!({ "role": "user", "content": "three" }));
    let answer = client.create(&json!({ "input": next }).to_string()).await;
    assert_eq!(answer["output"][0]["content"][0]["text"], "4 three");
    let (_, again) = compact(&client, &json!({ "input": next })).await;
    let kinds: Vec<&Value> =
        again["output"].as_array().expect("items").iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["message", "message", "message", "compaction"], "the new summary covers the old one");
    let path = format!("/v1/responses/{}", compacted["id"].as_str().expect("an id"));
    assert_eq!(client.json(Method::GET, &path, "").await.0, 404, "it is no response");
}

#[tokio::test]
async fn compaction__impossible__says_why() {
    let (status, refused) =
        compact(&Client::new(writes(|run| run.say("x"))), &json!({ "input": "one" })).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("unsupported_operation")));
    let client = Client::new(Summarizer);
    for (request, param) in [
        (json!({ "input": "one", "conversation": "c" }), "conversation"),
        (
            json!({ "input": [{ "type": "compaction", "encrypted_content": "gAAAA" }] }),
            "input[0].encrypted_content",
        ),
        (json!({ "input": [{ "role": "robot", "content": "" }] }), "input[0].role"),
    ] {
        let (status, refused) = compact(&client, &request).await;
        assert_eq!((status, &refused["error"]["param"]), (400, &json!(param)), "{refused}");
    }
    let silent = Client::new(Silent);
    let (status, failed) = compact(&silent, &json!({ "input": "one" })).await;
    assert_eq!((status, &failed["error"]["code"]), (502, &json!("compaction_failed")));
}

/// Can be asked, and says nothing.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Agent for Silent {
    async fn run(&self, _: RunHandle) -> Result<(), AgentError> {
        Ok(())
    }

    fn summarizes(&self) -> bool {
        true
    }
}
