//! Streams: clients that disconnect, silent streams, and very many streams.

use std::sync::Arc;

use agent_tests::client::{events, process};
use agent_tests::{Connection, Launch, Server, pause, raise_open_files, within};
use rustix::process::Signal;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// The first word comes at once, each of the others after a minute: longer than any test waits.
const SLOW: &str = ",\"delay_ms\":60000";

/// Starts a run that writes its first word and then waits.
async fn begin(server: &Server, fields: &str) -> Connection {
    let mut connection = server.connect().await;
    connection.send(&process("first second third fourth", &format!("{SLOW}{fields}"))).await;
    assert_eq!(connection.head().await.status, 200);
    connection.until("\"text\":\"first \"").await;
    connection
}

async fn noticed_gone(server: &Server) {
    server.logged("the line of a client that went away", |line| line["client_gone"] == true).await;
}

#[tokio::test]
async fn client_disconnect__cancels_the_run() {
    let server =
        Launch::echo("[runs]\nmax_runs = 1\nmax_waiting = 0\ndisconnect_grace_seconds = 0\n").start().await;
    let gone = begin(&server, "").await;
    let refused = server.connect().await.process("no", "").await;
    assert_eq!(refused.status, 429);
    drop(gone);
    noticed_gone(&server).await;
    within("the next run to be admitted", async {
        while server.connect().await.process("yes", "").await.status == 429 {
            pause().await;
        }
    })
    .await;
    server.check_health().await;
}

#[tokio::test]
async fn client_disconnect__continue_option__run_continues() {
    let server = Launch::echo("drain_seconds = 0\n[runs]\nmax_runs = 1\nmax_waiting = 0\n");
    let mut server = server.start().await;
    let gone = begin(&server, ",\"on_disconnect\":\"continue\"").await;
    drop(gone);
    noticed_gone(&server).await;
    assert_eq!(server.connect().await.process("no", "").await.status, 429, "it still runs");
    server.signal(Signal::TERM);
    let line = |text: &'static str| move |line: &serde_json::Value| line["message"] == text;
    let late = line("the drain deadline has passed; cancelling the remaining runs");
    assert_eq!(server.logged("the run to outlive the drain", late).await["runs.active"], 1);
    assert!(server.exit().await.success());
}

#[tokio::test]
async fn client_disconnect__config__is_overridden_by_request() {
    let limits = "max_runs = 1\nmax_waiting = 0\ndisconnect_grace_seconds = 0\n";
    let server = Launch::echo(&format!("[runs]\n{limits}on_disconnect = \"continue\"\n")).start().await;
    drop(begin(&server, ",\"on_disconnect\":\"cancel\"").await);
    within("the next run to be admitted", async {
        while server.connect().await.process("yes", "").await.status == 429 {
            pause().await;
        }
    })
    .await;
    drop(begin(&server, "").await);
    noticed_gone(&server).await;
    assert_eq!(server.connect().await.process("no", "").await.status, 429, "it still runs");
}

#[tokio::test]
async fn idle_stream__sends_heartbeats() {
    let server = Launch::echo("[http]\nheartbeat_seconds = 1\n").start().await;
    let mut connection = begin(&server, "").await;
    for _ in 0..2 {
        let seen = connection.until(": heartbeat\n\n").await;
        assert_eq!(seen, ": heartbeat\n\n", "nothing else comes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams__two_thousand_slow__all_complete() {
    const STREAMS: usize = 2000;
    raise_open_files(STREAMS as u64 + 200);
    let server = Launch::echo("[log]\nlevel = \"warn\"\n").start().await;
    let together = Arc::new(Barrier::new(STREAMS));
    let mut clients = JoinSet::new();
    for number in 0..STREAMS {
        let (address, together) = (server.address(), Arc::clone(&together));
        clients.spawn(async move {
            let mut connection = Connection::open(address).await;
            within("all to be connected", together.wait()).await;
            let text = format!("{number} one two three four five six seven eight nine");
            connection.send(&process(&text, ",\"delay_ms\":200")).await;
            assert_eq!(connection.head().await.status, 200);
            let stream = connection.rest().await.expect("the stream ends well");
            let events = events(&stream);
            let last = events.last().expect("events");
            assert_eq!(last["status"], "completed");
            assert_eq!(last["output"][0]["content"][0]["text"], text);
            assert_eq!(last["sequence_number"], events.len() - 1);
            events.len()
        });
    }
    let mut ended = 0;
    while let Some(count) = clients.join_next().await {
        assert_eq!(count.expect("no client fails"), 16);
        ended += 1;
    }
    assert_eq!(ended, STREAMS);
    server.check_health().await;
}

#[tokio::test]
async fn open_files__low_soft_limit__is_raised() {
    const STREAMS: usize = 400;
    raise_open_files(STREAMS as u64 + 200);
    let server = Launch::echo("").shell("ulimit -S -n 256").start().await;
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        open.push(begin(&server, "").await);
    }
    server.check_health().await;
}

#[tokio::test]
async fn client__not_reading__is_disconnected() {
    let server = Launch::echo("[http]\nwrite_timeout_seconds = 1\n").start().await;
    let mut connection = server.connect().await;
    // Several times more than the sockets' buffers hold.
    connection.send(&process(&"word ".repeat(200_000), "")).await;
    noticed_gone(&server).await;
    server.check_health().await;
}
