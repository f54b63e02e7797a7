//! A proxy between an MCP client and a server that records what they say.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Headers, Step, Transport, Version, Violation, check};

/// The proxy, as long as it lives.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Debug, Default)]
struct Recorded {
    steps: Vec<Step>,
    calls: usize,
    /// The calls to whose streams events belong.
    events: HashMap<String, usize>,
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, hyper::Error>;

impl Tap {
    /// Records what passes to and from this server.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let recorded: Arc<Mutex<Recorded>> = Arc::default();
        let shared = Arc::clone(&recorded);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| pass(server, Arc::clone(&shared), request));
                    let served = hyper::server::conn::http1::Builder::new();
                    let _ = served.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Tap { address, recorded }
    }

    /// The endpoint for the client.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How many messages the client has sent, and what was wrong.
    pub fn violations(&self, version: Version) -> (usize, Vec<Violation>) {
        let recorded = lock(&self.recorded);
        (recorded.calls, check(version, Transport::Http, &recorded.steps))
    }
}

fn lock(recorded: &Mutex<Recorded>) -> std::sync::MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

fn names(headers: &hyper::HeaderMap) -> Headers {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Passes a request on, and its response back.
async fn pass(
    server: SocketAddr,
    recorded: Arc<Mutex<Recorded>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, hyper::Error> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let call = match parts.method {
        Method::POST => {
            let message = serde_json::from_slice(&body).unwrap_or_default();
            let mut recorded = lock(&recorded);
            recorded.calls += 1;
            recorded.steps.push(Step::Sent { message, headers: names(&parts.headers) });
            Some(recorded.calls - 1)
        }
        _ => {
            let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
            last.and_then(|last| lock(&recorded).events.get(last).copied())
        }
    };
    let is_post = parts.method == Method::POST;
    parts.headers.insert("host", hyper::header::HeaderValue::from_static("localhost"));
    let stream = TcpStream::connect(server).await.expect("the server listens");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the connection")]
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (head, body) = response.into_parts();
    let is_stream =
        head.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event"));
    let (status, headers) = (head.status.as_u16(), names(&head.headers));
    if !is_stream {
        let body = body.collect().await?.to_bytes();
        if let (true, Some(call)) = (is_post, call) {
            let body = Some(&body).filter(|body| !body.is_empty());
            let body = body.map(|body| serde_json::from_slice(body).unwrap_or_default());
            lock(&recorded).steps.push(Step::Answered { call, status, headers, body });
        }
        let body = Full::new(body).map_err(|never: Infallible| match never {}).boxed_unsync();
        return Ok(Response::from_parts(head, body));
    }
    if let (true, Some(call)) = (is_post, call) {
        lock(&recorded).steps.push(Step::Answered { call, status, headers, body: None });
    }
    Ok(Response::from_parts(head, stream_of(body, call, recorded)))
}

/// A stream that is recorded event by event, before the client gets it.
fn stream_of(mut body: Incoming, call: Option<usize>, recorded: Arc<Mutex<Recorded>>) -> Body {
    let (pieces, received) = mpsc::channel::<Result<Frame<Bytes>, hyper::Error>>(1);
    #[expect(clippy::disallowed_methods, reason = "it ends with the stream")]
    tokio::spawn(async move {
        let mut unread = String::new();
        let by_client = loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                () = pieces.closed() => break true,
            };
            let Some(Ok(frame)) = frame else { break false };
            if let Some(data) = frame.data_ref() {
                unread += &String::from_utf8_lossy(data);
                while let Some((event, rest)) = unread.split_once("\n\n") {
                    lock(&recorded).event(call, event);
                    unread = rest.to_owned();
                }
            }
            if pieces.send(Ok(frame)).await.is_err() {
                break true;
            }
        };
        lock(&recorded).steps.push(Step::Ended { call, by_client });
    });
    let frames = futures_util::stream::unfold(received, |mut received| async {
        received.recv().await.map(|frame| (frame, received))
    });
    StreamBody::new(frames).boxed_unsync()
}

impl Recorded {
    fn event(&mut self, call: Option<usize>, event: &str) {
        if event.starts_with(':') {
            return;
        }
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let event_id = field("id: ");
        if let (Some(id), Some(call)) = (&event_id, call) {
            self.events.insert(id.clone(), call);
        }
        let data = field("data: ").filter(|data| !data.is_empty());
        let message: Option<Value> = data.and_then(|data| serde_json::from_str(&data).ok());
        self.steps.push(Step::Received { call, event_id, message });
    }
}
