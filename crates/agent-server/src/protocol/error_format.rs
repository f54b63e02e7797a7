//! Reports errors in the format of the client's protocol.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, header};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Layer, Service};

use super::Protocol;
use crate::error::ErrorInfo;

/// Formats errors at a protocol's paths in the protocol's format, wherever inside this layer they come from.
#[derive(Clone, Debug)]
pub(crate) struct ErrorFormatLayer(pub(crate) Arc<[Arc<dyn Protocol>]>);

impl<S> Layer<S> for ErrorFormatLayer {
    type Service = ErrorFormat<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ErrorFormat { inner, protocols: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ErrorFormat<S> {
    inner: S,
    protocols: Arc<[Arc<dyn Protocol>]>,
}

impl<S> Service<Request<Body>> for ErrorFormat<S>
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
        let protocol = self.protocols.iter().find(|protocol| protocol.owns_path(path)).map(Arc::clone);
        let answer = self.inner.call(request);
        match protocol {
            None => Either::Left(answer),
            Some(protocol) => Either::Right(Box::pin(async move { Ok(shaped(&*protocol, answer.await?)) })),
        }
    }
}

fn shaped(protocol: &dyn Protocol, mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<ErrorInfo>() else { return response };
    let mut shaped = protocol.error_response(&error);
    for name in [header::RETRY_AFTER, header::ALLOW, header::UPGRADE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            shaped.headers_mut().insert(name, value);
        }
    }
    shaped
}
