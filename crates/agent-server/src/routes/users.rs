//! `/users`: everything that is kept of a user.

use agent_runner::Deleted;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::error::{ApiError, ErrorInfo};
use crate::extract::{PathId, QueryParams};
use crate::state::App;

/// What was deleted of a user.
#[derive(Serialize)]
pub(crate) struct DeletedUser {
    user_id: String,
    runs: u64,
    sessions: u64,
    states: u64,
    memories: u64,
}

/// `DELETE /users/{id}?user_id=`: deletes everything of the user that the request comes from. Runs that have not ended are
/// cancelled first. Repeating it is answered alike, with nothing deleted.
pub(crate) async fn delete(
    State(app): State<App>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<DeletedUser>, ApiError> {
    let user = query.required_user()?;
    if user.as_str() != id {
        let message =
            "A request may only delete the data of its own user: the user in the path and user_id differ";
        return Err(ErrorInfo::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message).into());
    }
    let Deleted { runs, sessions, states, memories, .. } = app.runner().delete_user(&user).await?;
    Ok(Json(DeletedUser { user_id: id, runs, sessions, states, memories }))
}
