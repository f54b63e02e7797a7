//! Clients that try to fill the server's memory.

use agent_tests::client::process;
use agent_tests::{Connection, Launch, Server, within};
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{check_has_room, serve, serve_slow};

/// The memory of the server's process, in MB.
fn resident(server: &Server) -> u64 {
    let path = format!("/proc/{}/status", server.id());
    let status = std::fs::read_to_string(path).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") / 1024
}

/// A connection of a client with small buffers for unread data.
async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    socket.connect(server.address()).await.expect("a connection")
}

async fn open_websocket(server: &Server) -> TcpStream {
    let mut stream = connect(server).await;
    let request = "GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}

/// Sends bytes again and again without reading, until the server disconnects.
async fn flood(mut stream: TcpStream, bytes: &[u8]) {
    within("the server to disconnect", async { while stream.write_all(bytes).await.is_ok() {} }).await;
}

/// A masked ping of maximum length.
fn ping() -> Vec<u8> {
    [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat()
}

#[tokio::test]
async fn flood__client_that_never_reads__is_disconnected_without_filling_memory() {
    let server = serve("[http]\nwrite_timeout_seconds = 1\n").await;
    let before = resident(&server);
    flood(open_websocket(&server).await, &ping().repeat(1000)).await;
    let pipelined = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1000);
    flood(connect(&server).await, &pipelined).await;
    let grown = resident(&server) - before;
    assert!(grown < 50, "the server's memory grew by {grown} MB");
    check_has_room(&server).await;
}

#[tokio::test]
async fn websocket__client_that_pauses_reading__receives_every_pong_and_is_served_on() {
    let server = serve("").await;
    let mut stream = open_websocket(&server).await;
    let count = 60_000;
    let (mut reading, mut writing) = stream.split();
    let pings = ping().repeat(count);
    // The server stops reading when its pongs have filled the sockets, and resumes when the client has read them.
    let sent = async { writing.write_all(&pings).await.expect("sent") };
    let received = async {
        let (mut head, mut payload, mut pongs) = ([0; 2], [0; 125], 0);
        while pongs < count {
            reading.read_exact(&mut head).await.expect("a frame");
            // The server's own pings have no payload.
            if head != [0x89, 0] {
                assert_eq!(head, [0x8a, 125]);
                reading.read_exact(&mut payload).await.expect("a payload");
                pongs += 1;
            }
        }
    };
    within("all pongs", async { tokio::join!(sent, received) }).await;
}

#[tokio::test]
async fn streams__unread__stay_under_300_mb_and_can_be_read_to_their_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Launch::echo("").data_dir(folder.path()).start().await;
    let words = format!("{} ", "x".repeat(39)).repeat(20_000);
    let mut streams = Vec::new();
    for number in 0..20 {
        let mut connection = server.connect().await;
        let text = format!("{number} {words}");
        connection.send(&process(&text, ",\"user_id\":\"u\"")).await;
        streams.push(connection);
    }
    for connection in &mut streams {
        assert_eq!(connection.head().await.status, 200);
    }
    let in_progress = "/runs?user_id=u&status=in_progress";
    within("the runs to end", async {
        while server.connect().await.get(in_progress).await.json()["data"] != json!([]) {}
    })
    .await;
    let peak = resident(&server);
    assert!(peak < 300, "the server takes {peak} MB");
    check_last(streams.swap_remove(7)).await;
    let peak = resident(&server);
    assert!(peak < 300, "the server takes {peak} MB");
}

/// Reads a stream to its end.
async fn check_last(mut stream: Connection) {
    let mut end = String::new();
    while let Some(chunk) = stream.chunk().await.expect("the stream continues") {
        // The last event repeats the text; its head is enough.
        if let Some(at) = chunk.rfind("\"object\":\"response\"") {
            end = chunk[at..].chars().take(60).collect();
        }
    }
    assert!(end.contains("\"status\":\"completed\""), "{end}");
}

#[tokio::test]
async fn websocket__no_memory_for_messages__is_told_which_setting() {
    let server = serve_slow("[http]\nbodies_bytes = 100000\n").await;
    let url = format!("ws://{}/v1/responses", server.address());
    let stream = TcpStream::connect(server.address()).await.expect("a connection");
    let (mut socket, _) = client_async(&url, stream).await.expect("it speaks WebSocket");
    let slow = json!({ "type": "response.create", "input": "a b" });
    socket.send(slow.to_string().into()).await.expect("sent");
    // Waiting ones count, and there is room for one of them.
    let large = json!({ "type": "response.create", "input": "x".repeat(60_000) }).to_string();
    for _ in 0..2 {
        socket.send(large.clone().into()).await.expect("sent");
    }
    assert_eq!(refusal(&mut socket).await, json!("bodies_limit_exceeded"));

    // An endless one counts from its first bytes on.
    let stream = TcpStream::connect(server.address()).await.expect("a connection");
    let (mut other, _) = client_async(&url, stream).await.expect("it speaks WebSocket");
    let piece = Frame::message(Bytes::from(vec![b' '; 120_000]), OpCode::Data(Data::Text), false);
    other.send(Message::Frame(piece)).await.expect("sent");
    assert_eq!(refusal(&mut other).await, json!("bodies_limit_exceeded"));
    drop((socket, other));
    within("the memory to be free again", async {
        while server.connect().await.process(&"x".repeat(60_000), "").await.status == 503 {}
    })
    .await;
    server.check_health().await;
}

/// The code of the first error, which names the setting.
async fn refusal(socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>) -> Value {
    within("an error", async {
        loop {
            let message = socket.next().await.expect("more").expect("readable");
            let Ok(event) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else {
                continue;
            };
            if event["type"] == "error" {
                let message = event["error"]["message"].as_str().expect("a message");
                assert!(message.contains("http.bodies_bytes"), "{message}");
                return event["error"]["code"].clone();
            }
        }
    })
    .await
}

#[tokio::test]
async fn clients__at_fault__are_not_logged_as_errors() {
    let server =
        serve("[http]\nread_timeout_seconds = 1\nheader_timeout_seconds = 1\nbody_limit_bytes = 1000\n")
            .await;
    let bad: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nhost: lo",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
        b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{",
        b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n{",
        b"POST /process HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ];
    for bytes in bad {
        let mut connection = server.connect().await;
        connection.send(bytes).await;
        connection.finish().await;
        connection.everything().await;
    }
    let mut socket = open_websocket(&server).await;
    socket.write_all(b"no frame at all").await.expect("sent");
    let mut rest = Vec::new();
    let _ = within("the end", socket.read_to_end(&mut rest)).await;
    // A reader of a log that is no longer kept, an id that is too long, and a client that resets its connection.
    let run = server.connect().await.process("hi", ",\"stream\":false").await;
    let id = run.header("x-run-id").expect("an id").to_owned();
    let long = format!("/sessions?user_id={}", "u".repeat(20_000));
    assert_eq!(server.connect().await.get(&long).await.status, 400);
    assert_eq!(server.connect().await.call("DELETE", &format!("/runs/{id}"), None).await.status, 204);
    assert_eq!(server.connect().await.get(&format!("/runs/{id}/events")).await.status, 404);
    let body = format!(",\"session_id\":\"{}\"", "s".repeat(900));
    assert_eq!(server.connect().await.process("hi", &body).await.status, 200);
    let mut gone = server.connect().await;
    gone.send(&process("first second", ",\"delay_ms\":60000")).await.head().await;
    drop(gone);
    server.logged("the client's line", |line| line["client_gone"] == true).await;
    let log = server.log();
    let errors: Vec<_> = log.lines().filter(|line| line.contains("\"ERROR\"")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    server.check_health().await;
}
