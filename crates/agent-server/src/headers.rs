//! The headers that requests and answers share.

use agent_schemas::RunId;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::response::Response;

use crate::error::ApiError;

/// Names the run that a request started or found.
pub(crate) const RUN_ID: HeaderName = HeaderName::from_static("x-run-id");

/// Names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A header's text, if there is such a header.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(ApiError::BadParameter(format!("the header {name} has characters that are not ASCII"))),
    }
}

/// Whether the connection stays open after the answer, which upstream says in a header.
pub(crate) fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    version == Version::HTTP_11 && !options.any(|value| value.to_ascii_lowercase().contains("close"))
}

/// Names a run in its answer.
pub(crate) fn set_run_id(response: &mut Response, id: &RunId) {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(RUN_ID, id);
    }
}
