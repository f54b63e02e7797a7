//! The baseline: a bare hyper server that sends the pre-rendered bytes of an echo, one frame per event.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, sse};
use anyhow::Result;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Instant, Sleep, sleep_until};

type Rendered = Arc<Mutex<HashMap<Bytes, Arc<[Bytes]>>>>;

/// Serves until it is killed.
pub(crate) fn serve() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        let rendered = Rendered::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let rendered = Arc::clone(&rendered);
            let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&rendered)));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            #[expect(clippy::disallowed_methods, reason = "this server is killed, never shut down")]
            tokio::spawn(connection);
        }
    })
}

async fn answer(request: Request<Incoming>, rendered: Rendered) -> Result<Response<Frames>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let known = rendered.lock().unwrap_or_else(PoisonError::into_inner).get(&body).cloned();
    let events = match known {
        Some(events) => events,
        None => {
            let events: Arc<[Bytes]> = render(&body).await.into();
            rendered.lock().unwrap_or_else(PoisonError::into_inner).insert(body.clone(), Arc::clone(&events));
            events
        }
    };
    let delay = Duration::from_millis(delay_of(&body));
    let mut response = Response::new(Frames { events, next: 0, delay, due: Instant::now(), timer: None });
    let headers = response.headers_mut();
    for (name, value) in [
        ("cache-control", "no-cache"),
        ("connection", "keep-alive"),
        ("content-type", "text/event-stream; charset=utf-8"),
    ] {
        headers.insert(name, hyper::header::HeaderValue::from_static(value));
    }
    Ok(response)
}

fn delay_of(body: &[u8]) -> u64 {
    let request: Option<AgentRequest> = serde_json::from_slice(body).ok();
    let delay = request.and_then(|request| request.extra.get("delay_ms")?.as_i64());
    delay.and_then(|delay| u64::try_from(delay).ok()).unwrap_or(0)
}

/// An echo's frames, rendered once by the real runner.
async fn render(body: &[u8]) -> Vec<Bytes> {
    let Ok(mut request) = serde_json::from_slice::<AgentRequest>(body) else { return Vec::new() };
    request.extra.shift_remove("delay_ms");
    let Ok(runner) = Runner::builder().agent("echo", Echo::default()).build() else { return Vec::new() };
    let Ok(run) = runner.start(request, RunOptions::default()).await else { return Vec::new() };
    let mut cursor = run.cursor(0);
    let mut events = Vec::new();
    while let Some(Ok(batch)) = cursor.next().await {
        let mut rest = batch.frames;
        while !rest.is_empty() {
            events.push(rest.split_to(sse::skip_frames(&rest, 1)));
        }
    }
    events
}

struct Frames {
    events: Arc<[Bytes]>,
    next: usize,
    delay: Duration,
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Like the echo, it waits before each word except the first. The events before that and the closing ones follow
        // at once.
        let this = &mut *self;
        let is_later_word = this.next > 3 && this.next + 3 < this.events.len();
        if !this.delay.is_zero() && is_later_word {
            let timer = this.timer.get_or_insert_with(|| {
                this.due += this.delay;
                Box::pin(sleep_until(this.due))
            });
            std::task::ready!(timer.as_mut().poll(cx));
            this.timer = None;
        }
        let event = this.events.get(this.next).cloned();
        this.next += 1;
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}
