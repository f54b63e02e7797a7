//! The end of a shutdown, when connections close: what is still being read or written ends in order then.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Waits for the end of a shutdown; costs nothing until it is first polled.
#[derive(Debug)]
pub(crate) struct Closing {
    token: CancellationToken,
    wait: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Closing {
    pub(crate) fn new(token: CancellationToken) -> Self {
        Closing { token, wait: None }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let token = &self.token;
        self.wait.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).as_mut().poll(cx)
    }
}

/// The error of a body that the server does not read to its end, because it closes its connections.
#[derive(Debug)]
struct ServerClosing;

impl fmt::Display for ServerClosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is shutting down")
    }
}

impl Error for ServerClosing {}

/// Whether a body ended because the server closes its connections.
pub(crate) fn is_closing(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<ServerClosing>())
}

/// The body of a request. What has not come when the server closes its connections is not waited for.
pub(super) struct ClosingBody {
    body: Incoming,
    closing: Closing,
}

impl ClosingBody {
    pub(super) fn new(body: Incoming, token: CancellationToken) -> Self {
        ClosingBody { body, closing: Closing::new(token) }
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
