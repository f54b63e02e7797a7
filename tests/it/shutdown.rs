//! Signals: running runs may end, new ones are rejected, and the shutdown always ends.

use agent_tests::client::{events, process};
use agent_tests::{Connection, Launch, Server, WaitingModel, within};
use rustix::process::Signal;

/// A server whose runs end when the model is released, with one run in progress.
async fn held(config: &str) -> (Server, WaitingModel, Connection) {
    let model = WaitingModel::start().await;
    let config = format!("{config}\n{}", model.config());
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&config);
    let server = launch.start().await;
    let mut stream = server.connect().await;
    stream.send(&process("hi", "")).await;
    assert_eq!(stream.head().await.status, 200);
    stream.until("\"text\":\"Hello, \"").await;
    (server, model, stream)
}

async fn shutting_down(server: &Server) -> u64 {
    let line = server.logged("the shutdown", |line| line["message"] == "shutting down").await;
    line["runs.active"].as_u64().expect("a number of runs")
}

async fn check_drain(signal: Signal) {
    let (mut server, model, mut stream) = held("").await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/readiness").await.status, 200);
    server.signal(signal);
    assert_eq!(shutting_down(&server).await, 1);
    // On existing and on new connections.
    assert_eq!(idle.get("/readiness").await.status, 503);
    assert_eq!(server.connect().await.get("/readiness").await.status, 503);
    let alive = server.connect().await.get("/health").await;
    assert_eq!((alive.status, alive.json()["runner"].as_str()), (200, Some("not_ready")));
    let refused = server.connect().await.process("new", "").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], "SHUTTING_DOWN");
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
    model.release();
    let rest = events(&stream.rest().await.expect("the running stream ends well"));
    let last = rest.last().expect("events");
    assert_eq!(last["status"], "completed", "{last}");
    assert_eq!(last["output"][0]["content"][0]["text"], "Hello, world!");
    let status = server.exit().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(!server.log().contains("panicked"));
}

#[tokio::test]
async fn sigterm__running_runs__complete() {
    check_drain(Signal::TERM).await;
}

#[tokio::test]
async fn sigint__running_runs__complete() {
    check_drain(Signal::INT).await;
}

#[tokio::test]
async fn shutdown__past_deadline__cancels_runs_and_ends_streams() {
    let (mut server, _model, mut stream) = held("drain_seconds = 1").await;
    server.signal(Signal::TERM);
    let rest = events(&stream.rest().await.expect("the stream ends with its final event"));
    let outline: Vec<_> =
        rest.iter().map(|event| (event["object"].as_str(), event["status"].as_str())).collect();
    let canceled = |object| (Some(object), Some("canceled"));
    assert_eq!(outline, [canceled("content"), canceled("message"), canceled("response")]);
    assert_eq!(rest[2]["output"][0]["content"][0]["text"], "Hello, ");
    assert_eq!(server.exit().await.code(), Some(0));
}

#[tokio::test]
async fn shutdown__client_not_reading__is_not_delayed() {
    let mut server = Launch::echo("drain_seconds = 1\n").start().await;
    let mut stuck = server.connect().await;
    // More than the sockets' buffers hold, so that the server waits for its client.
    let words = "word ".repeat(200_000);
    stuck.send(&process(&words, "")).await;
    stuck.head().await;
    let mut silent = server.connect().await;
    silent.send(b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{").await;
    let mut half = server.connect().await;
    half.send(b"GET /health HTT").await;
    server.signal(Signal::TERM);
    assert_eq!(server.exit().await.code(), Some(0));
}

#[tokio::test]
async fn shutdown__idle_server__is_immediate() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Launch::echo("").start().await;
        let mut idle = server.connect().await;
        idle.get("/health").await;
        server.signal(signal);
        assert_eq!(shutting_down(&server).await, 0);
        assert_eq!(server.exit().await.code(), Some(0));
        assert!(idle.everything().await.is_empty(), "the connection is closed");
    }
}

#[tokio::test]
async fn second_signal__during_the_drain__ends_the_server_at_once() {
    for (second, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (mut server, _model, stream) = held("").await;
        server.signal(Signal::TERM);
        assert_eq!(shutting_down(&server).await, 1);
        server.signal(second);
        // Its drain would take 15 seconds, because the model never continues.
        assert_eq!(server.exit().await.code(), Some(code));
        drop(stream);
    }
}

/// A server whose session `s` has a run in progress and a queued one, whose answer is a stream with a reader.
async fn with_a_waiting_run() -> (Server, WaitingModel, Connection, Connection) {
    let model = WaitingModel::start().await;
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config());
    let server = launch.start().await;
    let named = ",\"session_id\":\"s\",\"user_id\":\"u\"";
    let mut running = server.connect().await;
    running.send(&process("hi", named)).await;
    running.head().await;
    running.until("\"text\":\"Hello, \"").await;
    let mut waiting = server.connect().await;
    waiting.send(&process("and", named)).await;
    assert_eq!(waiting.head().await.status, 200);
    waiting.until("\"status\":\"created\"").await;
    (server, model, running, waiting)
}

#[tokio::test]
async fn stop__with_a_waiting_run_and_half_requests__ends_all_of_them_in_order() {
    let (mut server, model, mut running, mut waiting) = with_a_waiting_run().await;
    let mut whole = server.connect().await;
    whole.send(&process("whole", ",\"session_id\":\"s\",\"user_id\":\"u\",\"stream\":false")).await;
    let list = || async {
        let page = server.connect().await.get("/runs?user_id=u&status=queued").await.json();
        page["data"].as_array().map_or(0, Vec::len)
    };
    within("both runs to be queued", async { while list().await < 2 {} }).await;
    let mut half_head = server.connect().await;
    half_head.send(b"GET /health HTT").await;
    let mut half_body = server.connect().await;
    half_body.send(b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{").await;
    server.signal(Signal::TERM);
    assert_eq!(shutting_down(&server).await, 1);
    model.release();
    let rest = events(&running.rest().await.expect("the run in progress ends well"));
    assert_eq!(rest.last().expect("events")["status"], "completed");
    let rest = waiting.rest().await.expect("a stream that ends before its run does ends with a last chunk");
    assert!(rest.ends_with("connect again with Last-Event-ID\n\n"), "{rest}");
    for (mut connection, code) in [(whole, "SHUTTING_DOWN"), (half_body, "SHUTTING_DOWN")] {
        let refused = connection.answer().await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &code.into()), "{refused:?}");
        assert!(refused.header("retry-after").is_some());
    }
    assert!(half_head.everything().await.is_empty());
    assert_eq!(server.exit().await.code(), Some(0));
    assert!(!server.log().contains("did not end in time"), "{}", server.log());
}

#[tokio::test]
async fn stop__with_an_idle_websocket__closes_it() {
    let mut server = Launch::echo("").start().await;
    let mut socket = server.connect().await;
    socket
        .send(
            b"GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
              sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    assert_eq!(socket.head().await.status, 101);
    server.signal(Signal::TERM);
    let last = String::from_utf8_lossy(&socket.everything().await).into_owned();
    assert!(last.contains("the server is shutting down"), "{last:?}");
    assert_eq!(server.exit().await.code(), Some(0));
}
