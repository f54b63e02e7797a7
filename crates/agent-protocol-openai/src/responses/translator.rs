//! Translates a run's events to the events of a response's stream.
//!
//! The translator holds the response in its current state; each event changes it and reports the change. Items and parts are
//! numbered in the order in which they start. The numbers may differ from the native ones, because not every content
//! has a part.

mod closing;
mod deltas;
mod growing;
mod open;

use agent_schemas::responses::{
    IncompleteDetails, Numbered, Response, ResponseError, ResponseStatus, ResponseUsage, StreamEvent,
};
use agent_schemas::{AgentResponse, DecodeError, ErrorBody, Event, JsonObject, RunId, Status, object, sse};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use self::deltas::Relayed;
use self::open::{OpenMessage, call_ids, is_call, needs_contents};
use super::declared::DeclaredTools;
use super::echoed::EchoedSettings;
use super::ids::{self, response_id};
use super::items::Answer;
use crate::error::{self, CONTEXT_LENGTH_EXCEEDED, RATE_LIMIT_EXCEEDED};
use agent_server::protocol::ApiError;
use agent_server::protocol::{ErrorInfo, EscapedText, FrameWriter, TextDelta, Translator};

/// The form of a response that is not streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The response.
    Plain,
    /// The response, repeated in its own member `response`, which upstream's clients expect.
    Upstream,
}

/// Translates the log of one run.
#[derive(Debug)]
pub(super) struct Responses {
    response: Response,
    /// The settings of its request, as members of a JSON object.
    settings: String,
    writer: Writer,
    open: Vec<OpenMessage>,
    /// The part whose deltas are relayed.
    relayed: Option<Relayed>,
    /// The tools that the client executes.
    declared: DeclaredTools,
    /// The agent's own calls without an output yet: the id of the call and the position of its item.
    unanswered: Vec<(String, usize)>,
    /// Outputs that came before the end of their calls.
    early_answers: Vec<Answer>,
    /// The ids of calls that were complete, or are still to come: if the log is no longer kept, messages are in the order
    /// of their ends.
    calls: Vec<String>,
    /// The end of the items' ids, if the items can be referred to.
    locator: Option<String>,
    /// Why the model stopped early.
    cut_short: Option<&'static str>,
    is_background: bool,
    /// Why the run failed.
    failure: Option<ErrorInfo>,
    /// Whether the answer of a run that failed is an error.
    answers_failure: bool,
    /// Whether reasoning is shown as its summary.
    wants_summary: bool,
    form: Form,
}

/// Numbers the events, and skips those that the client has received.
#[derive(Debug)]
struct Writer {
    next: u64,
    from: u64,
}

impl Writer {
    fn send(&mut self, event: StreamEvent<'_>, frames: &mut FrameWriter) {
        if let Some(sequence_number) = self.number() {
            frames.push_named(event.name(), &Numbered { sequence_number, event });
        }
    }

    /// The same for an event whose response repeats these settings.
    fn send_snapshot(&mut self, event: StreamEvent<'_>, settings: &str, frames: &mut FrameWriter) {
        let Some(sequence_number) = self.number().filter(|_| frames.is_wanted()) else { return };
        let mut json = Vec::with_capacity(1024);
        match sse::write_json(&mut json, &Numbered { sequence_number, event }) {
            Ok(()) => {
                // The response is the event's last member.
                add_members(&mut json, 2, settings);
                frames.push_encoded(&[b"event: ", event.name().as_bytes(), b"\ndata: ", &json]);
            }
            Err(error) => tracing::error!(error = %error, "could not write a response as JSON"),
        }
    }

    /// The number of the next event, if the client receives it.
    fn number(&mut self) -> Option<u64> {
        let number = self.next;
        self.next += 1;
        (number >= self.from).then_some(number)
    }
}

impl Responses {
    /// A translator for the run with this id, whose request had these settings.
    pub(super) fn new(run: &RunId, echoed: EchoedSettings, form: Form) -> Self {
        Responses {
            response: Response::new(response_id(run), JsonObject::new()),
            settings: echoed.members,
            writer: Writer { next: 0, from: 0 },
            open: Vec::new(),
            relayed: None,
            declared: echoed.declared,
            unanswered: Vec::new(),
            early_answers: Vec::new(),
            calls: Vec::new(),
            locator: ids::locator(run).filter(|_| echoed.is_referable),
            cut_short: None,
            is_background: echoed.is_background,
            failure: None,
            answers_failure: false,
            wants_summary: echoed.wants_summary,
            form,
        }
    }

    /// The same for a client that receives the failure of its run as an error, not as a failed response.
    pub(super) fn with_failure_as_error(mut self) -> Self {
        self.answers_failure = true;
        self
    }

    /// The same for a client that has all events up to this number.
    pub(super) fn after(mut self, number: u64) -> Self {
        self.writer.from = number.saturating_add(1);
        self
    }

    fn on_response(&mut self, event: &AgentResponse, frames: &mut FrameWriter) {
        match &event.status {
            Status::Created | Status::Queued => self.create(event, frames),
            Status::InProgress if self.writer.next < self.first_numbers() => {
                self.response.status = ResponseStatus::InProgress;
                self.writer.send_snapshot(
                    StreamEvent::InProgress { response: &self.response },
                    &self.settings,
                    frames,
                );
            }
            status if status.is_final() => self.end(event, frames),
            // The run was started again after its process died.
            _ => {}
        }
    }

    fn create(&mut self, event: &AgentResponse, frames: &mut FrameWriter) {
        self.response.created_at = event.created_at;
        if self.is_background {
            self.response.status = ResponseStatus::Queued;
        }
        self.writer.send_snapshot(StreamEvent::Created { response: &self.response }, &self.settings, frames);
        if self.is_background {
            self.writer.send_snapshot(
                StreamEvent::Queued { response: &self.response },
                &self.settings,
                frames,
            );
        }
    }

    /// How many events there are up to `response.in_progress`.
    fn first_numbers(&self) -> u64 {
        if self.is_background { 3 } else { 2 }
    }

    /// Whether the log has been seen from its beginning.
    fn has_begun(&self) -> bool {
        self.writer.next > 0
    }

    /// If only the final event is still kept, rebuilds the events before it from that event.
    fn catch_up(&mut self, last: &AgentResponse, frames: &mut FrameWriter) {
        self.create(last, frames);
        let messages = last.output.iter().flatten();
        self.calls = messages.filter(|message| is_call(message)).flat_map(call_ids).collect();
        for message in last.output.iter().flatten() {
            self.on_opened(message, frames);
            for (index, content) in (0..).zip(message.contents()) {
                let mut content = content.clone();
                content.index.get_or_insert(index);
                content.msg_id = Some(message.id.clone());
                content.delta = Some(false);
                content.status.get_or_insert(message.status.clone());
                self.on_content(&content, frames);
            }
            self.on_closed(message, frames);
        }
    }

    fn end(&mut self, event: &AgentResponse, frames: &mut FrameWriter) {
        if !self.has_begun() {
            self.catch_up(event, frames);
        }
        self.close_all(&event.status, frames);
        self.response.usage = event.usage.as_ref().map(ResponseUsage::from_usage);
        self.response.warnings.clone_from(&event.warnings);
        match (&event.status, self.cut_short) {
            (Status::Completed, None) => {
                self.response.status = ResponseStatus::Completed;
                self.response.completed_at = event.completed_at;
                self.writer.send_snapshot(
                    StreamEvent::Completed { response: &self.response },
                    &self.settings,
                    frames,
                );
            }
            (Status::Completed, Some(reason)) => {
                self.response.status = ResponseStatus::Incomplete;
                self.response.incomplete_details = Some(IncompleteDetails { reason: reason.to_owned() });
                self.writer.send_snapshot(
                    StreamEvent::Incomplete { response: &self.response },
                    &self.settings,
                    frames,
                );
            }
            (Status::Canceled, _) => {
                // The protocol has this status but no event for it; this event is the closest.
                self.response.status = ResponseStatus::Cancelled;
                self.writer.send_snapshot(
                    StreamEvent::Incomplete { response: &self.response },
                    &self.settings,
                    frames,
                );
            }
            _ => self.fail(event.error.as_ref(), frames),
        }
        frames.push_text(DONE);
    }

    fn fail(&mut self, error: Option<&ErrorBody>, frames: &mut FrameWriter) {
        let unknown = || ErrorBody::new("RUN_INTERRUPTED", "the run ended before its output was complete");
        let failure = error::of_run(&error.cloned().unwrap_or_else(unknown));
        let code = error_code(&failure.code, failure.status).to_owned();
        self.response.status = ResponseStatus::Failed;
        self.response.error = Some(ResponseError { code, message: failure.message.clone() });
        self.failure = Some(failure);
        self.writer.send_snapshot(StreamEvent::Failed { response: &self.response }, &self.settings, frames);
    }
}

/// Adds members to an object that ends this many bytes before the end of the JSON.
fn add_members(json: &mut Vec<u8>, from_end: usize, members: &str) {
    if !members.is_empty() {
        let end = json.split_off(json.len().saturating_sub(from_end));
        json.push(b',');
        json.extend_from_slice(members.as_bytes());
        json.extend_from_slice(&end);
    }
}

/// The end of every stream.
pub(super) const DONE: &str = "[DONE]";

const SERVER_ERROR: &str = "server_error";

/// The code with which OpenAI answers a request for a model that it does not have.
const MODEL_NOT_FOUND: &str = "model_not_found";

/// Clients know a closed list of codes, and decide by them whether to try again.
fn error_code(code: &str, status: StatusCode) -> &str {
    match code {
        "MODEL_CONTEXT_LENGTH_EXCEEDED" => CONTEXT_LENGTH_EXCEEDED,
        // A fault of the server's configuration has the same code and another status.
        "MODEL_NOT_FOUND" if status == StatusCode::NOT_FOUND => MODEL_NOT_FOUND,
        known if OPENAIS_CODES.contains(&known) => known,
        _ if status == StatusCode::TOO_MANY_REQUESTS => RATE_LIMIT_EXCEEDED,
        // It cannot succeed as it is.
        _ if status == StatusCode::BAD_REQUEST => "invalid_prompt",
        _ => SERVER_ERROR,
    }
}

/// The codes that OpenAI's clients know, for agents that use them themselves.
const OPENAIS_CODES: [&str; 19] = [
    SERVER_ERROR,
    RATE_LIMIT_EXCEEDED,
    CONTEXT_LENGTH_EXCEEDED,
    "invalid_prompt",
    "vector_store_timeout",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_content_policy_violation",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
];

impl Translator for Responses {
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter) {
        match event {
            Event::Response(response) => self.on_response(response, frames),
            Event::Message(message) if message.status.is_final() => self.on_closed(message, frames),
            Event::Message(message) => self.on_opened(message, frames),
            Event::Content(content) => self.on_content(content, frames),
            Event::Other(event) => self.writer.send(StreamEvent::Agent { event }, frames),
            _ => {}
        }
    }

    fn needs_only_head(&self, head: &Event) -> bool {
        match head {
            Event::Message(message) => !message.status.is_final() || !needs_contents(message),
            Event::Response(_) => self.has_begun(),
            _ => true,
        }
    }

    fn begin_deltas(&mut self, next: &TextDelta<'_>) -> bool {
        self.relayed = self.relayed_part(next);
        self.relayed.is_some()
    }

    fn on_delta(&mut self, text: EscapedText<'_>, frames: &mut FrameWriter) -> Result<(), DecodeError> {
        self.relay(text, frames)
    }

    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
        self.close_all(&Status::Incomplete, frames);
        self.fail(Some(error), frames);
        frames.push_text(DONE);
    }

    fn answer(&self) -> axum::response::Response {
        if let Some(failure) = self.failure.as_ref().filter(|_| self.answers_failure) {
            // Enough to read the response, and its output so far, later.
            let response =
                object! { "id" => self.response.id.as_str(), "object" => "response", "status" => "failed" };
            return error::run_failed(failure, response);
        }
        let mut json = Vec::new();
        if let Err(error) = sse::write_json(&mut json, &self.response) {
            tracing::error!(error = %error, "could not write a response as JSON");
            return ApiError::Panic.into_response();
        }
        add_members(&mut json, 1, &self.settings);
        if self.form == Form::Upstream {
            let same = format!("\"response\":{}", String::from_utf8_lossy(&json));
            add_members(&mut json, 1, &same);
        }
        ([(header::CONTENT_TYPE, "application/json")], json).into_response()
    }
}

#[cfg(test)]
mod tests;
