//! From an HTTP request's body to an [`AgentRequest`], or to the answer that says why not.

use std::time::Duration;

use agent_schemas::json::{ParseErrorKind, parse_with_depth};
use agent_schemas::{AgentRequest, Json, ValidationError};
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::config::HttpConfig;
use crate::error::ApiError;

/// Reads and checks a whole request body; gives the body's bytes too.
pub(crate) async fn read_request(
    headers: &HeaderMap,
    body: Body,
    config: &HttpConfig,
) -> Result<(AgentRequest, Bytes), ApiError> {
    let (json, bytes) = read_object_and_bytes(headers, body, config).await?;
    Ok((AgentRequest::from_json(json)?, bytes))
}

/// Reads a whole body that is to be a JSON object.
pub(crate) async fn read_object(request: Request<Body>, config: &HttpConfig) -> Result<Json, ApiError> {
    let (parts, body) = request.into_parts();
    Ok(read_object_and_bytes(&parts.headers, body, config).await?.0)
}

/// The same, with the bytes that it came as.
pub(crate) async fn read_object_and_bytes(
    headers: &HeaderMap,
    body: Body,
    config: &HttpConfig,
) -> Result<(Json, Bytes), ApiError> {
    let bytes = read_bytes(headers, body, config).await?;
    Ok((parse_body(headers, &bytes, config.json_depth)?, bytes))
}

async fn read_bytes(headers: &HeaderMap, body: Body, config: &HttpConfig) -> Result<Bytes, ApiError> {
    let limit = config.body_limit_bytes;
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(ApiError::TooLarge { limit });
    }
    let read = Limited::new(body, limit).collect();
    match tokio::time::timeout(Duration::from_secs(config.read_timeout_seconds), read).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge { limit }),
        Ok(Err(_)) => Err(ApiError::Unreadable("it ended early".to_owned())),
        Err(_) => Err(ApiError::TooSlow { seconds: config.read_timeout_seconds }),
    }
}

/// The JSON object that a body is, if its headers say that it is one.
pub(crate) fn parse_body(headers: &HeaderMap, bytes: &[u8], depth: usize) -> Result<Json, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::Unreadable("it is not UTF-8".to_owned()))?;
    let json = if is_json(headers) {
        if text.trim().is_empty() {
            return Err(missing_body());
        }
        parse_with_depth(text, depth).map_err(|fault| match fault.kind {
            ParseErrorKind::TooDeep => ApiError::Unreadable(format!("it nests deeper than {depth} levels")),
            _ => ApiError::Malformed(fault),
        })?
    } else {
        // The peer takes a body of another type as a string, which is then no object.
        Json::from(text)
    };
    match json {
        Json::Object(_) => Ok(json),
        Json::Null => Err(missing_body()),
        other => Err(fault(
            "dict_type",
            "the body should be a JSON object with content-type application/json",
            other,
        )),
    }
}

fn missing_body() -> ApiError {
    fault("missing", "a body is required", Json::Null)
}

fn fault(kind: &'static str, message: &str, input: Json) -> ApiError {
    ApiError::Invalid(ValidationError { kind, location: Vec::new(), message: message.to_owned(), input })
}

/// Whether the body claims to be JSON: no content type, `application/json` or `application/*+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.ends_with("+json")
}
