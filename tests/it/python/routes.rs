//! Routes of a script's own, behind the server's limits.

use agent_tests::{Server, within};
use rustix::process::Signal;
use serde_json::json;

use super::{ask, launch, process, request, script};

async fn start() -> Server {
    let server = launch(script("routes.py").to_str().expect("UTF-8"));
    server.environment("AGENT_SERVER_HTTP_BODY_LIMIT_BYTES", "1000").start().await
}

#[tokio::test]
async fn path__that_the_server_lacks__is_the_scripts() {
    let server = start().await;
    let answer = server.connect().await.call("PUT", "/a%20b?c=d", Some(&json!("é"))).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "PUT /a b?c=d 4"));
    assert!(answer.header("x-request-id").is_some());
    // The server's own routes stay its own.
    let health = server.connect().await.get("/health").await;
    assert_eq!(health.json()["status"], "healthy");
    assert_eq!(server.connect().await.get("/process").await.status, 405);
    assert_eq!(ask(&server, "echo", "hi").await, "hi");
}

#[tokio::test]
async fn run__of_any_protocol__knows_its_request() {
    let server = start().await;
    let input = r#"[{"role":"user","content":[{"type":"text","text":"hi"}]}]"#;
    for (path, body) in [
        ("/process", format!(r#"{{"model":"told","input":{input},"stream":false}}"#)),
        ("/v1/responses", r#"{"model":"told","input":"hi"}"#.to_owned()),
        ("/v1/chat/completions", format!(r#"{{"model":"told","messages":{input}}}"#)),
    ] {
        let mut client = server.connect().await;
        let head = format!(
            "POST {path}?a=1 HTTP/1.1\r\nHost: localhost\r\nX-Own: me\r\nContent-Length: {}",
            body.len()
        );
        client.send(format!("{head}\r\n\r\n{body}").as_bytes()).await;
        let answer = client.answer().await;
        assert!(answer.body.contains("me a=1"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn request__that_the_server_refuses__does_not_reach_the_script() {
    let server = start().await;
    let large = server.connect().await.call("POST", "/upload", Some(&json!("x".repeat(2000)))).await;
    assert_eq!(large.status, 413, "{large:?}");
    for header in ["Host: evil.example", "Host: localhost\r\nOrigin: https://evil.example"] {
        let mut client = server.connect().await;
        client
            .send(format!("POST /upload HTTP/1.1\r\n{header}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .await;
        assert_eq!(client.answer().await.status, 403, "{header}");
    }
}

#[tokio::test]
async fn client__disconnects__and_the_application_learns_it() {
    let server = start().await;
    let mut client = server.connect().await;
    client.send(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(client.head().await.status, 200);
    client.until("begun").await;
    drop(client);
    let answer = within("the application's word", async { server.connect().await.get("/until_gone").await });
    assert_eq!(answer.await.status, 200);
}

#[tokio::test]
async fn worker__dies_in_the_middle__cuts_the_answer_off_and_nothing_else() {
    let server = start().await;
    let mut client = server.connect().await;
    client.send(b"GET /die HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(client.head().await.status, 200);
    client.until("begun").await;
    // The worker may end before it has answered this.
    let mut other = server.connect().await;
    other.send(b"GET /go_on HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(client.rest().await.is_err(), "an answer that was cut off looks complete");
    assert_eq!(server.connect().await.get("/again").await.body, "GET /again? 0");
    assert_eq!(process(&server, &request("echo", "hi")).await["status"], "completed");
}

#[tokio::test]
async fn request__when_the_server_stops__is_answered() {
    let server = start().await;
    let [mut stream, mut waiting] = [server.connect().await, server.connect().await];
    stream.send(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(stream.head().await.status, 200);
    stream.until("begun").await;
    waiting.send(b"GET /until_gone HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    server.signal(Signal::TERM);
    server.logged("the shutdown", |line| line["message"] == "shutting down").await;
    drop(stream);
    assert_eq!(waiting.answer().await.status, 200);
}
