//! `GET /`: what is served here. `GET /openapi.json`: the same for machines.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::app::App;
use crate::openapi;
use crate::routes::health::MODE;

#[derive(Serialize)]
pub(crate) struct Root {
    service: String,
    mode: &'static str,
    agents: Vec<String>,
    endpoints: Endpoints,
}

#[derive(Serialize)]
struct Endpoints {
    process: String,
    runs: &'static str,
    sessions: &'static str,
    // The peer's names for these two.
    task: String,
    task_status: String,
    responses: &'static str,
    chat_completions: &'static str,
    models: &'static str,
    health: &'static str,
    readiness: &'static str,
    liveness: &'static str,
    openapi: &'static str,
}

pub(crate) async fn get(State(app): State<App>) -> Json<Root> {
    let process = app.http().endpoint_path.clone();
    Json(Root {
        service: app.name().to_owned(),
        mode: MODE,
        agents: app.runner().agent_names().map(str::to_owned).collect(),
        endpoints: Endpoints {
            runs: "/runs",
            sessions: "/sessions",
            task: format!("{process}/task"),
            task_status: format!("{process}/task/{{id}}"),
            process,
            responses: "/v1/responses",
            chat_completions: "/v1/chat/completions",
            models: "/v1/models",
            health: "/health",
            readiness: "/readiness",
            liveness: "/liveness",
            openapi: "/openapi.json",
        },
    })
}

pub(crate) async fn openapi(State(app): State<App>) -> impl IntoResponse {
    let document = openapi::document(app.name(), &app.http().endpoint_path);
    ([(header::CONTENT_TYPE, "application/json")], document)
}
