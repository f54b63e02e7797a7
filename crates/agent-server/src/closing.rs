//! The end of a shutdown, when connections close: requests and responses in progress end cleanly.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Signals that the server closes its connections.
#[derive(Debug, Default)]
pub(crate) struct ClosingSignal {
    /// Set before the token is cancelled, because reading it takes no lock.
    is_given: AtomicBool,
    token: CancellationToken,
}

impl ClosingSignal {
    pub(crate) fn give(&self) {
        self.is_given.store(true, Ordering::Release);
        self.token.cancel();
    }

    pub(crate) async fn given(&self) {
        self.token.cancelled().await;
    }
}

/// Waits for the signal alongside another future. It costs nothing until it is first polled, and little when it is
/// polled again.
#[derive(Debug)]
pub(crate) struct Closing {
    signal: Arc<ClosingSignal>,
    wait: Option<(Waker, Pin<Box<WaitForCancellationFutureOwned>>)>,
}

impl Closing {
    pub(crate) fn new(signal: &Arc<ClosingSignal>) -> Self {
        Closing { signal: Arc::clone(signal), wait: None }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let token = &self.signal.token;
        let new = || (cx.waker().clone(), Box::pin(token.clone().cancelled_owned()));
        let is_new = self.wait.is_none();
        let (waker, wait) = self.wait.get_or_insert_with(new);
        let is_registered = !is_new && waker.will_wake(cx.waker());
        if is_registered && !self.signal.is_given.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        waker.clone_from(cx.waker());
        wait.as_mut().poll(cx)
    }

    /// Waits for another future; `None` if the signal comes first.
    pub(crate) async fn before<T>(mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll(cx).map(|()| None),
        })
        .await
    }
}

/// The error of a body that the server stops reading because it closes its connections.
#[derive(Debug)]
struct ServerClosing;

impl fmt::Display for ServerClosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is shutting down")
    }
}

impl Error for ServerClosing {}

/// Whether a body ended because the server closes its connections.
pub(crate) fn is_closing(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<ServerClosing>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The body of a request. When the server closes its connections, it does not wait for the rest.
pub(super) struct ClosingBody {
    body: Incoming,
    closing: Closing,
}

impl ClosingBody {
    pub(super) fn new(body: Incoming, signal: &Arc<ClosingSignal>) -> Self {
        ClosingBody { body, closing: Closing::new(signal) }
    }
}

impl Body for ClosingBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => self.closing.poll(cx).map(|()| Some(Err(ServerClosing.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn closing__signal_while_waiting__wakes_and_lets_finished_work_win() {
        let signal = Arc::new(ClosingSignal::default());
        let waits = Closing::new(&signal).before(std::future::pending::<()>());
        let give = async { signal.give() };
        assert_eq!(tokio::join!(waits, give).0, None);
        assert_eq!(Closing::new(&signal).before(async { 7 }).await, Some(7));
    }
}
