//! A stream of Server-Sent Events: the bytes of a log or of a translation, with heartbeats in between.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use agent_runner::{Cursor, CursorError};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::closing::{Closing, ClosingSignal};
use crate::error::log_cut;
use crate::state::App;

/// A comment line, which clients ignore.
const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// The last line of a stream that ends before its run does.
const CLOSING: &[u8] = b": the server is shutting down; to continue, connect again with Last-Event-ID\n\n";

/// Answers with everything that a cursor reads, the log's bytes unchanged.
pub(crate) fn respond_with_log(app: &App, cursor: Cursor, keeps_alive: bool) -> Response {
    respond(app, cursor.map_ok(|batch| batch.frames), keeps_alive)
}

/// Responds with everything that a source yields, in pieces of complete frames.
///
/// If the client disconnects, the source and its cursor are dropped. The run's policy determines what happens to the
/// run. If the server closes its connections while the source has nothing, such as with a queued run, the stream ends
/// cleanly.
pub(crate) fn respond<S>(app: &App, source: S, keeps_alive: bool) -> Response
where
    S: Stream<Item = Result<Bytes, CursorError>> + Send + Unpin + 'static,
{
    let mut response =
        Response::new(Body::new(EventStream::new(source, app.http().heartbeat, app.closing())));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if keeps_alive {
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // Asks reverse proxies not to buffer the stream.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct EventStream<S> {
    source: S,
    heartbeat: Duration,
    last_write: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    closing: Closing,
    done: bool,
}

impl<S> EventStream<S> {
    fn new(source: S, heartbeat: Duration, closing: &Arc<ClosingSignal>) -> Self {
        let closing = Closing::new(closing);
        EventStream { source, heartbeat, last_write: Instant::now(), timer: None, closing, done: false }
    }

    /// Ready when the stream has been silent for the heartbeat interval.
    ///
    /// Writes do not move the timer: when it fires, it is set again for the remaining time.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.heartbeat.is_zero() {
            return Poll::Pending;
        }
        loop {
            let due = self.last_write + self.heartbeat;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if due <= Instant::now() {
                self.timer = None;
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

impl<S: Stream<Item = Result<Bytes, CursorError>> + Unpin> http_body::Body for EventStream<S> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        let bytes = match Pin::new(&mut this.source).poll_next(cx) {
            Poll::Ready(Some(Ok(frames))) => frames,
            Poll::Ready(Some(Err(error))) => {
                log_cut(&error, "a stream ended early");
                this.done = true;
                // The error aborts the connection, so that the client does not mistake half a stream for a complete
                // one.
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending if this.closing.poll(cx).is_ready() => {
                this.done = true;
                Bytes::from_static(CLOSING)
            }
            Poll::Pending => match this.poll_silence(cx) {
                Poll::Ready(()) => Bytes::from_static(HEARTBEAT),
                Poll::Pending => return Poll::Pending,
            },
        };
        this.last_write = Instant::now();
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
