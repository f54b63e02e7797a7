//! `GET /`: what this server offers. `GET /openapi.json`: the same for machines.

use std::sync::{Arc, OnceLock};

use agent_schemas::{Json as Value, JsonObject, object};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;

use crate::openapi;
use crate::protocol::{Endpoint, Protocol};
use crate::routes::health::MODE;
use crate::state::App;

/// The contents of `GET /`.
struct Directory {
    app: App,
    protocols: Arc<[Arc<dyn Protocol>]>,
    /// Created on first use.
    document: OnceLock<Bytes>,
}

pub(crate) fn routes(app: App, protocols: Arc<[Arc<dyn Protocol>]>) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/openapi.json", get(document))
        .with_state(Arc::new(Directory { app, protocols, document: OnceLock::new() }))
}

async fn root(State(directory): State<Arc<Directory>>) -> Json<Value> {
    let Directory { app, protocols, .. } = &*directory;
    let foreign = protocols.iter().flat_map(|protocol| protocol.endpoints());
    let endpoints = own_endpoints(&app.http().endpoint_path).into_iter().chain(foreign);
    let endpoints: JsonObject =
        endpoints.map(|endpoint| (endpoint.name.to_owned(), endpoint.path.into())).collect();
    let agents: Vec<Value> = app.runner().agent_names().map(Value::from).collect();
    Json(
        object! { "service" => app.name(), "mode" => MODE, "agents" => agents, "endpoints" => endpoints }
            .into(),
    )
}

fn own_endpoints(process: &str) -> [Endpoint; 9] {
    [
        Endpoint::new("process", process),
        Endpoint::new("runs", "/runs"),
        Endpoint::new("sessions", "/sessions"),
        // Upstream's names for these.
        Endpoint::new("task", format!("{process}/task")),
        Endpoint::new("task_status", format!("{process}/task/{{id}}")),
        Endpoint::new("health", "/health"),
        Endpoint::new("readiness", "/readiness"),
        Endpoint::new("liveness", "/liveness"),
        Endpoint::new("openapi", "/openapi.json"),
    ]
}

async fn document(State(directory): State<Arc<Directory>>) -> impl IntoResponse {
    let Directory { app, protocols, document } = &*directory;
    let text = document.get_or_init(|| {
        let parts = protocols.iter().map(|protocol| protocol.openapi());
        openapi::document(app.name(), &app.http().endpoint_path, parts).into()
    });
    ([(header::CONTENT_TYPE, "application/json")], text.clone())
}
