//! Whether the server is running, and whether it accepts new runs.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

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
}

/// How long a probe waits for the stores.
const STORES: Duration = Duration::from_secs(2);

/// The mode of the server; upstream also has others.
pub(crate) const MODE: &str = "standalone";

/// `GET /health`: for people and monitoring, with the members that upstream's clients expect.
pub(crate) async fn health(State(app): State<App>) -> Json<Health> {
    let runner = if app.is_ready() { "ready" } else { "not_ready" };
    Json(Health { status: "healthy", mode: MODE, runner })
}

/// `GET /liveness`: 200 while the process runs.
pub(crate) async fn liveness() -> Json<Probe> {
    Json(Probe { status: "alive" })
}

/// `GET /readiness`: 200 while the server accepts new runs and the stores respond; 503 before the start, while a store is
/// unavailable, and during shutdown.
pub(crate) async fn readiness(State(app): State<App>) -> (StatusCode, Json<Probe>) {
    if app.is_ready() && stores_answer(&app).await {
        (StatusCode::OK, Json(Probe { status: "ready" }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Probe { status: "not_ready" }))
    }
}

async fn stores_answer(app: &App) -> bool {
    match timeout(STORES, app.runner().services().health()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "not ready: a store failed");
            false
        }
        Err(_) => {
            tracing::warn!("not ready: a store did not respond in time");
            false
        }
    }
}
