//! Requests that the applications of a script answer.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::path::Path;
use std::pin::{Pin, pin};

use agent_schemas::Error;
use agent_workers::ResponseBody;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use serde_json::{Value, json};

use crate::support::{Served, log, serve, serve_script, until, within};

async fn applications() -> Served {
    serve_script(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/http.py"), |_| {}).await
}

fn request(method: &str, path: &str, body: &str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path).header("x-own", "ä");
    request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request")
}

impl Served {
    async fn get(&self, path: &str) -> Response<ResponseBody> {
        self.try_get(path).await.expect("an answer")
    }

    async fn try_get(&self, path: &str) -> Result<Response<ResponseBody>, Error> {
        let answer = within(path, self.workers.answer(&request("GET", path, "body"), None)).await;
        answer.map(|answer| answer.expect("there are applications"))
    }

    async fn text(&self, path: &str) -> String {
        let (text, failed) = rest(self.get(path).await.into_body()).await;
        assert!(!failed, "{text}");
        text
    }
}

async fn piece(body: &mut Pin<&mut ResponseBody>) -> Option<std::io::Result<Bytes>> {
    let frame = within("a piece", poll_fn(|cx| body.as_mut().poll_frame(cx))).await?;
    Some(frame.map(|frame| frame.into_data().expect("data")))
}

/// The rest of a body, and whether it has failed.
async fn rest(body: ResponseBody) -> (String, bool) {
    let (mut body, mut text) = (pin!(body), String::new());
    loop {
        match piece(&mut body).await {
            Some(Ok(piece)) => text.push_str(std::str::from_utf8(&piece).expect("UTF-8")),
            Some(Err(_)) => return (text, true),
            None => return (text, false),
        }
    }
}

#[tokio::test]
async fn request__to_an_application__arrives_as_it_is() {
    let served = applications().await;
    let client = "127.0.0.1:5".parse().ok();
    let answer = served.workers.answer(&request("PUT", "/echo?a=%20", "body ü"), client).await;
    let answer = answer.expect("an answer").expect("an application");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let cookies: Vec<&[u8]> =
        answer.headers().get_all("set-cookie").iter().map(|value| value.as_bytes()).collect();
    assert_eq!(cookies, [&b"a=\xfc"[..], b"b=2"]);
    assert!(!answer.headers().contains_key("connection"));
    let (text, _) = rest(answer.into_body()).await;
    let echo: Value = serde_json::from_str(&text).expect("JSON");
    let expected = json!({
        "method": "PUT", "query": "a=%20", "header": "Ã¤", "client": ["127.0.0.1", 5], "state": { "greeting": "started" },
        "body": "body Ã¼", "more_body": false,
    });
    assert_eq!(echo, expected);
}

#[tokio::test]
async fn applications__several__are_asked_in_their_order() {
    let served = applications().await;
    assert_eq!(served.text("/second").await, "second body");
    let missing = served.get("/third").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(rest(missing.into_body()).await.0, "nothing in both");
}

#[tokio::test]
async fn check__refuses_or_lets_pass_with_headers() {
    let served = applications().await;
    assert!(served.workers.checks());
    let refused = served.workers.check(&request("POST", "/process", "x"), None).await.expect("an answer");
    let ControlFlow::Break(answer) = refused else { panic!("{refused:?}") };
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(rest(answer.into_body()).await.0, "no key in x");
    let passed =
        served.workers.check(&request("POST", "/process", "the key"), None).await.expect("an answer");
    let ControlFlow::Continue(headers) = passed else { panic!("{passed:?}") };
    assert_eq!((headers.len(), &headers["x-checked"]), (1, &HeaderValue::from_static("yes")));
}

#[tokio::test]
async fn script__without_applications__answers_nothing() {
    let served = serve(|_| {}).await;
    assert!(!served.workers.checks());
    let answer = served.workers.answer(&request("GET", "/", ""), None).await;
    assert!(answer.expect("no failure").is_none());
}

#[tokio::test]
async fn body__of_any_size__is_whole() {
    let served = applications().await;
    assert_eq!(served.text("/large").await.len(), 3_000_000);
}

#[tokio::test]
async fn head__of_any_size__is_whole() {
    let served = applications().await;
    let response = served.get("/many_headers").await;
    assert_eq!(response.headers().get_all("x-own").iter().count(), 2000);
    assert_eq!(rest(response.into_body()).await, ("whole".to_owned(), false));
}

#[tokio::test]
async fn response__of_a_known_length__ends_with_its_last_byte() {
    let served = applications().await;
    let mut body = Box::pin(served.get("/in_two_pieces").await.into_body());
    assert_eq!(piece(&mut body.as_mut()).await.expect("a piece").expect("readable"), "whole");
    assert!(body.is_end_stream());
    drop(body);
    until("the end", || log().contains("the second piece was sent")).await;
}

#[tokio::test]
async fn response__without_a_body__lets_the_application_end() {
    let served = applications().await;
    for (method, status) in [("HEAD", StatusCode::OK), ("GET", StatusCode::NO_CONTENT)] {
        let answer = served.workers.answer(&request(method, "/without_body", ""), None).await;
        let response = answer.expect("an answer").expect("there are applications");
        assert_eq!(response.status(), status);
        assert!(response.body().is_end_stream());
    }
    until("the end", || log().matches("the body without a reader is whole").count() == 2).await;
}

#[tokio::test]
async fn body__that_nobody_reads__holds_its_application_back() {
    let served = applications().await;
    let unread = served.get("/endless").await;
    let sent: usize = served.text("/sent").await.parse().expect("a number");
    assert!(sent <= 256 * 1024, "{sent}");
    drop(unread);
}

#[tokio::test]
async fn client__disconnects__and_the_application_learns_it() {
    let served = applications().await;
    let mut body = Box::pin(served.get("/waits").await.into_body());
    assert_eq!(piece(&mut body.as_mut()).await.expect("a piece").expect("readable"), "waiting");
    drop(body);
    assert_eq!(served.text("/until_gone").await, "gone");
}

#[tokio::test]
async fn application__fails__and_only_the_log_says_why() {
    let served = applications().await;
    let error = served.try_get("/fails_early").await.expect_err("no answer");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    until("the reason", || log().contains("GET /fails_early has failed") && log().contains("a secret")).await;
    assert_eq!(rest(served.get("/fails_late").await.into_body()).await, ("begun".to_owned(), true));
    for which in 0..7 {
        served.try_get(&format!("/impossible?{which}")).await.expect_err("HTTP has no such response");
    }
    assert_eq!(served.text("/second").await, "second body");
}

#[tokio::test]
async fn worker__dies_in_the_middle__ends_the_body_with_an_error() {
    let served = applications().await;
    let dying = served.get("/dies").await;
    served.text("/goes_on").await;
    assert_eq!(rest(dying.into_body()).await, ("begun".to_owned(), true));
    assert_eq!(served.text("/second").await, "second body");
}

#[tokio::test]
async fn worker__is_replaced__once_its_requests_and_what_follows_them_have_ended() {
    let served = applications().await;
    assert_eq!(served.text("/background").await, "accepted");
    let waiting = served.get("/waits").await;
    served.workers.reload();
    until("another worker", || log().matches("a worker is ready").count() == 2).await;
    assert!(!log().contains("the application has stopped"));
    drop(waiting);
    until("the old one's end", || log().contains("the application has stopped")).await;
    let log = log();
    let [work, end] =
        ["the background work is done", "the application has stopped"].map(|line| log.find(line));
    assert!(work.is_some() && work < end, "{log}");
}
