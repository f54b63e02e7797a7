//! One span and one log line per request. The span stays open until the response has been sent or the client has
//! disconnected; then the line is written. It contains no bodies, no query strings and no headers except ids, because
//! these may contain prompts and secrets.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tracing::Span;

use crate::headers::RUN_ID;

/// A request without a response yet.
pub(crate) struct Logged {
    span: Span,
    started: Instant,
    method: Method,
    path: String,
    request_id: HeaderValue,
}

impl Logged {
    pub(crate) fn start(request: &Request<Body>, request_id: &HeaderValue) -> Self {
        let path: String = request.uri().path().chars().take(200).collect();
        let span = tracing::info_span!(
            "http request",
            request.id = text(request_id),
            method = %request.method(),
            path,
        );
        Logged {
            span,
            started: Instant::now(),
            method: request.method().clone(),
            path,
            request_id: request_id.clone(),
        }
    }

    /// The span of everything that happens for the request.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Writes the line when the response's body ends.
    pub(crate) fn around(self, response: Response) -> Response {
        let status = response.status().as_u16();
        let run_id = response.headers().get(RUN_ID).cloned();
        response.map(|body| {
            Body::new(LoggedBody {
                body,
                line: Line { request: self, status, run_id, bytes: 0, whole: false },
            })
        })
    }
}

struct Line {
    request: Logged,
    status: u16,
    run_id: Option<HeaderValue>,
    bytes: usize,
    whole: bool,
}

struct LoggedBody {
    body: Body,
    line: Line,
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = this.line.request.span.in_scope(|| Pin::new(&mut this.body).poll_frame(cx));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.line.bytes += frame.data_ref().map_or(0, Bytes::len),
            Poll::Ready(None) => self.line.whole = true,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        let Line { request, status, run_id, bytes, whole } = &self.line;
        // Do not poll a body again after its end.
        let cut = !whole && !self.body.is_end_stream();
        // The line repeats the span's fields.
        tracing::info!(
            parent: None,
            request.id = text(&request.request_id),
            run.id = run_id.as_ref().map(text),
            method = %request.method,
            path = request.path,
            status,
            bytes,
            duration_ms = u64::try_from(request.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            client_gone = cut.then_some(true),
            "request"
        );
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("?")
}
