//! An answer's body: prepared frames, with a wait before some of them.

use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame};
use hyper::header::HeaderValue;
use tokio::time::{Instant, sleep_until};

/// What happens before a frame that is not sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    AtOnce,
    /// Yields to other tasks.
    Yielding,
    /// Sleeps until the frame is due, this long after the one before was due.
    Every(Duration),
}

pub(crate) struct Frames {
    frames: Arc<[Bytes]>,
    next: usize,
    /// The frames that are not sent at once.
    paced: Range<usize>,
    pace: Pace,
    due: Instant,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Frames {
    pub(crate) fn new(frames: Arc<[Bytes]>, paced: Range<usize>, pace: Pace) -> Self {
        Frames { frames, next: 0, paced, pace, due: Instant::now(), waiting: None }
    }

    /// An event stream of these frames.
    pub(crate) fn into_response(self) -> Response<Frames> {
        let mut response = Response::new(self);
        let headers = response.headers_mut();
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("connection", "keep-alive"),
            ("content-type", "text/event-stream; charset=utf-8"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// The wait before a paced frame.
    fn wait(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self.pace {
            Pace::AtOnce => Box::pin(std::future::ready(())),
            Pace::Yielding => Box::pin(tokio::task::yield_now()),
            Pace::Every(delay) => {
                self.due += delay;
                Box::pin(sleep_until(self.due))
            }
        }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        if this.pace != Pace::AtOnce && this.paced.contains(&this.next) {
            let mut waiting = this.waiting.take().unwrap_or_else(|| this.wait());
            if waiting.as_mut().poll(cx).is_pending() {
                this.waiting = Some(waiting);
                return Poll::Pending;
            }
        }
        let frame = this.frames.get(this.next).cloned();
        this.next += 1;
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame))))
    }
}
