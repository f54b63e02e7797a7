//! Responses over a WebSocket, from the real binary.

use agent_tests::responses::check_events;
use agent_tests::{Launch, Server, within};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).await.expect("a connection");
        let url = format!("ws://{}/v1/responses", server.address());
        Client(client_async(url, stream).await.expect("it speaks WebSocket").0)
    }

    async fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).await.expect("sent");
    }

    async fn ask(&mut self, request: &Value) {
        self.send(request.to_string()).await;
    }

    /// The next message other than pings and pongs.
    async fn next(&mut self) -> Message {
        within("a message", async {
            loop {
                let message = self.0.next().await.expect("more").expect("readable");
                if !message.is_ping() {
                    return message;
                }
            }
        })
        .await
    }

    async fn event(&mut self) -> Value {
        serde_json::from_str(self.next().await.to_text().expect("text")).expect("JSON")
    }

    /// The whole response from the next events.
    async fn response(&mut self) -> Value {
        let mut events = Vec::new();
        loop {
            events.push(self.event().await);
            let kind = events.last().and_then(|event| event["type"].as_str()).unwrap_or_default();
            if ["response.completed", "response.failed", "response.incomplete", "error"].contains(&kind) {
                return check_events(&events).unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
    }

    /// The code and the status of the next message, an error.
    async fn refusal(&mut self) -> (Value, Value) {
        let event = self.event().await;
        assert_eq!(event["type"], "error", "{event}");
        assert!(event["error"]["message"].is_string(), "{event}");
        (event["status"].clone(), event["error"]["code"].clone())
    }
}

fn create(input: &str, more: &Value) -> Value {
    let mut request = json!({ "type": "response.create", "model": "demo", "input": input });
    let members = more.as_object().expect("members").clone();
    request.as_object_mut().expect("an object").extend(members);
    request
}

fn text(response: &Value) -> String {
    response["output"][0]["content"][0]["text"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn requests__on_one_socket__are_answered_in_order() {
    let server = Launch::echo("").start().await;
    let mut client = Client::connect(&server).await;
    for input in ["one", "two", "three"] {
        client.ask(&create(input, &json!({}))).await;
    }
    for input in ["one", "two", "three"] {
        assert_eq!(text(&client.response().await), input);
    }
}

#[tokio::test]
async fn unstored_response__same_socket__can_be_continued() {
    let server = Launch::echo("").start().await;
    let mut client = Client::connect(&server).await;
    client.ask(&create("one", &json!({ "store": false }))).await;
    let first = client.response().await;
    let next = create("two", &json!({ "store": false, "previous_response_id": first["id"] }));
    client.ask(&next).await;
    let second = client.response().await;
    assert_eq!(second["previous_response_id"], first["id"]);
    client.ask(&next).await;
    let refused = (json!(400), json!("previous_response_not_found"));
    assert_eq!(client.refusal().await, refused, "only the latest one counts");
    let mut other = Client::connect(&server).await;
    other.ask(&create("two", &json!({ "previous_response_id": second["id"] }))).await;
    assert_eq!(other.refusal().await, refused, "it is another connection's");
    let path = format!("/v1/responses/{}", second["id"].as_str().expect("an id"));
    assert_eq!(server.connect().await.get(&path).await.status, 404);
}

#[tokio::test]
async fn invalid_request__is_refused_and_socket_stays_open() {
    let server = Launch::echo("[http]\nbody_limit_bytes = 10000\n").start().await;
    let mut client = Client::connect(&server).await;
    let deep = "[".repeat(500);
    for (request, status, code) in [
        ("{", 400, "malformed_json"),
        ("[]", 400, "invalid_request"),
        ("", 400, "invalid_request"),
        (&deep, 400, "unreadable_body"),
        ("{}", 400, "invalid_parameter"),
        (r#"{"type":"response.cancel"}"#, 400, "invalid_parameter"),
        (r#"{"type":"response.create","generate":false,"input":"hi"}"#, 400, "invalid_parameter"),
        (r#"{"type":"response.create","input":7}"#, 400, "invalid_parameter"),
    ] {
        client.send(request).await;
        assert_eq!(client.refusal().await, (json!(status), json!(code)), "{request}");
    }
    client.send(vec![1, 2, 3]).await;
    assert_eq!(client.refusal().await, (json!(400), json!("invalid_message")));
    client.ask(&create("still here", &json!({}))).await;
    assert_eq!(text(&client.response().await), "still here");

    client.ask(&create(&"x".repeat(20_000), &json!({}))).await;
    let ended =
        within("the end", async { while client.0.next().await.is_some_and(|message| message.is_ok()) {} });
    ended.await;
    server.check_health().await;
}

#[tokio::test]
async fn upgrade__plain_get_or_foreign_origin__is_refused() {
    let server = Launch::echo("").start().await;
    let plain = server.connect().await.get("/v1/responses").await;
    assert_eq!((plain.status, &plain.json()["error"]["code"]), (426, &json!("upgrade_required")));
    assert_eq!(plain.header("upgrade"), Some("websocket"));
    let stream = TcpStream::connect(server.address()).await.expect("a connection");
    let mut request =
        format!("ws://{}/v1/responses", server.address()).into_client_request().expect("a request");
    request.headers_mut().insert("origin", "https://elsewhere.example".parse().expect("a value"));
    match client_async(request, stream).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 403),
        other => panic!("a page of elsewhere may not: {other:?}"),
    }
}

#[tokio::test]
async fn shutdown__running_response__completes() {
    let slow = "agent = \"slow\"\n[agents.slow]\nkind = \"echo\"\ndelay_ms = 100\n";
    let mut server = Launch::bare(&["--port", "0"]).config(slow).start().await;
    let mut client = Client::connect(&server).await;
    client.ask(&create("one two three four", &json!({}))).await;
    assert_eq!(client.event().await["type"], "response.created");
    server.signal(Signal::TERM);
    let last = within("the last event", async {
        loop {
            let event = client.event().await;
            if event["type"] == "response.completed" {
                return event;
            }
        }
    });
    assert_eq!(text(&last.await["response"]), "one two three four");
    assert!(server.exit().await.success());
}
