//! Whether the server lives, and whether it takes new runs.

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

/// How long a probe waits for the stores: probes themselves do not wait for ever.
const STORES: Duration = Duration::from_secs(2);

/// How the server runs; upstream has other modes too.
pub(crate) const MODE: &str = "standalone";

/// `GET /health`: for people and monitors; tells upstream's clients what they look for.
pub(crate) async fn health(State(app): State<App>) -> Json<Health> {
    let runner = if app.is_ready() { "ready" } else { "not_ready" };
    Json(Health { status: "healthy", mode: MODE, runner })
}

/// `GET /liveness`: answers as long as the process does.
pub(crate) async fn liveness() -> Json<Probe> {
    Json(Probe { status: "alive" })
}

/// `GET /readiness`: 200 while new runs are taken and the stores answer; 503 before the start, while a store is away, and
/// while the server shuts down.
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
            tracing::warn!(error = %error, "not ready: a store does not work");
            false
        }
        Err(_) => {
            tracing::warn!("not ready: a store does not answer");
            false
        }
    }
}
