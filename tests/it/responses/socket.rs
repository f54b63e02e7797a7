//! Responses over a WebSocket, from the real binary.

use std::net::SocketAddr;

use agent_protocol_openai::OpenAi;
use agent_runner::Services;
use agent_runner::agents::Echo;
use agent_schemas::RunId;
use agent_server::{AgentApp, Principal};
use agent_tests::responses::check_events;
use agent_tests::{Launch, ScriptedModel, Server, within};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(server: &Server) -> Self {
        Client::connect_as(server.address(), "nobody").await
    }

    /// The same as a user of an application that identifies its users by a header.
    async fn connect_as(address: SocketAddr, user: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let url = format!("ws://{address}/v1/responses");
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("x-user", user.parse().expect("a name"));
        Client(client_async(request, stream).await.expect("it speaks WebSocket").0)
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
async fn unstored_response__failed_continuation__can_no_longer_be_continued() {
    let server = Launch::echo("").start().await;
    let mut client = Client::connect(&server).await;
    let not_found = (json!(400), json!("previous_response_not_found"));
    let unstored = |more: Value| {
        let mut members = json!({ "store": false });
        members.as_object_mut().expect("an object").extend(more.as_object().expect("members").clone());
        create("one", &members)
    };
    for bad in [json!({ "temperature": 9 }), json!({ "input": [{ "role": "robot" }] })] {
        client.ask(&unstored(json!({}))).await;
        let first = client.response().await;
        // An error that has nothing to do with it leaves it alone.
        client.ask(&unstored(bad.clone())).await;
        client.refusal().await;
        let next = unstored(json!({ "previous_response_id": first["id"] }));
        client.ask(&next).await;
        let second = client.response().await;
        let mut failing = unstored(json!({ "previous_response_id": second["id"] }));
        failing.as_object_mut().expect("an object").extend(bad.as_object().expect("members").clone());
        client.ask(&failing).await;
        client.refusal().await;
        client.ask(&unstored(json!({ "previous_response_id": second["id"] }))).await;
        assert_eq!(client.refusal().await, not_found, "{bad}");
    }
}

#[tokio::test]
async fn request__that_only_prepares__can_be_continued() {
    let model = ScriptedModel::start().await;
    let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    let mut client = Client::connect(&server).await;
    for members in [json!({ "store": false }), json!({ "instructions": "Be kind." })] {
        let earlier = model.received().len();
        let mut ahead = create("first", &members);
        ahead["generate"] = json!(false);
        client.ask(&ahead).await;
        let prepared = client.response().await;
        assert_eq!((&prepared["status"], &prepared["output"]), (&json!("completed"), &json!([])));
        assert_eq!(model.received().len(), earlier, "the model is not asked");
        let mut next = create("second", &members);
        next["previous_response_id"] = prepared["id"].clone();
        client.ask(&next).await;
        assert_eq!(text(&client.response().await), "You said: second");
        let sent = model.received().pop().expect("a request");
        let said =
            sent["messages"].as_array().expect("messages").iter().filter(|said| said["role"] == "user");
        assert_eq!(said.map(|said| said["content"].clone()).collect::<Vec<_>>(), ["first", "second"]);
    }
    let mut empty = create("", &json!({ "generate": false }));
    empty["input"] = json!([]);
    client.ask(&empty).await;
    assert_eq!(client.response().await["output"], json!([]));
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

async fn authenticate(mut request: Request, next: Next) -> Response {
    let user = request.headers()["x-user"].to_str().expect("a name").to_owned();
    request.extensions_mut().insert(Principal::new(user));
    next.run(request).await
}

#[tokio::test]
async fn request__application_sets_a_principal__owns_its_runs() {
    let services = Services::in_memory();
    let app = AgentApp::builder("test").agent("echo", Echo::default()).protocol(OpenAi);
    let app = app.services(services.clone()).wrap(|routes| routes.layer(from_fn(authenticate)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let mut served = JoinSet::new();
    served.spawn(app.build().expect("built").serve(listener, async { drop(stopped.await) }));

    let mut ann = Client::connect_as(address, "ann").await;
    ann.ask(&create("hi", &json!({ "user": "bob", "user_id": "bob" }))).await;
    let response = ann.response().await;
    let id = response["id"].as_str().expect("an id");
    let run =
        services.runs.get(&RunId::new(id.replace("resp_", "run_"))).await.expect("readable").expect("kept");
    assert_eq!(run.user_id.as_str(), "ann");
    let next = create("and then?", &json!({ "previous_response_id": id }));
    let mut bob = Client::connect_as(address, "bob").await;
    bob.ask(&next).await;
    assert_eq!(bob.refusal().await, (json!(400), json!("previous_response_not_found")));
    ann.ask(&next).await;
    assert_eq!(ann.response().await["previous_response_id"], id);
    drop((ann, bob));
    stop.send(()).expect("it runs");
    served.join_next().await.expect("one").expect("no panic").expect("served");
}

#[tokio::test]
async fn ping__inside_a_fragmented_message__is_answered_and_message_arrives_whole() {
    let server = Launch::echo("").start().await;
    let mut client = Client::connect(&server).await;
    let request = create("in three pieces", &json!({})).to_string();
    let (first, rest) = request.split_at(10);
    let (second, third) = rest.split_at(10);
    let frame = |text: &str, kind, is_last| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(kind), is_last))
    };
    client.send(frame(first, Data::Text, false)).await;
    client.send(Message::Ping("one".into())).await;
    client.send(frame(second, Data::Continue, false)).await;
    client.send(Message::Ping("two".into())).await;
    assert_eq!(client.next().await, Message::Pong("one".into()));
    assert_eq!(client.next().await, Message::Pong("two".into()));
    client.send(frame(third, Data::Continue, true)).await;
    assert_eq!(text(&client.response().await), "in three pieces");
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
