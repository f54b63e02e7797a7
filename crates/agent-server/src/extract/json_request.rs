//! A request whose body is a JSON object.

use std::sync::Arc;

use agent_runner::{ByteBudget, Reservation};
use agent_schemas::{Json, JsonObject};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::Request;
use axum::http::request::Parts;
use bytes::Bytes;

use super::body::{not_an_object, parse_body, read_body};
use crate::config::HttpConfig;
use crate::error::ApiError;

/// A request with a JSON object as its body, within the server's limits.
///
/// Rejected if the body is not a JSON object (422), is nested too deeply (400), is too large (413) or does
/// not arrive in time (408).
#[derive(Debug)]
pub struct JsonRequest {
    parts: Parts,
    bytes: Bytes,
    body: JsonObject,
    /// The memory reserved for the body until it has been handled.
    memory: Option<Reservation>,
}

impl<S> FromRequest<S> for JsonRequest
where
    S: Send + Sync,
    Arc<HttpConfig>: FromRef<S>,
    ByteBudget: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ApiError> {
        let config = Arc::<HttpConfig>::from_ref(state);
        let (parts, body) = request.into_parts();
        let (bytes, memory) = read_body(&parts.headers, body, &config, &ByteBudget::from_ref(state)).await?;
        match parse_body(&parts.headers, &bytes, config.json_depth)? {
            Json::Object(body) => Ok(JsonRequest { parts, bytes, body, memory: Some(memory) }),
            other => Err(not_an_object(other)),
        }
    }
}

impl JsonRequest {
    /// A request that is not a separate HTTP request, such as a WebSocket message. `parts` are those of the request
    /// that opened the connection; the fingerprint for idempotency is computed from `bytes`.
    pub fn new(parts: Parts, bytes: Bytes, body: JsonObject) -> Self {
        JsonRequest { parts, bytes, body, memory: None }
    }

    /// Takes the memory reserved for the body, for code that keeps parts of the body after the request is gone.
    pub(crate) fn take_memory(&mut self) -> Option<Reservation> {
        self.memory.take()
    }

    /// Everything except the body.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The body's members.
    pub fn body(&self) -> &JsonObject {
        &self.body
    }

    /// Takes the body's members out of the request.
    pub fn take_body(&mut self) -> JsonObject {
        std::mem::take(&mut self.body)
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The body's members, without the rest of the request.
    pub fn into_body(self) -> JsonObject {
        self.body
    }
}
