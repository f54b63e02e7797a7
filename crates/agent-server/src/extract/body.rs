//! Reading a request's body.

use agent_runner::{ByteBudget, Reservation};
use agent_schemas::json::{JsonSize, ParseErrorKind, parse_with_depth};
use agent_schemas::{Error, Json, JsonObject, ValidationError};
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::closing::is_closing;
use crate::config::HttpConfig;
use crate::error::ApiError;

/// Reads a request's whole body, and reserves memory for it and for what it is parsed to.
pub(super) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    config: &HttpConfig,
    bodies: &ByteBudget,
) -> Result<(Bytes, Reservation), ApiError> {
    let (bytes, mut memory) = read_whole(headers, body, config, bodies).await?;
    reserve_for_parsing(&bytes, &mut memory)?;
    Ok((bytes, memory))
}

/// Reads a request's whole body, and reserves memory for it.
pub(crate) async fn read_whole(
    headers: &HeaderMap,
    body: Body,
    config: &HttpConfig,
    bodies: &ByteBudget,
) -> Result<(Bytes, Reservation), ApiError> {
    let limit = config.body_limit_bytes;
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let mut memory = bodies.reservation();
    let read = tokio::time::timeout(config.read_timeout, collect(body, limit, &mut memory)).await;
    let bytes = read.unwrap_or(Err(ApiError::TooSlow { limit: config.read_timeout }))?;
    Ok((bytes, memory))
}

async fn collect(mut body: Body, limit: usize, memory: &mut Reservation) -> Result<Bytes, ApiError> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ended_early(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if !memory.grow(data.len()) {
            return Err(ApiError::NoRoomForBody { limit: memory.budget().limit() });
        }
        // Most bodies come as one piece, which is not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn ended_early(error: &axum::Error) -> ApiError {
    if is_closing(error) {
        return ApiError::NotStarted(Error::ShuttingDown {}.into());
    }
    ApiError::Unreadable("it ended early".to_owned())
}

fn too_large(limit: usize) -> ApiError {
    ApiError::TooLarge { limit, setting: "http.body_limit_bytes" }
}

/// Extends what is reserved for a text to what it is parsed to.
pub(crate) fn reserve_for_parsing(text: &[u8], memory: &mut Reservation) -> Result<(), ApiError> {
    let (needed, limit) = (JsonSize::of_text(text).memory(), memory.budget().limit());
    if needed > limit {
        return Err(ApiError::TooLarge { limit, setting: "http.bodies_bytes" });
    }
    if !memory.grow(needed.saturating_sub(memory.bytes())) {
        return Err(ApiError::NoRoomForBody { limit });
    }
    Ok(())
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
    // Some clients begin a text in UTF-8 with its mark, which a parser may ignore (RFC 8259).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Json::Null);
    }
    parse_with_depth(text, depth).map_err(|fault| match fault.kind {
        ParseErrorKind::TooDeep => {
            ApiError::Unreadable(format!("it is nested deeper than {depth} levels (http.json_depth)"))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body__mark_of_utf_8__is_ignored() {
        let read =
            |text: &str| parse_body(&HeaderMap::new(), text.as_bytes(), 9).ok().map(|json| json.to_string());
        assert_eq!(read("\u{feff}{\"a\":1}").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read("\u{feff} {}").as_deref(), Some("{}"));
        assert_eq!(read("\u{feff}").as_deref(), Some("null"));
        assert_eq!(read("\u{feff}\u{feff}{}"), None);
        assert_eq!(read("{\"a\":\"\u{feff}\"}").as_deref(), Some("{\"a\":\"\u{feff}\"}"));
    }
}
