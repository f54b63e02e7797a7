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
    health: &'static str,
    readiness: &'static str,
    liveness: &'static str,
    openapi: &'static str,
}

pub(crate) async fn get(State(app): State<App>) -> Json<Root> {
    Json(Root {
        service: app.name().to_owned(),
        mode: MODE,
        agents: app.runner().agent_names().map(str::to_owned).collect(),
        endpoints: Endpoints {
            process: app.http().endpoint_path.clone(),
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
