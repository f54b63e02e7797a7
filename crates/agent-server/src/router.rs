//! Every route of the server.

mod endpoint;
mod fallback;
mod merge;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app_error::AppError;
use crate::error::ApiError;
use crate::middleware;
use crate::protocol::{ErrorFormatLayer, Protocol, ProtocolContext};
use crate::routes::{health, process, root, runs, sessions, tasks, users};
use crate::state::App;

use self::endpoint::check_endpoint;
use self::merge::{Part, merge};

pub(crate) use self::fallback::Fallback;

/// The routes of the server, of the protocols and of the application.
///
/// # Errors
/// [`AppError::RouteConflict`] if two of them have the same route.
pub(crate) fn collect(
    app: &App,
    own_routes: Vec<Router>,
    protocols: &Arc<[Arc<dyn Protocol>]>,
) -> Result<Router, AppError> {
    let server = Part::new("the server", server_routes(app, Arc::clone(protocols)));
    let path = &app.http().endpoint_path;
    let endpoint = Part::new(format!("http.endpoint_path '{path}'"), endpoint_routes(app));
    check_endpoint(path, &server, &endpoint, protocols)?;
    let mut parts = vec![server, endpoint];
    let context = ProtocolContext::new(app.clone());
    let caught = |routes: Router| routes.layer(CatchPanicLayer::custom(panicked));
    parts.extend(protocols.iter().map(|protocol| {
        Part::new(format!("the protocol {protocol:?}"), caught(protocol.routes(context.clone())))
    }));
    parts.extend(own_routes.into_iter().map(|routes| Part::new("the application", caught(routes))));
    merge(&parts)
}

fn server_routes(app: &App, protocols: Arc<[Arc<dyn Protocol>]>) -> Router {
    Router::new()
        .route("/health", get(health::health))
        .route("/liveness", get(health::liveness))
        .route("/readiness", get(health::readiness))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", get(sessions::get).patch(sessions::patch).delete(sessions::delete))
        .route("/sessions/{id}/cancel", post(sessions::cancel))
        .route("/sessions/{id}/messages", get(sessions::messages).post(sessions::append))
        .route("/users/{id}", delete(users::delete))
        .route("/runs", get(runs::list).post(runs::post))
        .route("/runs/{id}", get(runs::get).delete(runs::delete))
        .route("/runs/{id}/events", get(runs::events))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .with_state(app.clone())
        .merge(root::routes(app.clone(), protocols))
}

/// The routes at the configured path.
fn endpoint_routes(app: &App) -> Router {
    let endpoint = &app.http().endpoint_path;
    Router::new()
        .route(endpoint, post(process::post))
        .route(&format!("{endpoint}/"), post(process::without_slash))
        .route(&format!("{endpoint}/task"), post(tasks::post))
        .route(&format!("{endpoint}/task/{{id}}"), get(tasks::get))
        .with_state(app.clone())
}

/// Wraps all routes in the application's own layers, which `wrap` adds, and then in the server's.
pub(crate) fn layered(
    app: &App,
    routes: Router,
    protocols: Arc<[Arc<dyn Protocol>]>,
    fallback: Option<Fallback>,
    wrap: impl FnOnce(Router) -> Router,
) -> Router {
    let routes = match fallback {
        Some(fallback) => {
            let app = app.clone();
            routes.fallback(move |request| fallback.answer(app, request))
        }
        None => routes.fallback(async || ApiError::NotFound),
    };
    let routes = routes.method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    middleware::around(wrap(routes), app, ErrorFormatLayer(protocols))
}

/// The answer when a handler of a protocol or of the application panics. The text goes to the server's log.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(error = text, "a handler panicked");
    ApiError::Panic.into_response()
}
