//! Idempotency keys.

use agent_schemas::{AgentRequest, IdempotencyKey};
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::headers;

/// The header that makes repeated requests start only one run.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The key that a request and its repetitions share, if there is one.
pub(crate) fn idempotency_key(parts: &Parts, body: &[u8]) -> Result<Option<IdempotencyKey>, ApiError> {
    let key = match headers::text(&parts.headers, IDEMPOTENCY_KEY)? {
        Some("") => return Err(ApiError::BadParameter("Idempotency-Key is empty".to_owned())),
        Some(key) => key.to_owned(),
        None => return Ok(None),
    };
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), "\0", parts.uri.path(), "\0"] {
        hash.update(part.as_bytes());
    }
    hash.update(body);
    Ok(Some(IdempotencyKey::new(key, hex(&hash.finalize()))))
}

/// Keys are scoped to a user, and a request without a user and a session would be a new user with each repetition. The
/// key then determines the session.
pub(crate) fn name_session(request: &mut AgentRequest, key: Option<&IdempotencyKey>) {
    let is_named = |id: &Option<String>| id.as_deref().is_some_and(|id| !id.is_empty());
    if let Some(key) = key.filter(|_| !is_named(&request.session_id) && !is_named(&request.user_id)) {
        let hash = Sha256::digest(["session of key\0", key.key.as_str()].concat());
        request.session_id = Some(hex(&hash[..16]));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
