//! What can go wrong between the agent and its model, and what the client sees of it.

use std::time::Duration;

use agent_schemas::{AgentRequest, ErrorBody, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::log::Log;
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
        let message = "Unauthorized access to model: m: the model server refused this server's credentials";
        check(&error(status), "MODEL_UNAUTHORIZED_ACCESS", message, 1).await;
    }
    check(&error("404 Not Found"), "MODEL_NOT_FOUND", "Model not found: m", 1).await;
    let refused = check(
        &error("400 Bad Request"),
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the model server answered 400 Bad Request: no",
        1,
    )
    .await;
    assert_eq!(refused.response().error.as_ref().map(ErrorBody::http_status), Some(400));
    check(
        &[Reply::json("307 Temporary Redirect", "").with_header("location", "http://127.0.0.1:9/")],
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the model server answered 307 Temporary Redirect",
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
    let outcome = ask(&[now, busy.clone(), Reply::text(&["hi"])]).await;
    assert_eq!(summary(outcome.response()), ["message: hi"]);
    let code = "MODEL_QUOTA_EXCEEDED";
    let limited = "Model quota exceeded: m: the model server limits the rate of requests; try again";
    check(&vec![busy.clone(); 9], code, &format!("{limited} later"), 3).await;
    let later = busy.with_header("retry-after", "3600");
    let failed = check(&vec![later; 9], code, &format!("{limited} in 3600 s"), 1).await;
    assert_eq!(failed.response().error.as_ref().and_then(|error| error.retry_after), Some(3600));
    let spent = Reply::json("429 Too Many Requests", r#"{"error":{"code":"insufficient_quota"}}"#);
    let message = "Model quota exceeded: m: this server's account at the model server has no credit left";
    check(&vec![spent; 9], code, message, 1).await;
}

#[tokio::test]
async fn server_error__is_retried() {
    let failing = Reply::json("503 Service Unavailable", "");
    let outcome = ask(&[failing.clone(), failing.clone(), Reply::text(&["hi"])]).await;
    assert_eq!(summary(outcome.response()), ["message: hi"]);
    check(
        &vec![failing.clone(); 9],
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the model server answered 503 Service Unavailable",
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
    let message = "Error occurred during execution of model: m: the model server sent an error";
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
async fn model_server__nobody_listens__client_and_log_are_told_apart() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("an address");
    let log = Log::start();
    let outcome = unanswered(format!("http://{address}/v1"), Duration::from_secs(5)).await;
    let message = "Error occurred during execution of model: m: the model server cannot be reached";
    assert_eq!(outcome.error(), ("MODEL_EXECUTION_FAILED", message));
    log.check(&[
        &format!(
            "(http://{address}/v1/chat/completions). Nothing is listening there: start the model server"
        ),
        "ERROR run{run.id=run_",
    ]);
}

#[tokio::test]
async fn model_server__unknown_host__log_names_the_setting() {
    let log = Log::start();
    // Whatever the resolver of this machine does, it has no such name.
    let outcome = unanswered("http://no-such-host.invalid/v1".to_owned(), Duration::from_secs(20)).await;
    assert_eq!(outcome.error().0, "MODEL_EXECUTION_FAILED");
    log.check(&[
        "(http://no-such-host.invalid/v1/chat/completions). The host name is unknown: correct base_url",
    ]);
}

/// What the log says of a model whose server answers any connection with these bytes.
async fn check_not_http(scheme: &str, answer: &'static [u8], expected: &str) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 1024]).await;
            let _ = socket.write_all(answer).await;
        }
    });
    let log = Log::start();
    let outcome = unanswered(format!("{scheme}://{address}/v1"), Duration::from_secs(20)).await;
    assert_eq!(outcome.error().0, "MODEL_EXECUTION_FAILED");
    log.check(&[expected]);
}

#[tokio::test]
async fn model_server__wrong_scheme__log_says_which_is_right() {
    let plain = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    check_not_http("https", plain, "does not seem to speak TLS: use http:// in base_url").await;
    let alert = b"\x15\x03\x01\x00\x02\x02\x46";
    check_not_http("http", alert, "if the server speaks TLS, use https:// in base_url").await;
}

#[tokio::test]
async fn model_server__web_page_or_nothing__is_no_answer() {
    let page = Reply::json("200 OK", "<!DOCTYPE html>\n<title>Welcome</title>");
    let log = Log::start();
    let message =
        "Error occurred during execution of model: m: the response is not a chat completion in JSON";
    check(&[page], "MODEL_EXECUTION_FAILED", message, 1).await;
    log.check(&["it begins with: <!DOCTYPE html> <title>Welcome</title>", "correct base_url"]);
    let log = Log::start();
    check(
        &vec![Reply::events(""); 9],
        "MODEL_EXECUTION_FAILED",
        "Error occurred during execution of model: m: the stream ended early",
        3,
    )
    .await;
    log.check(&["repeating a model call: the answer is empty", "a model call failed: the answer is empty"]);
}

#[tokio::test]
async fn model_server__redirect__log_names_its_target() {
    let log = Log::start();
    ask(&[Reply::json("308 Permanent Redirect", "").with_header("location", "https://h/v1?key=geheim")])
        .await;
    log.check(&["308 Permanent Redirect and redirects to https://h/v1 ("]);
    assert!(!log.text().contains("geheim"));
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
async fn key__repeated_by_the_server__is_never_shown() {
    let leaky = format!(r#"{{"error":{{"message":"the key {KEY} is bad"}}}}"#);
    let stream = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}}}}]}}\n\ndata: {leaky}\n\n");
    let refused = r#"{"error":{"message":"the key KEY is bad","code":400}}"#.replace("KEY", KEY);
    for (reply, is_shown) in [
        (Reply::json("400 Bad Request", &leaky), true),
        (Reply::json("401 Unauthorized", &leaky), false),
        (Reply::json("500 Internal Server Error", &leaky), false),
        (Reply::events(&stream), false),
        (Reply::events(&format!("data: {refused}\n\n")), true),
    ] {
        let log = Log::start();
        let outcome = ask(&[reply]).await;
        let (_, message) = outcome.error();
        assert_eq!(message.contains("the key [redacted] is bad"), is_shown, "{message}");
        assert!(!message.contains(KEY), "{message}");
        log.check(&["the key [redacted] is bad"]);
        assert!(!log.text().contains(KEY), "{}", log.text());
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

#[tokio::test]
async fn answer__that_says_nothing__is_a_failure_unless_the_model_ended_it() {
    let no_call = Reply::deltas(&[], "tool_calls");
    let no_end = Reply::chunks(&[r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#]);
    let no_message =
        Reply::json("200 OK", r#"{"choices":[{"message":{"role":"assistant","content":null}}]}"#);
    for reply in [no_call, no_end, no_message] {
        let outcome = ask(&[reply.clone(), Reply::text(&["hi"])]).await;
        assert_eq!(
            (summary(outcome.response()), outcome.received.len()),
            (vec!["message: hi".to_owned()], 2)
        );
        let outcome = ask(&[reply.clone(), reply.clone(), reply]).await;
        let (code, message) = outcome.error();
        assert_eq!(code, "MODEL_EXECUTION_FAILED");
        assert!(message.ends_with("m: the stream ended early"), "{message}");
    }
    for reason in ["stop", "length", "content_filter"] {
        let outcome = ask(&[Reply::deltas(&[], reason)]).await;
        assert_eq!(summary(outcome.response()), ["message: "]);
    }
}
