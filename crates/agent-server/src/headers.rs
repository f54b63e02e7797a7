//! Headers of requests and responses.

use std::sync::Arc;

use agent_schemas::{HttpHead, RunId};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::response::Response;

use crate::error::ApiError;

/// The id of the run that a request started or found.
pub(crate) const RUN_ID: HeaderName = HeaderName::from_static("x-run-id");

/// The id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A header's text, if the header is present.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(ApiError::BadParameter(format!("The header {name} has characters that are not ASCII"))),
    }
}

/// The headers and the query of a request, for the agent.
pub(crate) fn head_of(parts: &Parts) -> Arc<HttpHead> {
    let characters = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), characters(value)));
    Arc::new(HttpHead::new(headers.collect(), parts.uri.query().unwrap_or_default()))
}

/// Whether the connection stays open after the response. Upstream sends a header that says so.
pub(crate) fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    version == Version::HTTP_11 && !options.any(|value| value.to_ascii_lowercase().contains("close"))
}

/// Adds the run's id to a response.
pub(crate) fn set_run_id(response: &mut Response, id: &RunId) {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(RUN_ID, id);
    }
}
