//! What answers requests to paths that nothing has.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::error::ApiError;
use crate::extract::read_whole;
use crate::state::App;

type Answer = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// What an application does with requests to paths that nothing has.
#[derive(Clone)]
pub(crate) struct Fallback(Arc<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>);

impl Fallback {
    pub(crate) fn new<F, Fut>(answer: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        Fallback(Arc::new(move |request| Box::pin(answer(request))))
    }

    /// Reads the body within the server's limits, and lets the application answer. The body counts until the answer
    /// begins, and the answer until its end.
    pub(super) async fn answer(self, app: App, request: extract::Request) -> Response {
        let token = app.answers().token();
        let (parts, body) = request.into_parts();
        let read = read_whole(&parts.headers, body, app.http(), app.bodies()).await;
        let answer = match read {
            Ok((bytes, _memory)) => (self.0)(Request::from_parts(parts, bytes)).await,
            Err(error) => Err(error),
        };
        let answer = answer.unwrap_or_else(IntoResponse::into_response);
        answer.map(|body| Body::new(Held { body, _token: token }))
    }
}

/// A body that counts as an answer until it is dropped.
struct Held {
    body: Body,
    _token: TaskTrackerToken,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
