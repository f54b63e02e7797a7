//! Calls that are cut off, cancelled or watched.

use agent_tests::mcp::McpClient;
use agent_tests::{Launch, Server, WaitingModel, within};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{call, clients, with_progress};

#[tokio::test]
async fn stream__cut_off__continues_after_the_last_event() {
    let server = Launch::echo("[agents.echo]\nkind = 'echo'\nyielding = true\n").start().await;
    let mut client = McpClient::with_session(server.address(), json!({})).await;
    let text = "a word and more ".repeat(200);
    let whole = collect(&mut client, with_progress(call(&text)), usize::MAX).await;
    assert!(whole.len() > 10, "{} messages", whole.len());
    for cut in [0, 1, 5, whole.len() - 1] {
        let again = collect(&mut client, with_progress(call(&text)), cut).await;
        let told = |messages: &[Value]| {
            messages.iter().map(|message| message["params"]["message"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(told(&again), told(&whole), "cut after {cut}");
    }
    client.check();
}

/// The messages of a call whose stream is cut off after some, and continued.
async fn collect(client: &mut McpClient, params: Value, cut: usize) -> Vec<Value> {
    let mut stream = client.request("tools/call", params).await.stream();
    let mut messages = Vec::new();
    loop {
        if messages.len() == cut && stream.last_event_id.is_some() {
            let closed = stream.close(client);
            stream = client.listen(Some(&closed)).await.expect("the stream continues");
        }
        let Some(message) = stream.next(client).await else { return messages };
        messages.push(message);
    }
}

#[tokio::test]
async fn call__server_killed__continues_on_the_next_one() {
    let (model, folder) = (WaitingModel::start().await, tempfile::tempdir().expect("a folder"));
    let config = format!("{}[runs]\nlease_seconds = 1\n", model.config());
    let launch = || Launch::bare(&["--port", "0"]).config(&config).data_dir(folder.path());
    let server = launch().start().await;
    let mut client = McpClient::with_session(server.address(), json!({})).await;
    let held = json!({ "name": "held", "arguments": { "message": "hi" } });
    let mut stream = client.request("tools/call", with_progress(held)).await.stream();
    // The event without a message comes at once.
    let read = async {
        while stream.last_event_id.is_none() {
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(10), stream.next(&mut client)).await;
        }
    };
    within("the beginning of the stream", read).await;
    server.signal(Signal::KILL);
    drop(server);
    let closed = stream.close(&mut client);
    let server = launch().start().await;
    let mut client = client.moved_to(server.address());
    let mut stream = client.listen(Some(&closed)).await.expect("the session and the stream still exist");
    model.release();
    let mut last = Value::Null;
    while let Some(message) = stream.next(&mut client).await {
        last = message;
    }
    // The agent starts over, as no message was complete.
    assert_eq!(last["result"]["content"][0]["text"], "Hello, world!", "{last}");
    client.check();
}

#[tokio::test]
async fn call__cancelled__ends_its_run() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    let held = |user: &str| {
        let meta = json!({ "progressToken": "p", "agent-server/user_id": user });
        json!({ "name": "held", "arguments": { "message": "hi" }, "_meta": meta })
    };
    let [mut with_session, mut stateless] = clients(&server).await;
    // With a session, a notification cancels; closing the stream does not.
    let stream = with_session.request("tools/call", held("ann")).await.stream();
    let run = run_of(&server, "ann").await;
    with_session.notify("notifications/cancelled", json!({ "requestId": 2 })).await;
    ended_as(&server, &run, "canceled").await;
    drop(stream.close(&mut with_session));
    with_session.check();
    // Without one, closing the stream cancels.
    let stream = stateless.request("tools/call", held("bob")).await.stream();
    let run = run_of(&server, "bob").await;
    drop(stream.close(&mut stateless));
    ended_as(&server, &run, "canceled").await;
    stateless.check();
}

/// Waits for a user's run that is in progress.
async fn run_of(server: &Server, user: &str) -> String {
    let path = format!("/runs?user_id={user}&status=in_progress");
    let find = async {
        loop {
            let runs = server.connect().await.get(&path).await.json();
            if let Some(id) = runs["data"][0]["id"].as_str() {
                return id.to_owned();
            }
        }
    };
    within("a run", find).await
}

async fn ended_as(server: &Server, run: &str, status: &str) {
    let path = format!("/runs/{run}");
    let wait = async { while server.connect().await.get(&path).await.json()["status"] != status {} };
    within(status, wait).await;
}

#[tokio::test]
async fn watched_run__grows__is_announced() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    let body = json!({ "input": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] });
    let started = server.connect().await.call("POST", "/runs", Some(&body)).await.json();
    let uri = format!("run://{}", started["id"].as_str().expect("an id"));
    let [mut with_session, mut stateless] = clients(&server).await;
    with_session.result("resources/subscribe", json!({ "uri": uri })).await;
    let mut listening = with_session.listen(None).await.expect("a stream");
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": [uri, "docs://none"] });
    let mut stream =
        stateless.request("subscriptions/listen", json!({ "notifications": wanted })).await.stream();
    let first = stream.next(&mut stateless).await.expect("an acknowledgement");
    assert_eq!(first["params"]["notifications"], json!({ "resourceSubscriptions": [uri] }));
    model.release();
    for (stream, client) in [(&mut listening, &mut with_session), (&mut stream, &mut stateless)] {
        let update = stream.next(client).await.expect("an update");
        assert_eq!(update["params"]["uri"], json!(uri));
    }
    drop(stream.close(&mut stateless));
    with_session.result("resources/unsubscribe", json!({ "uri": uri })).await;
    with_session.check();
    stateless.check();
}
