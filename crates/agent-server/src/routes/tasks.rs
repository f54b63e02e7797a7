//! `{endpoint}/task`: background runs as the peer's clients know them.

use agent_schemas::{Json as Value, Status, object};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use serde::Serialize;

use crate::app::App;
use crate::asked::Asked;
use crate::error::ApiError;
use crate::query::IdInPath;
use crate::routes::runs::{known, run_id, shown};

/// The peer's name for the queue of these tasks.
const QUEUE: &str = "stream_query";

#[derive(Serialize)]
pub(crate) struct Submitted {
    task_id: String,
    status: &'static str,
    queue: &'static str,
    message: &'static str,
}

/// `POST {endpoint}/task`: starts a run that goes on by itself; its id is the task's.
pub(crate) async fn post(
    State(app): State<App>,
    request: Request<Body>,
) -> Result<Json<Submitted>, ApiError> {
    let asked = Asked::read(&app, request).await?;
    let options = asked.background_options(&app);
    let run = app.runner().start(asked.request, options).await?;
    Ok(Json(Submitted {
        task_id: run.id().to_string(),
        status: "submitted",
        queue: QUEUE,
        message: "Stream query task submitted successfully",
    }))
}

/// `GET {endpoint}/task/{id}`: how far it is; `result` is the run's last event once it has ended.
pub(crate) async fn get(State(app): State<App>, id: IdInPath) -> Result<Json<Value>, ApiError> {
    let record = known(&app, &run_id(id)?).await?;
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
