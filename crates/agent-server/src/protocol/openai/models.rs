//! `GET /v1/models`: the served agents, by the names that a request's `model` may have.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::error::ApiError;
use crate::protocol::{Failure, Server};
use crate::query::IdInPath;

#[derive(Serialize)]
struct Models {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Serialize)]
struct Model {
    id: String,
    object: &'static str,
    /// Agents are as old as their server, which says nothing to a client; but clients need a number here.
    created: i64,
    owned_by: &'static str,
}

pub(super) fn routes(server: Server) -> Router {
    Router::new().route("/v1/models", get(list)).route("/v1/models/{model}", get(one)).with_state(server)
}

async fn list(State(server): State<Server>) -> Json<Models> {
    let data = server.runner().agent_names().map(model).collect();
    Json(Models { object: "list", data })
}

async fn one(State(server): State<Server>, name: IdInPath) -> Result<Json<Model>, ApiError> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let mut names = server.runner().agent_names();
    match names.find(|known| *known == name) {
        Some(name) => Ok(Json(model(name))),
        None => {
            let message = format!("the model '{name}' does not exist; GET /v1/models lists those that do");
            let mut failure = Failure::new(StatusCode::NOT_FOUND, "MODEL_NOT_FOUND", message);
            failure.parameter = Some("model".to_owned());
            Err(failure.into())
        }
    }
}

fn model(name: &str) -> Model {
    Model { id: name.to_owned(), object: "model", created: 0, owned_by: "agent-server" }
}
