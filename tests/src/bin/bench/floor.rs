//! The baseline: a bare hyper server that sends the pre-rendered bytes of an echo, one frame per event.

mod frames;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, Json, sse};
use anyhow::Result;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) use self::frames::{Frames, Pace};

type Rendered = Arc<Mutex<HashMap<Bytes, Arc<[Bytes]>>>>;

/// Serves until it is killed.
pub(crate) fn serve() -> Result<()> {
    let rendered = Rendered::default();
    serve_with(move |request| answer(request, Arc::clone(&rendered)))
}

/// Serves answers of this function until it is killed.
pub(crate) fn serve_with<A, F>(answer: A) -> Result<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Frames>, hyper::Error>> + Send + 'static,
{
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        accept(listener, answer).await
    })
}

/// Accepts connections for ever.
pub(crate) async fn accept<A, F, B>(listener: TcpListener, answer: A) -> Result<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<B>, hyper::Error>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = hyper::service::service_fn(answer.clone());
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        #[expect(clippy::disallowed_methods, reason = "this server is killed, never shut down")]
        tokio::spawn(connection);
    }
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
    // Like the echo, it waits before each word except the first. The three events before that and the three closing ones
    // follow at once.
    let later_words = 4..events.len().saturating_sub(3);
    Ok(Frames::new(events, later_words, pace_of(&body)).into_response())
}

/// The pace that a request asks for. Our own server takes `delay_ms` from it too; whether its agent yields is configured.
fn pace_of(body: &[u8]) -> Pace {
    let Ok(request) = serde_json::from_slice::<AgentRequest>(body) else { return Pace::AtOnce };
    let delay = request.extra.get("delay_ms").and_then(Json::as_i64).and_then(|delay| delay.try_into().ok());
    match delay {
        Some(delay @ 1..) => Pace::Every(Duration::from_millis(delay)),
        _ if request.extra.contains_key("yields") => Pace::Yielding,
        _ => Pace::AtOnce,
    }
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
