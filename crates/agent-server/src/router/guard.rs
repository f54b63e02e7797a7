//! What decides whether the server answers.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract;
use axum::http::{HeaderMap, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::error::ApiError;
use crate::extract::read_whole;
use crate::middleware::PROBES;
use crate::state::App;

/// Decides whether the server answers requests to its own paths and those of its protocols, knowing their whole bodies.
/// Health checks are answered nevertheless.
///
/// A layer that needs no body is simpler; see [`AgentAppBuilder::wrap`](crate::AgentAppBuilder::wrap).
#[async_trait]
pub trait Guard: Send + Sync + 'static {
    /// Whether there is anything to decide. If not, bodies are not read for it.
    fn is_needed(&self) -> bool {
        true
    }

    /// Lets the server answer, with these further headers, or answers in its place.
    ///
    /// # Errors
    /// The error is the answer.
    async fn check(&self, request: &Request<Bytes>) -> Result<ControlFlow<Response, HeaderMap>, ApiError>;
}

pub(super) async fn check(
    guard: Arc<dyn Guard>,
    app: App,
    request: extract::Request,
    next: Next,
) -> Response {
    if !guard.is_needed() || PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let (bytes, memory) = match read_whole(&parts.headers, body, app.http(), app.bodies()).await {
        Ok(read) => read,
        Err(error) => return error.into_response(),
    };
    let request = Request::from_parts(parts, bytes);
    let further = match guard.check(&request).await {
        Ok(ControlFlow::Continue(headers)) => headers,
        Ok(ControlFlow::Break(response)) => return response,
        Err(error) => return error.into_response(),
    };
    // Whoever reads it now reserves memory for it.
    drop(memory);
    let mut response = next.run(request.map(Body::from)).await;
    for name in further.keys() {
        response.headers_mut().remove(name);
    }
    for (name, value) in &further {
        response.headers_mut().append(name, value.clone());
    }
    response
}
