//! Responses that are retrieved later.

use std::sync::Arc;

use agent_runner::{RunHandle, agent_fn};
use agent_tests::responses::{check, check_response};
use agent_tests::within;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;

use super::agents::{is_cancelled, writes};
use super::app::{Client, app};

/// An agent that waits for a signal, and the signal.
fn waiting() -> (Client, Arc<Notify>) {
    let word = Arc::new(Notify::new());
    let shared = Arc::clone(&word);
    let agent = agent_fn(move |run: RunHandle| {
        let word = Arc::clone(&shared);
        async move {
            run.say("one");
            tokio::select! {
                () = word.notified() => run.say("two"),
                () = run.cancelled() => {}
            }
            Ok(())
        }
    });
    (Client::new(agent), word)
}

async fn get(client: &Client, id: &str) -> (u16, Value) {
    client.json(Method::GET, &format!("/v1/responses/{id}"), "").await
}

fn id(response: &Value) -> &str {
    response["id"].as_str().expect("an id")
}

#[tokio::test]
async fn background_response__is_answered_at_once_and_readable_later() {
    let (client, word) = waiting();
    let begun = client.create(r#"{"input":"hi","background":true}"#).await;
    assert!(matches!(begun["status"].as_str(), Some("queued" | "in_progress")), "{begun}");
    let path = format!("/v1/responses/{}?stream=true", id(&begun));
    let stream = client.call(Method::GET, &path, "");
    word.notify_one();
    let (_, stream) = within("the end", stream).await;
    let ended = check(&stream).expect("well-formed");
    assert_eq!((&ended["status"], ended["output"].as_array().map(Vec::len)), (&"completed".into(), Some(2)));
    assert_eq!(get(&client, id(&begun)).await, (200, ended));
}

#[tokio::test]
async fn cancel__running_response__is_cancelled() {
    let (client, _word) = waiting();
    let begun = client.create(r#"{"input":"hi","background":true}"#).await;
    let path = format!("/v1/responses/{}/cancel", id(&begun));
    let (status, cancelled) = within("the end", client.json(Method::POST, &path, "")).await;
    assert_eq!((status, &cancelled["status"]), (200, &"cancelled".into()));
    check_response(&cancelled).expect("well-formed");
    let (_, again) = client.json(Method::POST, &path, "").await;
    assert_eq!(again, cancelled, "once more changes nothing");
}

#[tokio::test]
async fn delete__running_response__is_refused_until_it_ends() {
    let (client, word) = waiting();
    let begun = client.create(r#"{"input":"hi","background":true}"#).await;
    let path = format!("/v1/responses/{}", id(&begun));
    let (status, refused) = client.json(Method::DELETE, &path, "").await;
    assert_eq!((status, &refused["error"]["code"]), (409, &"response_in_progress".into()));
    word.notify_one();
    within("the end", client.call(Method::GET, &format!("{path}?stream=true"), "")).await;
    let (status, deleted) = client.json(Method::DELETE, &path, "").await;
    assert_eq!((status, &deleted["deleted"]), (200, &true.into()));
    assert_eq!(client.json(Method::DELETE, &path, "").await, (200, deleted), "it can be repeated");
    assert_eq!(get(&client, id(&begun)).await.0, 404);
    let (status, missing) = client.json(Method::DELETE, "/v1/responses/resp_1", "").await;
    assert_eq!((status, &missing["error"]["code"]), (404, &"response_not_found".into()), "no such id exists");
}

#[tokio::test]
async fn unstored_response__is_not_found() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let response = client.create(r#"{"input":"hi","store":false}"#).await;
    for missing in [id(&response), "resp_", "resp_1", "run_1", "%FF"] {
        let (status, answer) = get(&client, missing).await;
        assert!(matches!(status, 400 | 404), "{missing}: {answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error", "{answer}");
    }
    let next = format!(r#"{{"input":"more","previous_response_id":"{}"}}"#, id(&response));
    let (status, answer) = client.json(Method::POST, "/v1/responses", &next).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &"previous_response_not_found".into()));
}

#[tokio::test]
async fn run__of_other_protocol__is_readable_as_response() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let body = r#"{"input":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"background":true}"#;
    let (status, run) = client.json(Method::POST, "/process", body).await;
    assert_eq!(status, 202);
    let id = run["id"].as_str().expect("an id").replacen("run_", "resp_", 1);
    let path = format!("/v1/responses/{id}?stream=true");
    let (_, stream) = within("the end", client.call(Method::GET, &path, "")).await;
    let response = check(&stream).expect("well-formed");
    assert_eq!(
        (&response["model"], &response["output"][0]["content"][0]["text"]),
        (&"scripted".into(), &"Hello!".into())
    );
    let response_id = super::stored::id(&response);
    let (status, _) =
        client.json(Method::GET, &format!("/runs/{}", response_id.replacen("resp_", "run_", 1)), "").await;
    assert_eq!(status, 200, "and the other way round");
}

#[tokio::test]
async fn input_items__are_paged() {
    let client = Client::new(writes(|run| run.say("Hello!")));
    let items: Vec<String> =
        (0..5).map(|n| format!(r#"{{"role":"user","id":"msg_{n}","content":"{n}"}}"#)).collect();
    let response = client.create(&format!(r#"{{"input":[{}]}}"#, items.join(","))).await;
    let path = format!("/v1/responses/{}/input_items", id(&response));
    let page = async |query: &str| client.json(Method::GET, &format!("{path}{query}"), "").await;
    let (_, newest) = page("?limit=2").await;
    assert_eq!(
        (&newest["first_id"], &newest["last_id"], &newest["has_more"]),
        (&"msg_4".into(), &"msg_3".into(), &true.into())
    );
    assert_eq!(newest["data"][0]["content"][0]["type"], "input_text");
    let (_, rest) = page("?limit=3&after=msg_3").await;
    assert_eq!((&rest["last_id"], &rest["has_more"]), (&"msg_0".into(), &false.into()));
    let (_, ascending) = page("?order=asc&limit=1").await;
    assert_eq!(ascending["first_id"], "msg_0");
    for bad in ["?limit=0", "?limit=x", "?order=up", "?after=msg_9"] {
        assert_eq!(page(bad).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn previous_response__chain__has_every_message() {
    let client = Client::new(agent_fn(|run: RunHandle| async move {
        let input = &run.request().input;
        let texts: Vec<_> = input.iter().map(agent_schemas::Message::full_text).collect();
        run.say(&texts.join("|"));
        Ok(())
    }));
    let said =
        |response: &Value| response["output"][0]["content"][0]["text"].as_str().expect("a text").to_owned();
    let first = client.create(r#"{"input":"a","user":"ann"}"#).await;
    let from = |previous: &Value, text: &str| {
        format!(r#"{{"input":"{text}","previous_response_id":"{}"}}"#, id(previous))
    };
    let second = client.create(&from(&first, "b")).await;
    assert_eq!((said(&second).as_str(), &second["previous_response_id"]), ("a|a|b", &first["id"]));
    let third = client.create(&from(&second, "c")).await;
    assert_eq!(said(&third), "a|a|b|a|a|b|c");
    let branch = client.create(&from(&first, "d")).await;
    assert_eq!(said(&branch), "a|a|d", "two may continue from the same one");
    let path = format!("/v1/responses/{}/input_items", id(&third));
    let (_, items) = client.json(Method::GET, &path, "").await;
    assert_eq!(items["data"].as_array().map(Vec::len), Some(1), "only the new message");
    let reference = format!(
        r#"{{"previous_response_id":"{}","input":[{{"type":"item_reference","id":"{}"}},{{"role":"user","content":"e"}}]}}"#,
        id(&first),
        first["output"][0]["id"].as_str().expect("an id"),
    );
    assert_eq!(said(&client.create(&reference).await), "a|a|e", "existing messages are not repeated");
}

#[tokio::test]
async fn previous_response__in_progress__is_refused() {
    let (client, _word) = waiting();
    let begun = client.create(r#"{"input":"hi","background":true}"#).await;
    let next = format!(r#"{{"input":"more","previous_response_id":"{}"}}"#, id(&begun));
    let (status, answer) = client.json(Method::POST, "/v1/responses", &next).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &"previous_response_in_progress".into()));
}

#[tokio::test]
async fn previous_response__cancelled__can_be_continued() {
    let (agent, runner) = is_cancelled(|run| run.say("done"));
    let app = app(agent);
    runner.set(app.runner().clone()).expect("set once");
    let client = Client::of(&app);
    let (status, stream) = client.call(Method::POST, "/v1/responses", super::app::STREAM).await;
    assert_eq!(status, StatusCode::OK);
    let response = check(&stream).expect("well-formed");
    let next = format!(r#"{{"input":"more","previous_response_id":"{}"}}"#, id(&response));
    assert_eq!(client.create(&next).await["previous_response_id"], response["id"]);
}
