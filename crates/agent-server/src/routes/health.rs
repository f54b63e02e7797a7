//! Whether the server lives, and whether it takes new runs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::app::App;

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    mode: &'static str,
    runner: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Probe {
    status: &'static str,
}

/// How the server runs; the peer has other modes too.
pub(crate) const MODE: &str = "standalone";

/// `GET /health`: for people and monitors; tells the peer's clients what they look for.
pub(crate) async fn health(State(app): State<App>) -> Json<Health> {
    let runner = if app.is_ready() { "ready" } else { "not_ready" };
    Json(Health { status: "healthy", mode: MODE, runner })
}

/// `GET /liveness`: answers as long as the process does.
pub(crate) async fn liveness() -> Json<Probe> {
    Json(Probe { status: "alive" })
}

/// `GET /readiness`: 200 while new runs are taken, 503 before the start and while the server shuts down.
pub(crate) async fn readiness(State(app): State<App>) -> (StatusCode, Json<Probe>) {
    if app.is_ready() {
        (StatusCode::OK, Json(Probe { status: "ready" }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Probe { status: "not_ready" }))
    }
}
