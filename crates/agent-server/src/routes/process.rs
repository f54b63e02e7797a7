//! `POST /process`: run the agent; a stream of events, or one response object.

use agent_runner::Cursor;
use agent_schemas::sse as frames;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::closing::Closing;
use crate::error::{ApiError, status_of};
use crate::extract::RunRequest;
use crate::headers::{set_retry_after, set_run_id};
use crate::routes::runs;
use crate::sse;
use crate::state::App;

pub(crate) async fn post(State(app): State<App>, request: RunRequest) -> Result<Response, ApiError> {
    if request.options.background {
        return runs::in_background(&app, request).await;
    }
    let RunRequest { request, options, last_event, is_stream, keeps_alive, memory } = request;
    let run = app.start(request, options, is_stream).await?;
    drop(memory);
    let id = run.id().clone();
    let cursor = match last_event {
        Some((number, epoch)) => run.cursor_after(number, epoch).await?,
        None => run.answer_cursor()?,
    };
    drop(run);
    let mut response = if is_stream {
        sse::respond_with_log(&app, cursor, keeps_alive)
    } else {
        let answer = Closing::new(app.closing()).before(whole(cursor)).await;
        answer.unwrap_or_else(|| Err(ApiError::Unanswered(id.to_string())))?
    };
    set_run_id(&mut response, &id);
    Ok(response)
}

/// Redirects a path with a trailing slash, as upstream does.
pub(crate) async fn without_slash(State(app): State<App>) -> Redirect {
    Redirect::temporary(&app.http().endpoint_path)
}

/// Waits for the end and responds with the final response object.
async fn whole(mut cursor: Cursor) -> Result<Response, ApiError> {
    let mut last = Bytes::new();
    while let Some(batch) = cursor.next().await {
        last = batch?.frames;
    }
    let json = last.slice_ref(frames::frames(&last).last().unwrap_or_default());
    // A failed run responds with the status of its error.
    let end = cursor.end();
    let status = end.as_ref().and_then(|end| end.http_status).map_or(StatusCode::OK, status_of);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
    set_retry_after(&mut response, end.and_then(|end| end.retry_after));
    Ok(response)
}
