//! A server that answers with any bytes that a test provides.

use std::fmt::Write as _;

use agent_tests::server::Ended;
use agent_tests::within;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::program::Program;

/// How a stream ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// According to HTTP.
    Whole,
    /// In the middle of the next chunk.
    Cut,
}

/// Events as in a stream.
pub(crate) fn stream(events: &[Value]) -> String {
    events.iter().fold(String::new(), |mut stream, event| {
        let _ = write!(stream, "data: {event}\n\n");
        stream
    })
}

/// Runs a program against a server that answers with these pieces of a stream.
pub(crate) async fn replay<'a>(program: &Program, pieces: impl Iterator<Item = &'a [u8]>, end: End) -> Ended {
    let mut answer =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for piece in pieces {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(if end == End::Whole { b"0\r\n\r\n" } else { b"ff\r\ndata: {" });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = format!("http://{}", listener.local_addr().expect("it is bound"));
    let arguments = [server.as_str(), "What?"];
    let options = format!("--require=\"{}/consumers/split.cjs\"", env!("CARGO_MANIFEST_DIR"));
    let environment = [("NODE_OPTIONS", options.as_str())];
    let run = program.run_with(&environment, &arguments);
    let (ended, ()) = tokio::join!(run, answer_once(listener, &answer));
    ended
}

async fn answer_once(listener: TcpListener, answer: &[u8]) {
    let (stream, _) = within("the program to connect", listener.accept()).await.expect("accepted");
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    // The request is read to its end; otherwise, closing the connection would reset it, and the answer would be lost.
    while within("a request", stream.read_line(&mut line)).await.expect("readable") > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    within("its body", stream.read_exact(&mut vec![0; length])).await.expect("readable");
    // A program that has seen enough may have exited.
    let _ = within("the program to read", stream.write_all(answer)).await;
    let _ = stream.shutdown().await;
}
