//! Whether the server is running, and whether it accepts new runs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::readiness::Reason;
use crate::state::App;

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    mode: &'static str,
    runner: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Probe {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

/// The mode of the server; upstream has others, too.
pub(crate) const MODE: &str = "standalone";

/// `GET /health`: for people and monitoring, with the members that upstream's clients expect.
pub(crate) async fn health(State(app): State<App>) -> Json<Health> {
    let runner = if app.is_ready() { "ready" } else { "not_ready" };
    Json(Health { status: "healthy", mode: MODE, runner })
}

/// `GET /liveness`: 200 while the process runs.
pub(crate) async fn liveness() -> Json<Probe> {
    Json(Probe { status: "alive", reason: None })
}

/// `GET /readiness`: 200 while the server accepts new runs and the stores respond and take writes; 503 with a reason before
/// the start, while a store is full or fails, and during shutdown.
pub(crate) async fn readiness(State(app): State<App>) -> (StatusCode, Json<Probe>) {
    match app.readiness().await {
        Ok(()) => (StatusCode::OK, Json(Probe { status: "ready", reason: None })),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(Probe { status: "not_ready", reason: Some(reason) }))
        }
    }
}
