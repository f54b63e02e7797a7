//! What can go wrong between the agent and its model, and what the client sees of it.

use std::time::Duration;

use agent_schemas::{AgentRequest, Status};
use tokio::net::TcpSocket;

use super::{KEY, Outcome, ask, ask_with, chat, config, request};
use crate::model_server::{ModelServer, Reply};
use crate::summary::summary;
use crate::support::{collect, outline};

/// The error after these replies, and how many requests the server got.
async fn check(replies: &[Reply], code: &str, message: &str, requests: usize) -> Outcome {
    let outcome = ask(replies).await;
    assert_eq!(outcome.error(), (code, message));
    assert_eq!(outcome.received.len(), requests);
    outcome
}

#[tokio::test]
async fn error_status__maps_to_error_code() {
    let error = |status| [Reply::json(status, r#"{"error":{"message":"no","type":"t","code":null}}"#)];
    for status in ["401 Unauthorized", "403 Forbidden"] {
        check(&error(status), "MODEL_UNAUTHORIZED_ACCESS", "Unauthorized access to model: m", 1).await;
    }
    check(&error("404 Not Found"), "MODEL_NOT_FOUND", "Model not found: m", 1).await;
    check(
        &error("400 Bad Request"),
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the server responded with 400 Bad Request: no",
        1,
    )
    .await;
    check(
        &[Reply::json("307 Temporary Redirect", "").with_header("location", "http://127.0.0.1:9/")],
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the server responded with 307 Temporary Redirect",
        1,
    )
    .await;
    let too_long = r#"{"error":{"message":"This model's maximum context length is 8 tokens.","code":"context_length_exceeded"}}"#;
    check(
        &[Reply::json("400 Bad Request", too_long)],
        "MODEL_CONTEXT_LENGTH_EXCEEDED",
        "Model context length exceeded: m",
        1,
    )
    .await;
}

#[tokio::test]
async fn overloaded_server__is_retried() {
    let busy = Reply::json("429 Too Many Requests", "{}");
    let now = busy.clone().with_header("retry-after", "0");
    let outcome = ask(&[now.clone(), busy.clone(), Reply::text(&["hi"])]).await;
    assert_eq!(summary(outcome.response()), ["message: hi"]);
    let exceeded = ("MODEL_QUOTA_EXCEEDED", "Model quota exceeded: m");
    check(&vec![now; 9], exceeded.0, exceeded.1, 3).await;
    let later = busy.with_header("retry-after", "3600");
    check(&vec![later; 9], exceeded.0, exceeded.1, 1).await;
    let spent = Reply::json("429 Too Many Requests", r#"{"error":{"code":"insufficient_quota"}}"#);
    check(&vec![spent; 9], exceeded.0, exceeded.1, 1).await;
}

#[tokio::test]
async fn server_error__is_retried() {
    let failing = Reply::json("503 Service Unavailable", "");
    let outcome = ask(&[failing.clone(), failing.clone(), Reply::text(&["hi"])]).await;
    assert_eq!(summary(outcome.response()), ["message: hi"]);
    check(
        &vec![failing.clone(); 9],
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the server responded with 503 Service Unavailable",
        3,
    )
    .await;
    let once = ask_with(&[failing], vec![], |config, _| config.max_retries = 0).await;
    assert_eq!((once.error().0, once.received.len()), ("MODEL_EXECUTION_FAILED", 1));
}

#[tokio::test]
async fn broken_stream__before_first_token__is_retried() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    for broken in [Reply::nothing(), Reply::events(role).then_cut(), Reply::events(role), Reply::events("")] {
        let outcome = ask(&[broken, Reply::text(&["hi"])]).await;
        assert_eq!(summary(outcome.response()), ["message: hi"]);
        assert_eq!(outcome.received.len(), 2);
    }
}

#[tokio::test]
async fn broken_stream__after_first_token__fails_the_run() {
    let half = Reply::events("data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\ndata: {\"choi");
    for broken in [half.clone().then_cut(), half] {
        let outcome = check(
            &[broken, Reply::text(&["never asked for"])],
            "MODEL_EXECUTION_FAILED",
            "Error occurred during execution of model: m: the stream ended early",
            1,
        )
        .await;
        assert_eq!(
            outline(&outcome.events)[2..],
            [
                "message in_progress",
                "  'half' + in_progress",
                "  'half' failed",
                "message failed",
                "response failed"
            ]
        );
    }
}

#[tokio::test]
async fn error_in_stream__fails_or_is_retried() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
    let message = "Error occurred during execution of model: m: the server sent an error: out of memory";
    check(&[Reply::events(&format!("{text}{error}"))], "MODEL_EXECUTION_FAILED", message, 1).await;
    check(&vec![Reply::events(error); 9], "MODEL_EXECUTION_FAILED", message, 3).await;
    let too_long = r#"error: {"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}"#;
    check(
        &[Reply::events(&format!("{too_long}\n\n"))],
        "MODEL_CONTEXT_LENGTH_EXCEEDED",
        "Model context length exceeded: m",
        1,
    )
    .await;
    let nonsense =
        "Error occurred during execution of model: m: the response is not a chat completion in JSON";
    check(&[Reply::events("data: nonsense\n\n")], "MODEL_EXECUTION_FAILED", nonsense, 1).await;
}

#[tokio::test]
async fn silent_server__before_first_token__times_out() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    for silent in [Reply::nothing_ever(), Reply::events("").then_silent(), Reply::events(role).then_silent()]
    {
        let outcome =
            ask_with(&[silent], vec![], |config, _| config.first_token_timeout = Duration::from_millis(50))
                .await;
        assert_eq!(
            outcome.error(),
            ("MODEL_TIMEOUT", "Model inference timed out: m, timeout limit: 1 seconds")
        );
        // On a busy machine the time may be over before the server has read the request.
        assert!(outcome.received.len() <= 1, "it is not asked again");
    }
}

#[tokio::test]
async fn silent_stream__after_first_token__times_out() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
    let replies = [Reply::events(text).then_silent()];
    let outcome =
        ask_with(&replies, vec![], |config, _| config.idle_timeout = Duration::from_millis(50)).await;
    assert_eq!(outcome.error().0, "MODEL_TIMEOUT");
    assert_eq!(outline(&outcome.events)[4..], ["  'half' failed", "message failed", "response failed"]);
}

/// A run against an address where nothing is listening.
async fn unanswered(base_url: String, connect_timeout: Duration) -> Outcome {
    let server = ModelServer::start([]).await;
    let mut config = config(&server);
    config.base_url = base_url;
    config.connect_timeout = connect_timeout;
    let runner = chat(config, vec![]);
    let run = runner.start(request("hi"), Default::default()).await.expect("started");
    Outcome { events: collect(run.cursor(0)).await, received: server.received() }
}

#[tokio::test]
async fn unreachable_server__fails_the_run() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("an address");
    let outcome = unanswered(format!("http://{address}/v1"), Duration::from_secs(5)).await;
    let (code, message) = outcome.error();
    assert_eq!(code, "MODEL_EXECUTION_FAILED");
    assert!(message.contains("m: could not reach the server: "), "{message}");
    assert!(!message.contains(&address.to_string()), "{message}");
}

#[tokio::test]
async fn connect__not_accepted__times_out() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let listener = socket.listen(1).expect("listening");
    let address = listener.local_addr().expect("an address");
    // The queue of a listener that never accepts is full after a few; then connecting hangs.
    let mut waiting = Vec::new();
    while let Ok(Ok(connected)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(connected);
    }
    let outcome = unanswered(format!("http://{address}/v1"), Duration::from_millis(50)).await;
    assert_eq!(outcome.error(), ("MODEL_TIMEOUT", "Model inference timed out: m, timeout limit: 1 seconds"));
}

#[tokio::test]
async fn api_key__in_errors_and_debug__is_redacted() {
    let leaky = format!(r#"{{"error":{{"message":"the key {KEY} is bad"}}}}"#);
    let stream = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\ndata: {leaky}\n\n");
    for reply in [Reply::json("400 Bad Request", &leaky), Reply::events(&stream)] {
        let outcome = ask(&[reply]).await;
        let (_, message) = outcome.error();
        assert!(message.ends_with("the key [redacted] is bad"), "{message}");
    }
    let server = ModelServer::start([]).await;
    let chat = agent_runner::agents::Chat::new(config(&server), Some(KEY.to_owned().into()), vec![]);
    assert!(!format!("{chat:?}").contains(KEY));
}

#[tokio::test]
async fn canceled_run__closes_the_model_connection() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
    for silent in [Reply::nothing_ever(), Reply::events(text).then_silent()] {
        let server = ModelServer::start([silent]).await;
        let runner = chat(config(&server), vec![]);
        let run = runner.start(AgentRequest::new(vec![]), Default::default()).await.expect("started");
        server.arrived().await;
        run.cancel();
        assert_eq!(run.response().await.expect("readable").status, Status::Canceled);
        server.left().await;
    }
}
