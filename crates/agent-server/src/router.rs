//! Every route of the server.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::ApiError;
use crate::middleware;
use crate::protocol::{ErrorFormatLayer, Protocol, ProtocolContext};
use crate::routes::{health, process, root, runs, sessions, tasks, users};
use crate::state::App;

/// The server's routes, then those of the other protocols and the user's own, inside the layers that all of them share. `wrap`
/// adds the user's own layers around all routes.
pub(crate) fn router(
    app: App,
    own_routes: Router,
    protocols: &[Arc<dyn Protocol>],
    wrap: impl FnOnce(Router) -> Router,
) -> Router {
    let protocols: Arc<[Arc<dyn Protocol>]> = protocols.into();
    let endpoint = app.http().endpoint_path.clone();
    let routes = Router::new()
        .route(&endpoint, post(process::post))
        .route(&format!("{endpoint}/"), post(process::without_slash))
        .route("/health", get(health::health))
        .route("/liveness", get(health::liveness))
        .route("/readiness", get(health::readiness))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", get(sessions::get).patch(sessions::patch).delete(sessions::delete))
        .route("/sessions/{id}/cancel", post(sessions::cancel))
        .route("/users/{id}", delete(users::delete))
        .route("/runs", get(runs::list).post(runs::post))
        .route("/runs/{id}", get(runs::get).delete(runs::delete))
        .route("/runs/{id}/events", get(runs::events))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .route(&format!("{endpoint}/task"), post(tasks::post))
        .route(&format!("{endpoint}/task/{{id}}"), get(tasks::get))
        .route("/sessions/{id}/messages", get(sessions::messages).post(sessions::append))
        .with_state(app.clone())
        .merge(root::routes(app.clone(), Arc::clone(&protocols)));
    let context = ProtocolContext::new(app.clone());
    let own_routes = protocols
        .iter()
        .fold(own_routes, |routes, protocol| routes.merge(protocol.routes(context.clone())))
        .layer(CatchPanicLayer::custom(panicked));
    let routes = routes
        .merge(own_routes)
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    middleware::around(wrap(routes), &app, ErrorFormatLayer(protocols))
}

/// Answers where a handler of a protocol or of the application panicked. The text is for the server's log.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(error = text, "a handler panicked");
    ApiError::Panic.into_response()
}
