//! Conversations: sessions, over OpenAI's routes.

use agent_runner::{RunHandle, agent_fn};
use agent_services::page::PageSize;
use axum::http::Method;
use serde_json::{Value, json};

use super::app::Client;

/// An agent that answers with the number of previous messages.
fn counting() -> Client {
    Client::new(agent_fn(|run: RunHandle| async move {
        let history = run.history(PageSize::default()).await?;
        run.say(&format!("{} before", history.len()));
        Ok(())
    }))
}

async fn new_conversation(client: &Client, body: &str) -> String {
    let (status, conversation) = client.json(Method::POST, "/v1/conversations", body).await;
    assert_eq!((status, &conversation["object"]), (200, &json!("conversation")), "{conversation}");
    assert!(conversation["created_at"].is_number() && conversation["metadata"].is_object(), "{conversation}");
    conversation["id"].as_str().expect("an id").to_owned()
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list["data"].as_array().expect("items").iter();
    items.map(|item| item["content"][0]["text"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn conversation__has_its_items_in_order() {
    let client = counting();
    let id =
        new_conversation(&client, r#"{"items":[{"role":"user","content":"hello"}],"metadata":{"a":"b"}}"#)
            .await;
    assert!(id.starts_with("conv_"));
    let request = |text: &str| json!({ "input": text, "conversation": id }).to_string();
    let first = client.create(&request("one")).await;
    assert_eq!(
        (&first["conversation"]["id"], &first["output"][0]["content"][0]["text"]),
        (&json!(id), &json!("1 before"))
    );
    let second = client.create(&json!({ "input": "two", "conversation": { "id": id } }).to_string()).await;
    assert_eq!(second["output"][0]["content"][0]["text"], "3 before");
    let path = format!("/v1/conversations/{id}/items");
    let (_, list) = client.json(Method::GET, &format!("{path}?order=asc"), "").await;
    assert_eq!(texts(&list), ["hello", "one", "1 before", "two", "3 before"]);
    let (_, newest) = client.json(Method::GET, &format!("{path}?limit=2"), "").await;
    assert_eq!((texts(&newest), &newest["has_more"]), (vec!["3 before", "two"], &json!(true)));
    let (_, rest) = client
        .json(Method::GET, &format!("{path}?after={}", newest["last_id"].as_str().expect("an id")), "")
        .await;
    assert_eq!((texts(&rest), &rest["has_more"]), (vec!["1 before", "one", "hello"], &json!(false)));
    let item = newest["first_id"].as_str().expect("an id");
    assert_eq!(second["output"][0]["id"], item, "it is the same item as in the response");
    let (status, read) = client.json(Method::GET, &format!("{path}/{item}"), "").await;
    assert_eq!((status, &read), (200, &newest["data"][0]));
    let path = format!("/sessions/{id}/messages");
    let (_, session) = client.json(Method::GET, &path, "").await;
    assert_eq!(session["data"].as_array().map(Vec::len), Some(5), "it is the session of the same id");
}

#[tokio::test]
async fn items__added__are_listed() {
    let client = counting();
    let id = new_conversation(&client, "{}").await;
    let path = format!("/v1/conversations/{id}/items");
    let body = r#"{"items":[{"role":"developer","content":"be nice"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}"#;
    let (status, added) = client.json(Method::POST, &path, body).await;
    assert_eq!(
        (status, &added["data"][0]["role"], &added["data"][1]["type"]),
        (200, &json!("developer"), &json!("function_call"))
    );
    let (_, list) = client.json(Method::GET, &format!("{path}?order=asc"), "").await;
    assert_eq!(list, added);
    let (status, refused) =
        client.json(Method::POST, &path, r#"{"items":[{"role":"robot","content":""}]}"#).await;
    assert_eq!((status, &refused["error"]["param"]), (400, &json!("items[0].role")));
    assert_eq!(client.json(Method::POST, &path, "{}").await.1["error"]["param"], "items");
}

#[tokio::test]
async fn conversation__can_be_changed_and_deleted() {
    let client = counting();
    let id = new_conversation(&client, "{}").await;
    let path = format!("/v1/conversations/{id}");
    let (_, changed) = client.json(Method::POST, &path, r#"{"metadata":{"topic":"figs"}}"#).await;
    assert_eq!(changed["metadata"]["topic"], "figs");
    assert_eq!(client.json(Method::GET, &path, "").await, (200, changed));
    let (status, deleted) = client.json(Method::DELETE, &path, "").await;
    assert_eq!(
        (status, &deleted["object"], &deleted["deleted"]),
        (200, &json!("conversation.deleted"), &json!(true))
    );
    assert_eq!(client.json(Method::DELETE, &path, "").await, (200, deleted), "it can be repeated");
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::POST, path.clone()),
        (Method::GET, format!("{path}/items")),
        (Method::GET, format!("{path}/items/msg_1")),
        (Method::DELETE, format!("{path}/items/msg_1")),
    ] {
        let (status, missing) = client.json(method.clone(), &path, "{}").await;
        assert_eq!(
            (status, &missing["error"]["code"]),
            (404, &json!("conversation_not_found")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn item__deletion__is_refused() {
    let client = counting();
    let id = new_conversation(&client, r#"{"items":[{"role":"user","content":"hello","id":"msg_1"}]}"#).await;
    let path = format!("/v1/conversations/{id}/items/msg_1");
    let (status, refused) = client.json(Method::DELETE, &path, "").await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("unsupported_operation")));
    assert_eq!(client.json(Method::GET, &path, "").await.0, 200);
    let (status, missing) = client.json(Method::GET, &path.replace("msg_1", "msg_2"), "").await;
    assert_eq!((status, &missing["error"]["code"]), (404, &json!("item_not_found")));
}

#[tokio::test]
async fn session__of_upstream_client__is_a_conversation() {
    let client = counting();
    client.create(r#"{"input":"one","session_id":"s 1","user_id":"ann"}"#).await;
    let (status, list) =
        client.json(Method::GET, "/v1/conversations/s%201/items?user_id=ann&order=asc", "").await;
    assert_eq!((status, texts(&list)), (200, vec!["one", "0 before"]));
    assert_eq!(client.json(Method::GET, "/v1/conversations/s%201", "").await.0, 404, "it is ann's");
}

#[tokio::test]
async fn response__without_conversation__creates_none() {
    let client = counting();
    client.create(r#"{"input":"one","user":"ann"}"#).await;
    let (_, sessions) = client.json(Method::GET, "/sessions?user_id=ann", "").await;
    assert_eq!(sessions["data"], json!([]));
}
