//! What the handlers of a protocol's routes can do.

use std::fmt;
use std::time::Duration;

use agent_runner::{CursorError, Run, Runner};
use agent_schemas::{Error, Json, JsonObject, RunId, sse as log};
use agent_services::run::{RunRecord, SessionPolicy};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::translated::Translated;
use super::{Call, Frames, Order, Translator};
use crate::app::App;
use crate::asked::{Asked, idempotency_key};
use crate::body::{parse_body, read_object_and_bytes};
use crate::error::ApiError;
use crate::routes::process::{RUN_ID, keeps_alive};
use crate::sse;

/// The most of a log that is read at once.
const PAGE_BYTES: usize = 1024 * 1024;

/// Starts, finds and reads runs for a protocol's handlers, under the application's limits and policies. Cheap to clone.
#[derive(Clone)]
pub struct Server(App);

impl Server {
    pub(crate) fn new(app: App) -> Self {
        Server(app)
    }

    /// The runner, for whatever is not here.
    pub fn runner(&self) -> &Runner {
        self.0.runner()
    }

    /// Reads a request whose body is to be a JSON object.
    ///
    /// # Errors
    /// [`ApiError`] if it is none, is too large, nests too deeply, or does not arrive.
    pub async fn read(&self, request: Request<Body>) -> Result<Call, ApiError> {
        let (parts, body) = request.into_parts();
        let (json, bytes) = read_object_and_bytes(&parts.headers, body, self.0.http()).await?;
        Call::new(parts, bytes, json)
    }

    /// The members of a JSON object that came otherwise than as the body of a request, within the same limits.
    ///
    /// # Errors
    /// [`ApiError`] if it is none, or nests too deeply.
    pub fn parse(&self, text: &str) -> Result<JsonObject, ApiError> {
        match parse_body(&HeaderMap::new(), text.as_bytes(), self.0.http().json_depth)? {
            Json::Object(members) => Ok(members),
            _ => Err(ApiError::Unreadable("it is no JSON object".to_owned())),
        }
    }

    /// How many bytes a request may have.
    pub fn body_limit(&self) -> usize {
        self.0.http().body_limit_bytes
    }

    /// After which time without anything else to send a connection gets a sign of life; `None` if it gets none.
    pub fn heartbeat(&self) -> Option<Duration> {
        Some(self.0.http().heartbeat_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Whether the server is about to end, and starts nothing any more.
    pub fn is_closing(&self) -> bool {
        self.runner().is_closed()
    }

    /// Starts a run. A request with the header `Idempotency-Key` that was made before gives the run that it made then.
    ///
    /// # Errors
    /// [`ApiError`] if the runner refuses it, or the header makes no sense.
    pub async fn start(&self, call: &Call, order: Order) -> Result<Run, ApiError> {
        let asked = Asked {
            in_background: order.in_background,
            last_event: None,
            // A client that joins a run in its middle would see half a stream, which no protocol but our own knows.
            policy: Some(match order.session_policy.unwrap_or(self.0.session_policy()) {
                SessionPolicy::Steer => SessionPolicy::Enqueue,
                policy => policy,
            }),
            on_disconnect: order.on_disconnect,
            key: idempotency_key(&call.parts, &call.bytes)?,
            request: order.request,
        }
        .with_session_of_key();
        let mut options = if asked.in_background {
            asked.background_options(&self.0)
        } else {
            asked.options(&self.0, order.is_stream)
        };
        options.without_history = order.without_history;
        if order.is_kept {
            options.kept_for = self.0.response_time();
        }
        Ok(self.runner().start(asked.request, options).await?)
    }

    /// What is known of a run.
    ///
    /// # Errors
    /// [`ApiError`] if the store fails.
    pub async fn record(&self, id: &RunId) -> Result<Option<RunRecord>, ApiError> {
        Ok(self.runner().record(id).await?)
    }

    /// Answers with a run's log as a stream, from the translator's first frame to its last, with signs of life where the
    /// run is silent. A client that goes away leaves the run to its policy.
    pub fn stream(&self, run: &Run, client: &Parts, translator: impl Translator) -> Response {
        let source = Translated::new(run.cursor(0), translator);
        let heartbeat = Duration::from_secs(self.0.http().heartbeat_seconds);
        named(sse::respond(source, heartbeat, keeps_alive(client.version, &client.headers)), run.id())
    }

    /// A run's log as the translator's frames, in pieces of whole ones, for connections of another kind.
    pub fn frames<T: Translator>(
        &self,
        run: &Run,
        translator: T,
    ) -> impl Stream<Item = Result<Bytes, CursorError>> + Send + Unpin + use<T> {
        Translated::new(run.cursor(0), translator)
    }

    /// Waits for a run's end and answers with what it amounts to. Where only the end of its log is kept, that is what the
    /// translator makes of the final event alone.
    pub async fn whole(&self, run: &Run, mut translator: impl Translator) -> Response {
        let mut cursor = run.cursor(run.start());
        let mut frames = Frames::unwanted();
        while let Some(batch) = cursor.next().await {
            let read = batch.and_then(|batch| {
                let mut entries = log::frames(&batch.frames);
                Ok(entries.try_for_each(|json| translator.on_entry(json, &mut frames))?)
            });
            if let Err(error) = read {
                tracing::error!(run.id = %run.id(), error = %error, "a run's log could not be read to its end");
                translator.on_cut(&cut(&error), &mut frames);
                break;
            }
        }
        named(translator.answer(), run.id())
    }

    /// Answers with what a run amounts to so far. Of a run of which only the end of the log is kept, the translator sees the
    /// final event alone.
    ///
    /// # Errors
    /// [`ApiError`] if the store fails, or there is no such run.
    pub async fn so_far(&self, id: &RunId, mut translator: impl Translator) -> Result<Response, ApiError> {
        let runs = &self.runner().services().runs;
        let (mut from, mut frames) = (0, Frames::unwanted());
        loop {
            let Some(page) = runs.read(id, from, PAGE_BYTES).await? else {
                let kept =
                    self.record(id).await?.ok_or_else(|| ApiError::NoSuchRun(id.to_string()))?.first_entry;
                if from > 0 || kept == 0 {
                    return Err(ApiError::Cut(CursorError::Gone));
                }
                from = kept;
                continue;
            };
            for json in page.batches.iter().flat_map(|batch| log::frames(&batch.frames)) {
                if let Err(error) = translator.on_entry(json, &mut frames) {
                    tracing::error!(run.id = %id, error = %error, "an entry of the log is damaged");
                }
            }
            match page.batches.last() {
                Some(last) if !page.is_end => from = last.end(),
                _ => return Ok(named(translator.answer(), id)),
            }
        }
    }
}

/// What a client is told when a log cannot be read to its end.
pub(super) fn cut(error: &CursorError) -> agent_schemas::ErrorBody {
    Error::RunInterrupted { reason: error.to_string() }.to_body()
}

fn named(mut response: Response, id: &RunId) -> Response {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(RUN_ID, id);
    }
    response
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.0.name()).finish_non_exhaustive()
    }
}
