//! A cursor as a stream of Server-Sent Events: the log's bytes as they are, and signs of life in between.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use agent_runner::Cursor;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep_until};

/// A comment line, which clients skip.
const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// Answers with everything that a cursor reads.
///
/// A client that goes away drops the cursor; what that means for the run is the run's own policy.
pub(crate) fn respond(cursor: Cursor, heartbeat: Duration, keeps_alive: bool) -> Response {
    let mut response = Response::new(Body::new(EventStream::new(cursor, heartbeat)));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if keeps_alive {
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // Asks reverse proxies not to collect the stream before they pass it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct EventStream {
    cursor: Cursor,
    heartbeat: Duration,
    last_write: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    done: bool,
}

impl EventStream {
    fn new(cursor: Cursor, heartbeat: Duration) -> Self {
        EventStream { cursor, heartbeat, last_write: Instant::now(), timer: None, done: false }
    }

    /// Ready when the stream has been silent for the heartbeat's time.
    ///
    /// The timer is not moved at each write: it is looked at when it fires, and set again for what is left.
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

impl http_body::Body for EventStream {
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
        let bytes = match Pin::new(&mut this.cursor).poll_next(cx) {
            Poll::Ready(Some(Ok(batch))) => batch.frames,
            Poll::Ready(Some(Err(error))) => {
                tracing::error!(error = %error, "a stream ended early");
                this.done = true;
                // An error breaks the connection off, so that the client does not take half a stream for a whole one.
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => match this.poll_silence(cx) {
                Poll::Ready(()) => Bytes::from_static(HEARTBEAT),
                Poll::Pending => return Poll::Pending,
            },
        };
        this.last_write = Instant::now();
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
