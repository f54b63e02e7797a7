//! What a request for a run asks for, besides the run itself.

use std::time::Duration;

use agent_runner::{OnDisconnect, StartOptions};
use agent_schemas::{AgentRequest, Json, ValidationError, sse};
use agent_services::run::{IdempotencyKey, SessionPolicy};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::body::read_request;
use crate::error::ApiError;

/// Makes repeated requests one.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Where a client that was cut off goes on.
const LAST_EVENT_ID: &str = "last-event-id";

/// A request for a run.
pub(crate) struct Asked {
    pub(crate) request: AgentRequest,
    /// Whether the answer is the run itself, at once.
    pub(crate) in_background: bool,
    /// The number and epoch of the last event that the client has.
    pub(crate) last_event: Option<(u64, u64)>,
    pub(crate) policy: Option<SessionPolicy>,
    pub(crate) on_disconnect: Option<OnDisconnect>,
    pub(crate) key: Option<IdempotencyKey>,
}

impl Asked {
    /// Reads and checks all of it.
    pub(crate) async fn read(app: &App, request: Request<Body>) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let (request, bytes) = read_request(&parts.headers, body, app.http()).await?;
        let last_event = last_event(&parts.headers)?;
        // Who has read something knows that there was a run.
        let key = idempotency_key(&parts, &bytes)?
            .map(|key| if last_event.is_some() { key.repeated() } else { key });
        if last_event.is_some() && key.is_none() {
            return Err(ApiError::NotTogether(
                "Last-Event-ID goes with the Idempotency-Key of the request that was cut off, or to \
                 GET /runs/{id}/events"
                    .to_owned(),
            ));
        }
        Ok(Asked {
            in_background: flag(&request, "background")?,
            policy: policy(&request)?,
            on_disconnect: on_disconnect(&request, app.disconnect_grace())?,
            last_event,
            key,
            request,
        }
        .with_session_of_key())
    }

    /// Keys are a user's own, and who names neither a user nor a session would be a new user with each repetition: the key
    /// names the session then.
    pub(crate) fn with_session_of_key(mut self) -> Self {
        let is_named = |id: &Option<String>| id.as_deref().is_some_and(|id| !id.is_empty());
        let is_known = is_named(&self.request.session_id) || is_named(&self.request.user_id);
        if let Some(key) = self.key.as_ref().filter(|_| !is_known) {
            let hash = Sha256::digest(["session of key\0", key.key.as_str()].concat());
            let session = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            self.request.session_id = Some(session);
        }
        self
    }

    /// How the runner is to treat the run. Nobody can read on what is no stream, so there a client that goes away is not
    /// waited for.
    pub(crate) fn options(&self, app: &App, is_stream: bool) -> StartOptions {
        let on_disconnect = match self.on_disconnect.unwrap_or(app.on_disconnect()) {
            OnDisconnect::Cancel { .. } if !is_stream => OnDisconnect::Cancel { grace: Duration::ZERO },
            chosen => chosen,
        };
        self.options_with(app, on_disconnect)
    }

    /// The same for a run that goes on by itself.
    pub(crate) fn background_options(&self, app: &App) -> StartOptions {
        self.options_with(app, OnDisconnect::Continue)
    }

    fn options_with(&self, app: &App, on_disconnect: OnDisconnect) -> StartOptions {
        let options = StartOptions::default()
            .with_on_disconnect(on_disconnect)
            .with_session_policy(self.policy.unwrap_or(app.session_policy()));
        match &self.key {
            Some(key) => options.with_key(key.clone()),
            None => options,
        }
    }
}

/// What makes this request and its repetitions one, if it says so.
pub(crate) fn idempotency_key(parts: &Parts, body: &[u8]) -> Result<Option<IdempotencyKey>, ApiError> {
    let key = match header(&parts.headers, IDEMPOTENCY_KEY)? {
        Some("") => return Err(ApiError::BadParameter("Idempotency-Key is empty".to_owned())),
        Some(key) => key.to_owned(),
        None => return Ok(None),
    };
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), "\0", parts.uri.path(), "\0"] {
        hash.update(part.as_bytes());
    }
    hash.update(body);
    let fingerprint: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(IdempotencyKey::new(key, fingerprint)))
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(ApiError::BadParameter(format!("the header {name} has characters that are not ASCII"))),
    }
}

/// The position that the client has read to, if it says so.
pub(crate) fn last_event(headers: &HeaderMap) -> Result<Option<(u64, u64)>, ApiError> {
    // A browser that has had no event yet may send the header without a value.
    match header(headers, LAST_EVENT_ID)? {
        None | Some("") => Ok(None),
        Some(id) => position(id).map(Some),
    }
}

/// A position as an event's id says it.
pub(crate) fn position(id: &str) -> Result<(u64, u64), ApiError> {
    sse::parse_id(id).ok_or_else(|| {
        ApiError::BadParameter(format!("'{id}' is no id of an event, which is a number such as 57 or 57.2"))
    })
}

fn flag(request: &AgentRequest, name: &'static str) -> Result<bool, ApiError> {
    match request.extra.get(name) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong(name, "expected true or false", other)),
    }
}

/// What the request says of its session's other runs.
pub(crate) fn policy(request: &AgentRequest) -> Result<Option<SessionPolicy>, ApiError> {
    const NAME: &str = "session_policy";
    match request.extra.get(NAME) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(word)) if word == "enqueue" => Ok(Some(SessionPolicy::Enqueue)),
        Some(Json::String(word)) if word == "reject" => Ok(Some(SessionPolicy::Reject)),
        Some(Json::String(word)) if word == "interrupt" => Ok(Some(SessionPolicy::Interrupt)),
        Some(Json::String(word)) if word == "steer" => Ok(Some(SessionPolicy::Steer)),
        Some(other) => Err(wrong(NAME, "expected 'enqueue', 'reject', 'interrupt' or 'steer'", other)),
    }
}

/// What the request says about its own disconnection.
pub(crate) fn on_disconnect(
    request: &AgentRequest,
    grace: Duration,
) -> Result<Option<OnDisconnect>, ApiError> {
    const NAME: &str = "on_disconnect";
    match request.extra.get(NAME) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(word)) if word == "continue" => Ok(Some(OnDisconnect::Continue)),
        Some(Json::String(word)) if word == "cancel" => Ok(Some(OnDisconnect::Cancel { grace })),
        Some(other) => Err(wrong(NAME, "expected 'continue' or 'cancel'", other)),
    }
}

fn wrong(name: &'static str, message: &str, input: &Json) -> ApiError {
    ApiError::Invalid(ValidationError {
        kind: "literal_error",
        location: vec![name.into()],
        message: message.to_owned(),
        input: input.clone(),
    })
}
