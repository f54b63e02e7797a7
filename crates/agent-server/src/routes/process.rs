//! `POST /process`: run the agent; a stream of events, or one response object.

use std::time::Duration;

use agent_runner::Cursor;
use agent_schemas::sse as frames;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Version, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::app::App;
use crate::asked::Asked;
use crate::error::{ApiError, status_of};
use crate::routes::runs;
use crate::sse;

/// The header that names the run which a request started.
pub(crate) const RUN_ID: &str = "x-run-id";

pub(crate) async fn post(State(app): State<App>, request: Request<Body>) -> Result<Response, ApiError> {
    let only_events = accepts_only_events(request.headers());
    let keeps_alive = keeps_alive(request.version(), request.headers());
    let asked = Asked::read(&app, request).await?;
    if asked.in_background {
        return runs::in_background(&app, asked).await;
    }
    let is_stream = asked.request.stream || only_events;
    let last_event = asked.last_event;
    let options = asked.options(&app, is_stream);
    let run = app.runner().start(asked.request, options).await?;
    let run_id = HeaderValue::from_str(run.id().as_str());
    let cursor = match last_event {
        Some((number, epoch)) => run.cursor_after(number, epoch).await?,
        None => run.answer_cursor()?,
    };
    drop(run);
    let mut response = if is_stream {
        sse::respond_with_log(cursor, Duration::from_secs(app.http().heartbeat_seconds), keeps_alive)
    } else {
        whole(cursor).await?
    };
    if let Ok(run_id) = run_id {
        response.headers_mut().insert(RUN_ID, run_id);
    }
    Ok(response)
}

/// Whether the connection stays open after the answer, which the peer says in a header.
pub(crate) fn keeps_alive(version: Version, headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    version == Version::HTTP_11 && !options.any(|value| value.to_ascii_lowercase().contains("close"))
}

/// Sends a client that wrote one slash too many to the right place, as the peer does.
pub(crate) async fn without_slash(State(app): State<App>) -> Redirect {
    Redirect::temporary(&app.http().endpoint_path)
}

/// Waits for the end and answers with the final response object.
async fn whole(mut cursor: Cursor) -> Result<Response, ApiError> {
    let mut last = Bytes::new();
    while let Some(batch) = cursor.next().await {
        last = batch?.frames;
    }
    let json = last.slice_ref(frames::frames(&last).last().unwrap_or_default());
    // A failed run answers with the status of its error.
    let status = cursor.end().and_then(|end| end.http_status).map_or(StatusCode::OK, status_of);
    Ok((status, [(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// Whether the client takes nothing but events, whatever its body says.
fn accepts_only_events(headers: &HeaderMap) -> bool {
    let mut types = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .peekable();
    types.peek().is_some() && types.all(|range| range == "text/event-stream")
}
