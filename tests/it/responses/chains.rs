//! Long conversations over `previous_response_id`: their size in the store, and the effect of deleting a part.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use agent_runner::{Agent, RunHandle, Services, agent_fn};
use agent_schemas::{AgentRequest, Message, ProtocolData, RunId, SessionId, Status, UserId};
use agent_services::page::PageSize;
use agent_services::run::{Batch, Created, FinishRun, NewRun, OwnerId, RunFilter, RunRecord, fresh_id};
use axum::http::Method;
use serde_json::{Value, json};

use super::app::{Client, app, app_with};

const TURNS: usize = 20;

/// The size of the text of a turn.
const BYTES: usize = 200_000;

/// Text that does not compress well.
fn noise(turn: usize) -> String {
    let mut state = turn as u64 + 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + 2 + (state >> 33) as u8 % 57)
    };
    (0..BYTES).map(next).collect()
}

/// Answers with the number of messages, and of bytes of text.
fn counting() -> impl Agent {
    agent_fn(|run: RunHandle| async move {
        let texts = run.request().input.iter().map(Message::full_text);
        let bytes: usize = texts.map(|text| text.len()).sum();
        run.say(&format!("{} {bytes}", run.request().input.len()));
        Ok(())
    })
}

fn said(response: &Value) -> &str {
    response["output"][0]["content"][0]["text"].as_str().expect("a text")
}

fn id(response: &Value) -> &str {
    response["id"].as_str().expect("an id")
}

fn next(previous: &Value, input: &str) -> String {
    json!({ "input": input, "previous_response_id": id(previous) }).to_string()
}

/// A conversation of large turns; the last response.
async fn converse(client: &Client) -> Value {
    let mut last = client.create(&json!({ "input": noise(0), "user": "u" }).to_string()).await;
    for turn in 1..TURNS {
        last = client.create(&next(&last, &noise(turn))).await;
    }
    let (messages, bytes) = said(&last).split_once(' ').expect("two numbers");
    assert_eq!(messages, (2 * TURNS - 1).to_string());
    assert!(bytes.parse::<usize>().expect("a number") >= TURNS * BYTES, "the agent sees everything: {bytes}");
    last
}

/// The size of a user's requests and logs in bytes.
async fn stored_bytes(services: &Services) -> usize {
    let (runs, mut bytes) = (&services.runs, 0);
    let (user, size) = (UserId::new("u"), PageSize::new(100).expect("a size"));
    let page = runs.list(&user, &RunFilter::default(), None, size).await.expect("listed");
    assert_eq!(page.items.len(), TURNS);
    for record in page.items {
        bytes += serde_json::to_vec(&*record.request).expect("JSON").len();
        let log = runs.read(&record.id, 0, usize::MAX).await.expect("read").expect("a log");
        bytes += log.batches.iter().map(|batch| batch.frames.len()).sum::<usize>();
    }
    bytes
}

#[tokio::test]
async fn chain_of_large_turns__in_memory__stores_each_once() {
    let app = app(counting());
    converse(&Client::of(&app)).await;
    let bytes = stored_bytes(app.runner().services()).await;
    assert!(bytes < 5_000_000, "{bytes} bytes for {TURNS} turns of {BYTES}");
}

#[tokio::test]
async fn chain_of_large_turns__in_sqlite__stores_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let services = Services::open(&format!("sqlite:{}", folder.path().display())).expect("a place");
    services.start().await.expect("started");
    let app = app_with(counting(), services.clone());
    let client = Client::of(&app);
    let last = converse(&client).await;
    let again = client.create(&next(&last, "more")).await;
    assert_eq!(said(&again).split(' ').next(), Some("41"));
    services.stop().await.expect("stopped");
    let bytes = size_of(folder.path());
    assert!(bytes < 8_000_000, "{bytes} bytes for {TURNS} turns of {BYTES}");
}

fn size_of(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("a folder");
    files.map(|file| file.expect("a file").metadata().expect("known").len()).sum()
}

#[tokio::test]
async fn chain__part_of_it_deleted__says_which_part() {
    let client = Client::new(counting());
    let first = client.create(r#"{"input":"a"}"#).await;
    let second = client.create(&next(&first, "b")).await;
    let third = client.create(&next(&second, "c")).await;
    assert_eq!(client.json(Method::DELETE, &format!("/v1/responses/{}", id(&first)), "").await.0, 200);
    let (status, kept) = client.json(Method::GET, &format!("/v1/responses/{}", id(&third)), "").await;
    assert_eq!((status, &kept), (200, &third), "it stays readable itself");
    let (status, refused) = client.json(Method::POST, "/v1/responses", &next(&third, "d")).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &"previous_response_not_found".into()));
    let message = refused["error"]["message"].as_str().expect("a text");
    assert!(message.contains(id(&first)) && message.contains(id(&third)), "{message}");
    let (_, missing) = client.json(Method::POST, "/v1/responses", &next(&first, "d")).await;
    assert_eq!(missing["error"]["code"], "previous_response_not_found");
}

/// The format of older versions: the whole context in the input, and how much of it is not new in their own data.
#[tokio::test]
async fn response_of_an_older_version__is_read_and_continued() {
    let app = app(counting());
    let client = Client::of(&app);
    let services = app.runner().services();
    let user = UserId::new("u");
    let input = ["one", "two", "three"].map(Message::user).to_vec();
    let request = Arc::new(AgentRequest::new(input));
    let run = fresh_id(&*services.ids, &user);
    let mut record =
        RunRecord::new(run.clone(), user, SessionId::new("s"), "scripted", 1_800_000_000, request);
    let data = json!({ "previous": 2, "settings": { "model": "scripted" } }).to_string();
    record.options.protocol = Some(ProtocolData::new("openai.responses", data));
    create_ended(services, record).await;
    let old = json!({ "id": run.as_str().replace("run_", "resp_") });
    let (_, items) = client.json(Method::GET, &format!("/v1/responses/{}/input_items", id(&old)), "").await;
    assert_eq!(items["data"].as_array().map(Vec::len), Some(1), "{items}");
    let new = client.create(&next(&old, "four")).await;
    assert_eq!(said(&new), "5 23", "three messages, an answer, and a new message");
    let newer = client.create(&next(&new, "five")).await;
    assert!(said(&newer).starts_with("7 "), "{newer}");
    let record = services.runs.get(&RunId::new(id(&newer).replace("resp_", "run_"))).await;
    let record = record.expect("readable").expect("there");
    assert_eq!(record.request.input.len(), 1, "and the new one has links");
}

/// Stores an ended run with the answer `answered`.
async fn create_ended(services: &Services, record: RunRecord) {
    let (id, owner) = (record.id.clone(), OwnerId::new("old"));
    let created = services.runs.create(NewRun::new(record, Batch::empty(0), owner)).await.expect("made");
    let Created::Started(token) = created else { panic!("{created:?}") };
    let message = json!({
        "object": "message", "status": "completed", "id": "msg_old", "type": "message", "role": "assistant",
        "content": [{ "object": "content", "status": "completed", "type": "text", "delta": false, "text": "answered" }]
    });
    let response = json!({
        "sequence_number": 0, "object": "response", "status": "completed", "id": "response_1", "created_at": 1,
        "completed_at": 2, "output": [message]
    });
    let frames = format!("id: 0\ndata: {response}\n\n");
    let batch = Batch { first: 0, count: 1, frames: frames.into() };
    services.runs.finish(FinishRun::new(id, token, batch, Status::Completed)).await.expect("finished");
}
