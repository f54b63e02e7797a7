//! What answers requests to paths that nothing has.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

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
    /// begins.
    pub(super) async fn answer(self, app: App, request: extract::Request) -> Response {
        let (parts, body) = request.into_parts();
        let read = read_whole(&parts.headers, body, app.http(), app.bodies()).await;
        let answer = match read {
            Ok((bytes, _memory)) => (self.0)(Request::from_parts(parts, bytes)).await,
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(IntoResponse::into_response)
    }
}
