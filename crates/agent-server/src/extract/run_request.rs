//! A request for a run in the server's own protocol.

use std::sync::Arc;

use agent_runner::{ByteBudget, Reservation};
use agent_schemas::{AgentRequest, RunOptions, sse};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::{HeaderMap, Request, header};

use super::{Caller, JsonRequest, idempotency_key, name_session};
use crate::config::HttpConfig;
use crate::error::ApiError;
use crate::headers::{self, head_of, keeps_alive};

/// The position at which a disconnected client resumes.
const LAST_EVENT_ID: &str = "last-event-id";

/// A request for a run.
#[derive(Debug)]
pub(crate) struct RunRequest {
    pub(crate) request: AgentRequest,
    pub(crate) options: RunOptions,
    /// The number and epoch of the last event that the client has.
    pub(crate) last_event: Option<(u64, u64)>,
    /// Whether the response is a stream: the body says so, or the client accepts nothing else.
    pub(crate) is_stream: bool,
    /// Whether the connection stays open after the response.
    pub(crate) keeps_alive: bool,
    /// What is reserved for the body, until the run has begun and counts itself.
    pub(crate) memory: Option<Reservation>,
}

impl<S> FromRequest<S> for RunRequest
where
    S: Send + Sync,
    Arc<HttpConfig>: FromRef<S>,
    Arc<RunOptions>: FromRef<S>,
    ByteBudget: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ApiError> {
        let mut call = JsonRequest::from_request(request, state).await?;
        let memory = call.take_memory();
        let caller = Caller::of(&call.parts().extensions);
        let last_event = last_event(&call.parts().headers)?;
        // A client that has received an event knows that the run exists.
        let key = idempotency_key(call.parts(), call.bytes())?
            .map(|key| if last_event.is_some() { key.repeated() } else { key });
        if last_event.is_some() && key.is_none() {
            return Err(ApiError::NotTogether(
                "Last-Event-ID requires the Idempotency-Key of the interrupted request. Without a key, send it to \
                 GET /runs/{id}/events"
                    .to_owned(),
            ));
        }
        let only_events = accepts_only_events(&call.parts().headers);
        let keeps_alive = keeps_alive(call.parts().version, &call.parts().headers);
        let http = head_of(call.parts());
        let mut request = AgentRequest::from_json(call.into_body().into())?;
        let mut options = RunOptions::clone(&Arc::<RunOptions>::from_ref(state));
        options.read_from(&mut request.extra)?;
        caller.claim(&mut request);
        options.anonymous_session = name_session(&mut request, key.as_ref());
        options.idempotency_key = key;
        options.http = Some(http);
        let is_stream = request.stream || only_events;
        Ok(RunRequest { request, options, last_event, is_stream, keeps_alive, memory })
    }
}

/// The position up to which the client has read, if it sends one.
pub(crate) fn last_event(headers: &HeaderMap) -> Result<Option<(u64, u64)>, ApiError> {
    // A browser that has not received an event may send the header without a value.
    match headers::text(headers, LAST_EVENT_ID)? {
        None | Some("") => Ok(None),
        Some(id) => position(id).map(Some),
    }
}

/// A position in the form of an event's id.
pub(crate) fn position(id: &str) -> Result<(u64, u64), ApiError> {
    sse::parse_id(id).ok_or_else(|| {
        ApiError::BadParameter(format!("'{id}' is not an event id, which looks like 57 or 57.2"))
    })
}

/// Whether the client accepts only events, regardless of its body.
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
