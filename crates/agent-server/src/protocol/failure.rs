//! What went wrong, in the words of whichever protocol the client speaks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Layer, Service};

use super::Protocol;

/// What went wrong, in no protocol's shape yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The HTTP status that our own protocol answers with.
    pub status: StatusCode,
    /// A machine-readable name, as in `docs/compatibility.md`.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
    /// The faulty part of the request, as in `input[0].role`.
    pub parameter: Option<String>,
}

impl Failure {
    /// A failure that no part of the request is to blame for.
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Failure { status, code: code.into(), message: message.into(), parameter: None }
    }

    /// A request that makes no sense at this place.
    pub fn of_parameter(parameter: impl Into<String>, message: impl Into<String>) -> Self {
        Failure {
            parameter: Some(parameter.into()),
            ..Failure::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER", message)
        }
    }
}

/// Says what went wrong at a protocol's paths in the protocol's shape, wherever inside of this layer it was found.
#[derive(Clone, Debug)]
pub(crate) struct InShape(pub(crate) Arc<[Arc<dyn Protocol>]>);

impl<S> Layer<S> for InShape {
    type Service = Shaping<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Shaping { inner, protocols: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Shaping<S> {
    inner: S,
    protocols: Arc<[Arc<dyn Protocol>]>,
}

impl<S> Service<Request<Body>> for Shaping<S>
where
    S: Service<Request<Body>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future =
        Either<S::Future, Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send + 'static>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let protocol = self.protocols.iter().find(|protocol| protocol.speaks_at(path)).map(Arc::clone);
        let answer = self.inner.call(request);
        match protocol {
            None => Either::Left(answer),
            Some(protocol) => Either::Right(Box::pin(async move { Ok(shaped(&*protocol, answer.await?)) })),
        }
    }
}

fn shaped(protocol: &dyn Protocol, mut response: Response) -> Response {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    let mut shaped = protocol.failure(&failure);
    for name in [header::RETRY_AFTER, header::ALLOW, header::UPGRADE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            shaped.headers_mut().insert(name, value);
        }
    }
    shaped
}
