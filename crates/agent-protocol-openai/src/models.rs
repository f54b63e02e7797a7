//! `GET /v1/models`: the served agents, by their names, which are valid values of `model`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use agent_server::protocol::ApiError;
use agent_server::protocol::PathId;
use agent_server::protocol::{ErrorInfo, ProtocolContext};

#[derive(Serialize)]
struct Models {
    object: &'static str,
    data: Vec<Model>,
    /// The catalog that Codex expects instead of `data`: its settings for each model, including its own instructions.
    /// Empty, so that Codex uses its built-in ones.
    models: [(); 0],
}

#[derive(Serialize)]
struct Model {
    id: String,
    object: &'static str,
    /// Agents have no meaningful creation time, but clients expect a number here.
    created: i64,
    owned_by: &'static str,
}

pub(super) fn routes(context: ProtocolContext) -> Router {
    Router::new().route("/v1/models", get(list)).route("/v1/models/{model}", get(one)).with_state(context)
}

async fn list(State(context): State<ProtocolContext>) -> Json<Models> {
    let data = context.runner().agent_names().map(model).collect();
    Json(Models { object: "list", data, models: [] })
}

async fn one(State(context): State<ProtocolContext>, PathId(name): PathId) -> Result<Json<Model>, ApiError> {
    let mut names = context.runner().agent_names();
    match names.find(|known| *known == name) {
        Some(name) => Ok(Json(model(name))),
        None => {
            let message =
                format!("the model '{name}' does not exist; GET /v1/models lists the available ones");
            let error = ErrorInfo::new(StatusCode::NOT_FOUND, "MODEL_NOT_FOUND", message);
            Err(error.with_parameter("model").into())
        }
    }
}

fn model(name: &str) -> Model {
    Model { id: name.to_owned(), object: "model", created: 0, owned_by: "agent-server" }
}
