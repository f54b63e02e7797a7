//! `{endpoint}/task`: background runs as upstream's clients know them.

use agent_schemas::{Json as Value, RunId, Status, object};
use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::{Caller, PathId, RunRequest};
use crate::routes::runs::known;
use crate::run_info::shown;
use crate::state::App;

/// Upstream's name for the queue of these tasks.
const QUEUE: &str = "stream_query";

#[derive(Serialize)]
pub(crate) struct Submitted {
    task_id: String,
    status: &'static str,
    queue: &'static str,
    message: &'static str,
}

/// `POST {endpoint}/task`: starts a background run; its id is the task's.
pub(crate) async fn post(State(app): State<App>, request: RunRequest) -> Result<Json<Submitted>, ApiError> {
    let RunRequest { request, mut options, memory, .. } = request;
    options.background = true;
    let run = app.start(request, options, false).await?;
    drop(memory);
    Ok(Json(Submitted {
        task_id: run.id().to_string(),
        status: "submitted",
        queue: QUEUE,
        message: "Stream query task submitted successfully",
    }))
}

/// `GET {endpoint}/task/{id}`: how far it is; `result` is the run's last event once it has ended.
pub(crate) async fn get(
    State(app): State<App>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    let record = known(&app, &caller, &RunId::new(id)).await?;
    let info = shown(&app, record).await?;
    let status = match info.status {
        Status::Queued => "pending",
        Status::InProgress => "running",
        _ => "finished",
    };
    let result = info.response.map(|response| Value::from_serialize(&response)).transpose();
    let result = result.ok().flatten().unwrap_or(Value::Null);
    Ok(Json(Value::from(object! {
        "task_id" => info.id, "status" => status, "result" => result, "queue" => QUEUE
    })))
}
