//! Runs by their ids: resumed after a cut, taken over after a kill, queued in a session, cancelled.

mod command;

use std::path::Path;

use agent_tests::client::process;
use agent_tests::redis::RedisServer;
use agent_tests::store::noise;
use agent_tests::{Answer, Connection, Launch, Server, pause, rounds, within};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};

/// Eight words.
const WORDS: &str = "one two three four five six seven eight";

/// The number of events of an echo of them.
const EVENTS: usize = 14;

/// A dead process's lease expires after a second.
const SHORT_LEASE: &str = "[runs]\nlease_seconds = 1\n";

fn on_disk(config: &str, folder: &Path) -> Launch {
    Launch::echo(config).data_dir(folder)
}

fn on_redis(config: &str, redis: &RedisServer) -> Launch {
    Launch::echo(config).arguments(&["--store", &redis.url()]).without_data_settings()
}

/// The complete events of a stream with their ids, as sent.
fn frames(stream: &str) -> Vec<String> {
    let end = stream.rfind("\n\n").map_or(0, |end| end + 2);
    stream[..end].split("\n\n").filter(|frame| frame.starts_with("id: ")).map(str::to_owned).collect()
}

fn id_of(frame: &str) -> &str {
    frame.lines().next().and_then(|line| line.strip_prefix("id: ")).expect("an id")
}

fn event_of(frame: &str) -> Value {
    let json = frame.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    serde_json::from_str(json).expect("events are JSON")
}

/// Whether an event is the last one of its run.
fn is_terminal(frame: &str) -> bool {
    let event = event_of(frame);
    let is_end =
        |status: &str| ["completed", "incomplete", "failed", "canceled", "rejected"].contains(&status);
    event["object"] == "response" && event["status"].as_str().is_some_and(is_end)
}

/// Starts a run whose stream is read; returns its id.
async fn begin(server: &Server, fields: &str) -> (Connection, String) {
    let mut connection = server.connect().await;
    connection.send(&process(WORDS, fields)).await;
    let head = connection.head().await;
    assert_eq!(head.status, 200, "{head:?}");
    let id = head.header("x-run-id").expect("the run's id").to_owned();
    (connection, id)
}

/// Reads this many events, or all if there are fewer, and then disconnects; returns them.
async fn read(mut connection: Connection, count: usize) -> Vec<String> {
    let mut seen = String::new();
    while frames(&seen).len() < count
        && let Some(chunk) = connection.chunk().await.expect("the stream continues")
    {
        seen += &chunk;
    }
    let mut events = frames(&seen);
    events.truncate(count);
    events
}

async fn asked_for_events(server: &Server, id: &str, after: Option<&str>) -> Connection {
    let mut connection = server.connect().await;
    let position = after.map(|after| format!("last-event-id: {after}\r\n")).unwrap_or_default();
    let request = format!("GET /runs/{id}/events HTTP/1.1\r\nhost: localhost\r\n{position}\r\n");
    connection.send(request.as_bytes()).await;
    connection
}

/// The run's log from its beginning, or from after an event, to its end.
async fn log(server: &Server, id: &str, after: Option<&str>) -> Vec<String> {
    let answer = asked_for_events(server, id, after).await.answer().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    frames(&answer.body)
}

async fn info(server: &Server, id: &str) -> Value {
    let answer = server.connect().await.get(&format!("/runs/{id}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn request(text: &str, more: &Value) -> Value {
    let mut body = json!({ "input": [{ "role": "user", "content": [{ "type": "text", "text": text }] }] });
    let fields = more.as_object().expect("fields").clone();
    body.as_object_mut().expect("an object").extend(fields);
    body
}

/// Starts a background run.
async fn start(server: &Server, text: &str, more: &Value) -> Answer {
    server.connect().await.call("POST", "/runs", Some(&request(text, more))).await
}

async fn started(server: &Server, text: &str, more: &Value) -> String {
    let answer = start(server, text, more).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn cancel(server: &Server, id: &str) {
    let answer = server.connect().await.call("POST", &format!("/runs/{id}/cancel"), None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The messages in the session `s` of the user `u`, one line each.
async fn said(server: &Server, session: &str) -> Vec<String> {
    let page = server.connect().await.get(&format!("/sessions/{session}/messages?user_id=u")).await.json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line =
        |message: &Value| format!("{}: {}", text(&message["role"]), text(&message["content"][0]["text"]));
    page["data"].as_array().expect("messages").iter().map(line).collect()
}

/// Cuts a stream after each of its events and resumes it from `second`.
async fn cut_everywhere(first: &Server, second: &Server) {
    for count in 1..=EVENTS {
        let fields = format!(",\"delay_ms\":20,\"session_id\":\"cut-{count}\",\"user_id\":\"u\"");
        let (connection, id) = begin(first, &fields).await;
        let mut all = read(connection, count).await;
        let last = all.last().map(|frame| id_of(frame).to_owned());
        let rest = log(second, &id, last.as_deref()).await;
        assert_eq!(all.len() + rest.len(), EVENTS, "cut after {count}: {all:#?} {rest:#?}");
        all.extend(rest);
        for server in [first, second] {
            assert_eq!(all, log(server, &id, None).await, "cut after {count}");
        }
        let numbers: Vec<String> = (0..EVENTS).map(|number| number.to_string()).collect();
        assert_eq!(all.iter().map(|frame| id_of(frame)).collect::<Vec<_>>(), numbers);
        assert_eq!(info(second, &id).await["status"], "completed");
    }
    first.check_health().await;
    second.check_health().await;
}

#[tokio::test]
async fn stream__cut_anywhere__resumes_from_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = on_disk("", folder.path()).start().await;
    cut_everywhere(&server, &server).await;
}

#[tokio::test]
async fn stream__cut_anywhere__resumes_at_other_replica() {
    let redis = RedisServer::start().expect("a Redis server");
    let first = on_redis("", &redis).start().await;
    let second = on_redis("", &redis).start().await;
    cut_everywhere(&first, &second).await;
}

/// Checks a run whose process was killed after these events had been seen.
async fn check_taken_over(server: &Server, id: &str, session: &str, seen: &[String]) {
    let all = log(server, id, None).await;
    assert_eq!(all.get(..seen.len()), Some(seen), "the events seen are still there: {all:#?}");
    let ends = all.iter().filter(|frame| is_terminal(frame)).count();
    assert_eq!(ends, 1, "one end: {all:#?}");
    let last = all.last().expect("events");
    assert!(is_terminal(last), "{last}");
    let info = info(server, id).await;
    let status = info["status"].as_str().expect("a status");
    assert!(["completed", "incomplete"].contains(&status), "{info}");
    assert_eq!(event_of(last)["status"], info["status"]);
    assert_eq!(info["events"], all.len());
    for (number, frame) in all.iter().enumerate() {
        assert_eq!(event_of(frame)["sequence_number"], number, "{frame}");
        let (own, rest) = (id_of(frame), all.get(number + 1..).unwrap_or_default());
        assert_eq!(own.split('.').next(), Some(number.to_string().as_str()));
        if number % 5 == 0 {
            assert_eq!(log(server, id, Some(own)).await, rest, "read on after {own}");
        }
    }
    let said = said(server, session).await;
    let asked = said.iter().filter(|line| line.starts_with("user: ")).count();
    assert_eq!(asked, 1, "{said:?}");
    if status == "completed" {
        // Text that was cut off and then repeated is not part of the conversation.
        assert_eq!(said, [format!("user: {WORDS}"), format!("assistant: {WORDS}")]);
    }
}

fn taken(round: usize) -> (usize, String, String) {
    let count = usize::try_from(noise(round as u64)).unwrap_or(round) % (EVENTS - 1) + 1;
    let session = format!("killed-{round}");
    let fields = format!(",\"delay_ms\":20,\"session_id\":\"{session}\",\"user_id\":\"u\"");
    (count, session, fields)
}

#[tokio::test]
async fn killed_server__restarted_on_sqlite__continues_its_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = on_disk(SHORT_LEASE, folder.path()).start().await;
    for round in 0..rounds(3) {
        let (count, session, fields) = taken(round);
        let (connection, id) = begin(&server, &fields).await;
        let mut seen = read(connection, count).await;
        server.signal(Signal::KILL);
        server.exit().await;
        server = on_disk(SHORT_LEASE, folder.path()).start().await;
        if round % 2 == 1 {
            // Again, in the middle of the second attempt.
            let mut connection = asked_for_events(&server, &id, None).await;
            assert_eq!(connection.head().await.status, 200);
            seen = read(connection, count + 5).await;
            server.signal(Signal::KILL);
            server.exit().await;
            server = on_disk(SHORT_LEASE, folder.path()).start().await;
        }
        check_taken_over(&server, &id, &session, &seen).await;
    }
    server.check_health().await;
}

#[tokio::test]
async fn killed_replica__another__continues_its_runs() {
    let redis = RedisServer::start().expect("a Redis server");
    let mut first = on_redis(SHORT_LEASE, &redis).start().await;
    let second = on_redis(SHORT_LEASE, &redis).start().await;
    for round in 0..rounds(3) {
        let (count, session, fields) = taken(round);
        let (connection, id) = begin(&first, &fields).await;
        let mut seen = read(connection, count).await;
        let last = seen.last().map(|frame| id_of(frame).to_owned());
        let mut across = asked_for_events(&second, &id, last.as_deref()).await;
        let head = across.head().await;
        assert_eq!(head.status, 200, "{head:?}");
        first.signal(Signal::KILL);
        first.exit().await;
        // This reader sees the takeover.
        seen.extend(frames(&across.rest().await.expect("the stream ends well")));
        assert_eq!(seen, log(&second, &id, None).await, "no gap and no repeat across the takeover");
        check_taken_over(&second, &id, &session, &seen).await;
        first = on_redis(SHORT_LEASE, &redis).start().await;
    }
    second.check_health().await;
}

/// Three concurrent requests in one session, to the `servers` in turn.
async fn take_turns(servers: &[&Server]) {
    let more = json!({ "delay_ms": 20, "session_id": "turns", "user_id": "u" });
    let texts = ["a a a a", "b b b b", "c c c c"];
    let starts = texts.iter().zip(servers.iter().cycle()).map(|(text, server)| started(server, text, &more));
    let ids = join_all(starts).await;
    let page = servers[0].connect().await.get("/runs?user_id=u&session_id=turns").await.json();
    let mut accepted: Vec<&str> =
        page["data"].as_array().expect("runs").iter().filter_map(|run| run["id"].as_str()).collect();
    accepted.reverse();
    assert_eq!(accepted.len(), 3, "{page}");
    let mut expected = Vec::new();
    for id in &accepted {
        let text = texts[ids.iter().position(|known| known == id).expect("one of them")];
        expected.extend([format!("user: {text}"), format!("assistant: {text}")]);
    }
    let statuses = || async {
        let page = servers[0].connect().await.get("/runs?user_id=u&session_id=turns").await.json();
        let runs = page["data"].as_array().expect("runs").clone();
        runs.iter().rev().map(|run| run["status"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    within("the runs to end", async {
        loop {
            let now = statuses().await;
            let place = |status: &str| match status {
                "completed" => 0,
                "in_progress" => 1,
                "queued" => 2,
                other => panic!("{other}"),
            };
            let places: Vec<u32> = now.iter().map(|status| place(status)).collect();
            assert!(places.is_sorted(), "in their order: {now:?}");
            assert!(places.iter().filter(|place| **place == 1).count() <= 1, "one at a time: {now:?}");
            if places == [0, 0, 0] {
                return;
            }
            pause().await;
        }
    })
    .await;
    assert_eq!(said(servers[0], "turns").await, expected);
}

#[tokio::test]
async fn session__concurrent_runs_on_sqlite__take_turns() {
    let folder = tempfile::tempdir().expect("a folder");
    take_turns(&[&on_disk("", folder.path()).start().await]).await;
}

#[tokio::test]
async fn session__concurrent_runs_on_replicas__take_turns() {
    let redis = RedisServer::start().expect("a Redis server");
    take_turns(&[&on_redis("", &redis).start().await, &on_redis("", &redis).start().await]).await;
}

#[tokio::test]
async fn busy_session__reject_policy__is_refused() {
    let server = Launch::echo("").start().await;
    let more = json!({ "delay_ms": 60000, "session_id": "s", "user_id": "u" });
    let id = started(&server, WORDS, &more).await;
    let more = json!({ "session_policy": "reject", "session_id": "s", "user_id": "u" });
    let refused = start(&server, "no", &more).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (409, &json!("SESSION_BUSY")));
    cancel(&server, &id).await;
    log(&server, &id, None).await;
    started(&server, "yes", &more).await;
}

async fn with_key(server: &Server, key: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let length = body.len();
    let head = "POST /runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let request = format!("{head}idempotency-key: {key}\r\ncontent-length: {length}\r\n\r\n{body}");
    server.connect().await.send(request.as_bytes()).await.answer().await
}

#[tokio::test]
async fn idempotency_key__repeated_on_other_replica__is_one_run() {
    let redis = RedisServer::start().expect("a Redis server");
    let first = on_redis("", &redis).start().await;
    let second = on_redis("", &redis).start().await;
    for (key, more) in [
        ("k", json!({ "session_id": "s", "user_id": "u" })),
        ("l", json!({ "user_id": "u" })),
        ("m", json!({})),
    ] {
        let body = request(WORDS, &more);
        let once = with_key(&first, key, &body).await;
        assert_eq!(once.status, 202, "{once:?}");
        for server in [&first, &second] {
            let again = with_key(server, key, &body).await;
            assert_eq!(again.status, 202, "{again:?}");
            assert_eq!(again.json()["id"], once.json()["id"]);
            let other = with_key(server, key, &request("other", &more)).await;
            assert_eq!(
                (other.status, &other.json()["error"]["code"]),
                (422, &json!("IDEMPOTENCY_KEY_REUSED"))
            );
        }
    }
    let page = first.connect().await.get("/runs?user_id=u").await.json();
    assert_eq!(page["data"].as_array().map(Vec::len), Some(2), "{page}");
}

#[tokio::test]
async fn cancel__other_replica__ends_the_run() {
    let redis = RedisServer::start().expect("a Redis server");
    let first = on_redis("", &redis).start().await;
    let second = on_redis("", &redis).start().await;
    let (mut connection, id) = begin(&first, ",\"delay_ms\":60000").await;
    cancel(&second, &id).await;
    let stream = frames(&connection.rest().await.expect("the stream ends well"));
    let last = stream.last().expect("events");
    assert!(is_terminal(last) && event_of(last)["status"] == "canceled", "{last}");
    for server in [&first, &second] {
        assert_eq!(log(server, &id, None).await, stream);
        assert_eq!(info(server, &id).await["status"], "canceled");
    }
}

async fn cancel_one_that_waits(first: &Server, second: &Server) {
    let more = |delay: u64| json!({ "delay_ms": delay, "session_id": "s", "user_id": "u" });
    let slow = started(first, "slow one", &more(60000)).await;
    let waiting = started(first, "never said", &more(0)).await;
    let next = started(first, "said", &more(0)).await;
    assert_eq!(info(second, &waiting).await["status"], "queued");
    cancel(second, &waiting).await;
    let ended = log(second, &waiting, None).await;
    assert_eq!(ended.iter().filter(|frame| is_terminal(frame)).count(), 1, "{ended:#?}");
    assert_eq!(info(first, &waiting).await["status"], "canceled");
    assert_eq!(info(first, &slow).await["status"], "in_progress", "the others go on");
    assert_eq!(info(first, &next).await["status"], "queued");
    cancel(second, &slow).await;
    log(first, &next, None).await;
    assert_eq!(info(second, &next).await["status"], "completed");
    assert_eq!(info(second, &slow).await["status"], "canceled");
    let said = said(second, "s").await;
    assert!(said.ends_with(&["user: said".to_owned(), "assistant: said".to_owned()]), "{said:?}");
    first.check_health().await;
    second.check_health().await;
}

#[tokio::test]
async fn cancel__waiting_run_on_sqlite__ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = on_disk("", folder.path()).start().await;
    cancel_one_that_waits(&server, &server).await;
}

#[tokio::test]
async fn cancel__waiting_run_on_other_replica__ends_it() {
    let redis = RedisServer::start().expect("a Redis server");
    let first = on_redis("", &redis).start().await;
    let second = on_redis("", &redis).start().await;
    cancel_one_that_waits(&first, &second).await;
}

#[tokio::test]
async fn invalid_position_or_unknown_run__is_refused() {
    let server = Launch::echo("").start().await;
    let body = request("no", &json!({})).to_string();
    for path in ["/process", "/runs"] {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        let asked = format!("{head}last-event-id: 3\r\ncontent-length: {length}\r\n\r\n{body}");
        let refused = server.connect().await.send(asked.as_bytes()).await.answer().await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("INVALID_PARAMETER")));
    }
    let body = request("no", &json!({ "user_id": "nobody" })).to_string();
    let length = body.len();
    let head = "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nidempotency-key: gone\r\n";
    let asked = format!("{head}last-event-id: 3\r\ncontent-length: {length}\r\n\r\n{body}");
    let refused = server.connect().await.send(asked.as_bytes()).await.answer().await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (410, &json!("RUN_GONE")));
    let page = server.connect().await.get("/runs?user_id=nobody").await.json();
    assert_eq!(page["data"], json!([]), "nothing was started");
    for (method, path) in
        [("GET", "/runs/x"), ("GET", "/runs/x/events"), ("POST", "/runs/x/cancel"), ("DELETE", "/runs/x")]
    {
        let unknown = server.connect().await.call(method, path, None).await;
        assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("RESOURCE_NOT_FOUND")));
    }
    let id = started(&server, WORDS, &json!({})).await;
    assert_eq!(log(&server, &id, None).await.len(), EVENTS);
    let end = (EVENTS - 1).to_string();
    assert_eq!(log(&server, &id, Some(&end)).await, [""; 0], "nothing follows the end");
    for (position, status) in
        [("14", 410), ("3.2", 410), ("99999", 410), ("-1", 400), ("3.1", 400), ("x", 400)]
    {
        let refused = asked_for_events(&server, &id, Some(position)).await.answer().await;
        assert_eq!(refused.status, status, "{position}: {refused:?}");
    }
    server.check_health().await;
}
