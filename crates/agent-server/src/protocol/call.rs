//! A foreign request with its body.

use agent_schemas::{Json, JsonObject};
use axum::http::request::Parts;
use bytes::Bytes;

use crate::error::ApiError;

/// One HTTP request whose body was read: a JSON object, within the server's limits.
#[derive(Debug)]
pub struct Call {
    pub(super) parts: Parts,
    pub(super) bytes: Bytes,
    pub(super) body: JsonObject,
}

impl Call {
    pub(super) fn new(parts: Parts, bytes: Bytes, body: Json) -> Result<Self, ApiError> {
        match body {
            Json::Object(body) => Ok(Call { parts, bytes, body }),
            _ => Err(ApiError::Unreadable("it is no JSON object".to_owned())),
        }
    }

    /// Everything besides the body.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The body's members.
    pub fn body(&self) -> &JsonObject {
        &self.body
    }
}
