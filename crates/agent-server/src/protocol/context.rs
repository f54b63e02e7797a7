//! The API for the handlers of a protocol's routes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::{ByteBudget, ContextError, CursorError, Run, RunContext, Runner};
use agent_schemas::api::runs::RunInfo;
use agent_schemas::{Error, JsonObject, RunId, RunOptions, SessionPolicy, sse as log};
use agent_services::run::RunRecord;
use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::stream::{TranslatedStream, abort_error};
use super::{Caller, FrameWriter, MessageBudget, RunSpec, Translation, Translator};
use crate::closing::Closing;
use crate::config::HttpConfig;
use crate::error::{ApiError, log_cut};
use crate::extract::{JsonRequest, idempotency_key, name_session, parse_object};
use crate::headers::{head_of, keeps_alive, set_run_id};
use crate::run_info::shown;
use crate::sse;
use crate::state::App;

/// How much of a log is read in one call.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Starts, finds and reads runs for a protocol's handlers, under the application's limits and policies. Cheap to clone.
/// As the state of a router it lets handlers extract [`JsonRequest`].
#[derive(Clone)]
pub struct ProtocolContext(App);

impl FromRef<ProtocolContext> for Arc<HttpConfig> {
    fn from_ref(context: &ProtocolContext) -> Self {
        Arc::from_ref(&context.0)
    }
}

/// The budget of bodies.
impl FromRef<ProtocolContext> for ByteBudget {
    fn from_ref(context: &ProtocolContext) -> Self {
        ByteBudget::from_ref(&context.0)
    }
}

impl ProtocolContext {
    pub(crate) fn new(app: App) -> Self {
        ProtocolContext(app)
    }

    /// The runner, for everything else.
    pub fn runner(&self) -> &Runner {
        self.0.runner()
    }

    /// The default options of runs.
    pub fn run_options(&self) -> &RunOptions {
        self.0.run_options()
    }

    /// Parses a JSON object other than a request's body, within the same limits.
    ///
    /// # Errors
    /// [`ApiError`] if it is not an object, or is nested too deeply.
    pub fn parse(&self, text: &str) -> Result<JsonObject, ApiError> {
        parse_object(text, self.0.http().json_depth)
    }

    /// The maximum size of a request, in bytes.
    pub fn body_limit(&self) -> usize {
        self.0.http().body_limit_bytes
    }

    /// How long a connection may be silent before a heartbeat is due; `None` if there are no heartbeats.
    pub fn heartbeat(&self) -> Option<Duration> {
        Some(self.0.http().heartbeat).filter(|time| !time.is_zero())
    }

    /// How long a WebSocket may stay open; `None` for any time.
    pub fn websocket_limit(&self) -> Option<Duration> {
        Some(self.0.http().websocket).filter(|time| !time.is_zero())
    }

    /// Whether the server is shutting down and no longer starts runs.
    pub fn is_closing(&self) -> bool {
        self.runner().is_closed()
    }

    /// Starts a run, as one of the request's [principal](super::Principal) if it has one. A repeated request with the
    /// same `Idempotency-Key` header returns the run of the first one.
    ///
    /// # Errors
    /// [`ApiError`] if the runner rejects it, or the header is invalid.
    pub async fn start(&self, request: &JsonRequest, spec: RunSpec) -> Result<Run, ApiError> {
        let RunSpec { request: mut agent_request, mut options, context, is_stream } = spec;
        // A client that joins a running run would see half a stream, which only our own protocol supports.
        if options.session_policy == SessionPolicy::Steer {
            options.session_policy = SessionPolicy::Enqueue;
        }
        Caller::of(&request.parts().extensions).claim(&mut agent_request);
        let key = idempotency_key(request.parts(), request.bytes())?;
        options.anonymous_session = name_session(&mut agent_request, key.as_ref());
        options.idempotency_key = key;
        options.http = Some(head_of(request.parts()));
        Ok(self.0.start_with(agent_request, options, context, is_stream).await?)
    }

    /// The record of a run, if it exists for the caller.
    ///
    /// # Errors
    /// [`ApiError`] if the store fails.
    pub async fn record(&self, caller: &Caller, id: &RunId) -> Result<Option<RunRecord>, ApiError> {
        let record = self.runner().record(id).await?;
        Ok(record.filter(|record| caller.may_see(&record.user_id)))
    }

    /// The messages of a run and of the runs that it continues, for a run that continues it; see
    /// [`Runner::context`]. A run that the caller may not see counts as missing.
    ///
    /// # Errors
    /// [`ContextError`] if the run cannot be continued, or the store fails.
    pub async fn context(
        &self,
        caller: &Caller,
        previous: &RunId,
        may_continue: impl Fn(&RunRecord) -> bool,
    ) -> Result<RunContext, ContextError> {
        let may_continue = |record: &RunRecord| caller.may_see(&record.user_id) && may_continue(record);
        self.runner().context(previous, may_continue).await
    }

    /// The budget for the messages of a connection that a request with these parts opened.
    pub fn messages(&self, client: &Parts) -> MessageBudget {
        MessageBudget::new(client.extensions.get().cloned(), self.0.bodies().clone())
    }

    /// Responds with a run's log as a stream, from the translator's first frame to its last, with heartbeats while the
    /// run is silent. If the client disconnects, the run's policy determines what happens to the run.
    pub fn stream(&self, run: &Run, client: &Parts, translator: impl Translator) -> Response {
        let source = TranslatedStream::new(run.cursor(0), translator, self.0.closing());
        let keeps_alive = keeps_alive(client.version, &client.headers);
        named(sse::respond(&self.0, source, keeps_alive), run.id())
    }

    /// Responds with frames in the form of Server-Sent Events, in pieces of complete frames, with heartbeats in between. The
    /// stream ends when the frames do, or when the server closes its connections.
    pub fn respond<S>(&self, frames: S, client: &Parts) -> Response
    where
        S: Stream<Item = Result<Bytes, CursorError>> + Send + Unpin + 'static,
    {
        sse::respond(&self.0, frames, keeps_alive(client.version, &client.headers))
    }

    /// A run as the native protocol shows it, if it exists for the caller.
    ///
    /// # Errors
    /// [`ApiError`] if the store fails.
    pub async fn run_info(&self, caller: &Caller, id: &RunId) -> Result<Option<RunInfo>, ApiError> {
        match self.record(caller, id).await? {
            Some(record) => Ok(Some(shown(&self.0, record).await?)),
            None => Ok(None),
        }
    }

    /// A run's log as the translator's frames, in pieces of complete frames, for other kinds of connections.
    pub fn frames<T: Translator>(
        &self,
        run: &Run,
        translator: T,
    ) -> impl Stream<Item = Result<Bytes, CursorError>> + Send + Unpin + use<T> {
        TranslatedStream::new(run.cursor(0), translator, self.0.closing())
    }

    /// Resolves when the server closes its connections, at the end of a shutdown.
    pub async fn closing(&self) {
        self.0.closing().given().await;
    }

    /// Delays the end of the process, for a limited time, until the result is dropped: for connections that no
    /// longer speak HTTP.
    pub fn hold_open(&self) -> impl Sized + Send + use<> {
        self.0.connections().token()
    }

    /// Waits for a run's end and answers with its result. If the server closes its connections earlier, the
    /// translator sees an error. If only the end of its log is kept, the translator sees the final event alone.
    pub async fn collect(&self, run: &Run, translator: impl Translator) -> Response {
        let mut translation = Translation::new(translator);
        let mut cursor = run.cursor(run.start());
        let mut frames = FrameWriter::discard();
        let read = async {
            while let Some(batch) = cursor.next().await {
                let read = batch.and_then(|batch| {
                    let mut entries = log::frames(&batch.frames);
                    Ok(entries.try_for_each(|json| translation.on_entry(json, &mut frames))?)
                });
                if let Err(error) = read {
                    log_cut(&error, "could not read a run's log to its end");
                    translation.on_abort(&abort_error(&error), &mut frames);
                    break;
                }
            }
        };
        if Closing::new(self.0.closing()).before(read).await.is_none() {
            translation.on_abort(&Error::ShuttingDown {}.to_body(), &mut frames);
        }
        named(translation.answer(), run.id())
    }

    /// Answers with a run's result so far, whoever owns it: check access with [`Self::record`] first. If only the end
    /// of its log is kept, the translator sees the final event alone.
    ///
    /// # Errors
    /// [`ApiError`] if the store fails, or the run does not exist.
    pub async fn snapshot(&self, id: &RunId, translator: impl Translator) -> Result<Response, ApiError> {
        let mut translation = Translation::new(translator);
        let runs = &self.runner().services().runs;
        let (mut from, mut frames) = (0, FrameWriter::discard());
        loop {
            let Some(chunk) = runs.read(id, from, CHUNK_BYTES).await? else {
                let kept = self
                    .runner()
                    .record(id)
                    .await?
                    .ok_or_else(|| ApiError::NoSuchRun(id.to_string()))?
                    .first_entry;
                if from > 0 || kept == 0 {
                    return Err(ApiError::Cut(CursorError::Gone));
                }
                from = kept;
                continue;
            };
            for json in chunk.batches.iter().flat_map(|batch| log::frames(&batch.frames)) {
                if let Err(error) = translation.on_entry(json, &mut frames) {
                    tracing::error!(run.id = %id, error = %error, "an entry of a run's log is damaged; skipping it");
                }
            }
            match chunk.batches.last() {
                Some(last) if !chunk.is_end => from = last.end(),
                _ => return Ok(named(translation.answer(), id)),
            }
        }
    }
}

fn named(mut response: Response, id: &RunId) -> Response {
    set_run_id(&mut response, id);
    response
}

impl fmt::Debug for ProtocolContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtocolContext").field("name", &self.0.name()).finish_non_exhaustive()
    }
}
