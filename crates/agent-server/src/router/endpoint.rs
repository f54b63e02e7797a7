//! Checks that the configured path is free.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::merge::{Part, conflict};
use crate::app_error::AppError;
use crate::protocol::Protocol;

/// Rejects an endpoint at a path that already has another meaning, for any method, because clients could not tell the
/// two apart.
pub(super) fn check_endpoint(
    path: &str,
    server: &Part,
    endpoint: &Part,
    protocols: &[Arc<dyn Protocol>],
) -> Result<(), AppError> {
    let any = get(async || "").post(async || "").put(async || "").patch(async || "").delete(async || "");
    let every_method = Part::new("", Router::new().route(path, any));
    let hides = |resource: &str| path.strip_prefix(resource).is_some_and(|rest| rest.starts_with('/'));
    let first = if conflict(server, &every_method).is_some()
        || ["/runs", "/sessions", "/users"].into_iter().any(hides)
    {
        server.owner.clone()
    } else {
        match protocols.iter().find(|protocol| protocol.owns_path(path)) {
            Some(protocol) => format!("the protocol {protocol:?}"),
            None => return Ok(()),
        }
    };
    Err(AppError::RouteConflict { route: path.to_owned(), first, second: endpoint.owner.clone() })
}
