//! Reading a request's body.

use agent_schemas::json::{ParseErrorKind, parse_with_depth};
use agent_schemas::{Json, JsonObject, ValidationError};
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::config::HttpConfig;
use crate::error::ApiError;

/// Reads a request's whole body.
pub(super) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    config: &HttpConfig,
) -> Result<Bytes, ApiError> {
    let limit = config.body_limit_bytes;
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(ApiError::TooLarge { limit });
    }
    let read = Limited::new(body, limit).collect();
    match tokio::time::timeout(config.read_timeout, read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge { limit }),
        Ok(Err(_)) => Err(ApiError::Unreadable("it was cut off".to_owned())),
        Err(_) => Err(ApiError::TooSlow { limit: config.read_timeout }),
    }
}

/// A body as JSON; as a string if its content type is not JSON.
pub(super) fn parse_body(headers: &HeaderMap, bytes: &[u8], depth: usize) -> Result<Json, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::Unreadable("it is not UTF-8".to_owned()))?;
    // Upstream takes a body of another type as a string, which is not an object.
    if is_json(headers) { parse(text, depth) } else { Ok(Json::from(text)) }
}

/// The members of a JSON object other than a request's body.
pub(crate) fn parse_object(text: &str, depth: usize) -> Result<JsonObject, ApiError> {
    match parse(text, depth)? {
        Json::Object(members) => Ok(members),
        other => Err(fault("dict_type", "expected a JSON object", other)),
    }
}

fn parse(text: &str, depth: usize) -> Result<Json, ApiError> {
    if text.trim().is_empty() {
        return Ok(Json::Null);
    }
    parse_with_depth(text, depth).map_err(|fault| match fault.kind {
        ParseErrorKind::TooDeep => ApiError::Unreadable(format!("it is nested deeper than {depth} levels")),
        _ => ApiError::Malformed(fault),
    })
}

/// The error for a body that is not an object.
pub(super) fn not_an_object(json: Json) -> ApiError {
    match json {
        Json::Null => fault("missing", "a body is required", Json::Null),
        other => {
            fault("dict_type", "the body should be a JSON object with content-type application/json", other)
        }
    }
}

fn fault(kind: &'static str, message: &str, input: Json) -> ApiError {
    ApiError::Invalid(ValidationError { kind, location: Vec::new(), message: message.to_owned(), input })
}

/// Whether the body is declared as JSON: no content type, `application/json` or `application/*+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.ends_with("+json")
}
