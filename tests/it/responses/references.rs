//! Items that a client names instead of sending them, and outputs of calls that are elsewhere.

use agent_runner::{RunHandle, agent_fn};
use agent_schemas::Message;
use axum::http::Method;
use serde_json::{Value, json};

use super::agents::{self, writes};
use super::app::Client;

/// An agent that thinks, calls its own tool, and answers with the types and the text of its input.
fn listing() -> Client {
    Client::new(agent_fn(|run: RunHandle| async move {
        let shown = |message: &Message| format!("{} {}", message.kind, message.full_text());
        let input: Vec<String> = run.request().input.iter().map(shown).collect();
        let reasoning = run.reasoning();
        let mut text = reasoning.text();
        text.delta("hm");
        text.complete();
        reasoning.complete();
        run.tool_call("call_1", "calculator").complete("{}");
        run.tool_output("call_1", "calculator", "42");
        run.say(&input.join("; "));
        Ok(())
    }))
}

fn said(response: &Value) -> &str {
    response["output"][2]["content"][0]["text"].as_str().expect("a text")
}

fn reference(item: &Value) -> Value {
    json!({ "type": "item_reference", "id": item["id"] })
}

async fn refused(client: &Client, request: &Value) -> (u16, Value, Value) {
    let (status, answer) = client.json(Method::POST, "/v1/responses", &request.to_string()).await;
    (status, answer["error"]["code"].clone(), answer["error"]["param"].clone())
}

#[tokio::test]
async fn reference__earlier_response__stands_for_its_items() {
    let client = listing();
    let first = client.create(r#"{"input":"one"}"#).await;
    let output = first["output"].as_array().expect("items");
    let mut input: Vec<Value> = output.iter().map(reference).collect();
    // The type may be omitted, and naming an item twice does not repeat it.
    input.push(json!({ "id": output[2]["id"] }));
    let second = client.create(&json!({ "input": input }).to_string()).await;
    assert_eq!(said(&second), "reasoning hm; plugin_call ; plugin_call_output ; message message one");
    let path = format!("/v1/responses/{}/input_items?order=asc", first["id"].as_str().expect("an id"));
    let (_, items) = client.json(Method::GET, &path, "").await;
    assert_eq!(items["data"].as_array().map(Vec::len), Some(1));
    let path = format!("/v1/responses/{}/input_items?order=asc", second["id"].as_str().expect("an id"));
    let (_, items) = client.json(Method::GET, &path, "").await;
    let types: Vec<&str> =
        items["data"].as_array().expect("items").iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(types, ["reasoning", "mcp_call", "message"]);
    assert_eq!(items["data"][1]["output"], "42");
}

#[tokio::test]
async fn reference__conversation__is_not_repeated() {
    let client = listing();
    let first = client.create(r#"{"input":"one","conversation":"c"}"#).await;
    let again = json!({ "input": [reference(&first["output"][2])], "conversation": "c" });
    assert_eq!(said(&client.create(&again.to_string()).await), "", "the agent finds it in the history");
    let other = json!({ "input": [reference(&first["output"][2])], "conversation": "d" });
    assert_eq!(refused(&client, &other).await, (404, json!("item_not_found"), json!("input[0].id")));
}

#[tokio::test]
async fn reference__unknown_or_unstored__is_not_found() {
    let client = listing();
    let unstored = client.create(r#"{"input":"one","store":false}"#).await;
    let deleted = client.create(r#"{"input":"one"}"#).await;
    let path = format!("/v1/responses/{}", deleted["id"].as_str().expect("an id"));
    assert_eq!(client.json(Method::DELETE, &path, "").await.0, 200);
    let kept = client.create(r#"{"input":"one"}"#).await;
    let id = kept["output"][2]["id"].as_str().expect("an id");
    let other_message = id.replacen("0000", "9999", 1);
    for id in [
        unstored["output"][2]["id"].clone(),
        deleted["output"][2]["id"].clone(),
        json!(other_message),
        json!("msg_9"),
        json!(""),
        json!("_"),
    ] {
        let request = json!({ "input": [{ "role": "user", "content": "x" }, { "id": id }] });
        assert_eq!(
            refused(&client, &request).await,
            (404, json!("item_not_found"), json!("input[1].id")),
            "{id}"
        );
    }
}

#[tokio::test]
async fn output__call_of_previous_response__is_accepted() {
    let client = Client::new(writes(agents::function_call));
    let tools = json!([{ "type": "function", "name": "weather" }]);
    let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "sunny" });
    let first = client.create(&json!({ "input": "x", "tools": tools }).to_string()).await;
    let next = json!({ "input": [output], "previous_response_id": first["id"] });
    client.create(&next.to_string()).await;
    let call = reference(&first["output"][0]);
    client.create(&json!({ "input": [call, output] }).to_string()).await;
    client.create(&json!({ "input": "x", "tools": tools, "conversation": "c" }).to_string()).await;
    client.create(&json!({ "input": [output], "conversation": "c" }).to_string()).await;
    let invalid = (400, json!("invalid_parameter"), json!("input"));
    for request in [
        json!({ "input": [output] }),
        json!({ "input": [output], "conversation": "d" }),
        json!({ "input": [output, first["output"][0]] }),
        json!({ "input": [{ "type": "function_call_output", "call_id": "call_2", "output": "" }],
                "previous_response_id": first["id"] }),
    ] {
        assert_eq!(refused(&client, &request).await, invalid, "{request}");
    }
}
