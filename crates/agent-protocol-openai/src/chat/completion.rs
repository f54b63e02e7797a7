//! A run's log as a completion: chunks, or one object.

mod attached;
mod deltas;

use agent_schemas::{
    AgentResponse, Content, ContentBody, DecodeError, ErrorBody, Event, Json, JsonObject, MessageType, Role,
    Status,
};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use attached::Attached;
use deltas::Place;

use super::calls::Calls;
use super::texts::Texts;
use super::wire::{self, Chunk, ChunkChoice, Delta, Image, Message, Usage};
use crate::error;
use agent_server::protocol::{DeltaFrame, ErrorInfo, EscapedText, FrameWriter, TextDelta, Translator};

const STOP: &str = "stop";

/// The status that nginx uses for clients that disconnected, and others for cancelled requests.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The members that are the same in all chunks.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) model: String,
    /// Whether the stream ends with a chunk that has the usage.
    pub(super) wants_usage: bool,
    /// Whether calls are in `function_call`, for a client that declares functions instead of tools.
    pub(super) uses_functions: bool,
}

/// Translates a log.
///
/// Texts become the content, refusals the refusal, reasoning the `reasoning_content`, and calls of the client's tools the
/// `tool_calls`. The agent's internal steps, such as calls of its own tools, are not shown to the client.
#[derive(Debug)]
pub(super) struct Completion {
    head: Head,
    created: i64,
    /// The open messages that the client sees; rarely more than one.
    open: Vec<(String, MessageType)>,
    content: Texts,
    refusal: Texts,
    reasoning: Texts,
    calls: Calls,
    said: Said,
    /// Whether the first chunk, with the role, was sent.
    has_begun: bool,
    /// The finish reason reported by the model, unless it is `stop`.
    reason: Option<String>,
    /// The members that a model server attached to the message.
    attached: Attached,
    end: Option<End>,
    /// The destination of the text whose deltas are relayed.
    relayed: Option<Place>,
    /// The chunks of relayed deltas, by destination.
    frames: [Option<DeltaFrame>; 3],
}

/// The collected answer, for a client that does not read a stream.
#[derive(Debug, Default)]
struct Said {
    content: String,
    refusal: String,
    reasoning: String,
    images: Vec<Image>,
}

#[derive(Debug)]
enum End {
    Finished(Usage, Vec<ErrorBody>),
    Failed(ErrorInfo),
}

/// The contribution of a content to the completion.
enum Increment {
    Content(String),
    Refusal(String),
    Reasoning(String),
    Image(Image),
}

impl Completion {
    pub(super) fn new(head: Head) -> Self {
        Completion {
            head,
            created: 0,
            open: Vec::new(),
            content: Texts::default(),
            refusal: Texts::default(),
            reasoning: Texts::default(),
            calls: Calls::default(),
            said: Said::default(),
            has_begun: false,
            reason: None,
            attached: Attached::default(),
            end: None,
            relayed: None,
            frames: [const { None }; 3],
        }
    }

    fn on_message(&mut self, message: &agent_schemas::Message) {
        if message.status.is_final() {
            self.open.retain(|(id, _)| *id != message.id);
            if message.role == Some(Role::Assistant) {
                // The last one counts: an earlier answer that was cut off had no effect on this one.
                self.reason = None;
                self.attached.take(message);
            }
            let reason = message.metadata.as_ref().and_then(|metadata| metadata.get("finish_reason"));
            if let Some(reason @ ("length" | "content_filter")) = reason.and_then(Json::as_str) {
                self.reason = Some(reason.to_owned());
            }
        } else if message.role == Some(Role::Assistant)
            && self.kind(&message.id).is_none()
            && matches!(
                message.kind,
                MessageType::Message | MessageType::Reasoning | MessageType::FunctionCall
            )
        {
            self.open.push((message.id.clone(), message.kind.clone()));
        }
    }

    /// The kind of an open message.
    fn kind(&self, id: &str) -> Option<&MessageType> {
        self.open.iter().find(|(open, _)| open == id).map(|(_, kind)| kind)
    }

    fn on_content(&mut self, content: &Content, frames: &mut FrameWriter) {
        let Some(kind) = content.msg_id.as_ref().and_then(|id| self.kind(id)) else { return };
        if *kind == MessageType::FunctionCall {
            return self.on_call(content, frames);
        }
        let is_reasoning = *kind == MessageType::Reasoning;
        let Some(piece) = self.piece(is_reasoning, content) else { return };
        if !frames.is_wanted() {
            return self.said.add(piece);
        }
        self.begin(Some(""), frames);
        let delta = match &piece {
            Increment::Content(text) => Delta { content: Some(Some(text)), ..Delta::default() },
            Increment::Refusal(text) => Delta { refusal: Some(text), ..Delta::default() },
            Increment::Reasoning(text) => Delta { reasoning_content: Some(text), ..Delta::default() },
            Increment::Image(image) => {
                Delta { images: Some(std::slice::from_ref(image)), ..Delta::default() }
            }
        };
        self.head.chunk(self.created, delta, None, frames);
    }

    fn on_call(&mut self, content: &Content, frames: &mut FrameWriter) {
        let is_first = self.calls.is_empty();
        self.attached.take_call(content);
        let Some(delta) = self.calls.take(content) else { return };
        if is_first && !self.has_begun {
            self.has_begun = true;
            self.head.begin(self.created, None, frames);
        }
        let delta = match (self.head.uses_functions, delta.index) {
            (false, _) => Delta { tool_calls: Some([delta]), ..Delta::default() },
            (true, 0) => Delta { function_call: Some(delta.function), ..Delta::default() },
            // This form has room for only one call.
            (true, _) => return,
        };
        self.head.chunk(self.created, delta, None, frames);
    }

    /// The part of a content to write now.
    fn piece(&mut self, is_reasoning: bool, content: &Content) -> Option<Increment> {
        let is_whole = content.status.as_ref().is_some_and(Status::is_final);
        let json;
        let text = match &content.body {
            ContentBody::Refusal { refusal } => {
                let more = self.refusal.take(content, refusal.as_deref().unwrap_or_default());
                return (!more.is_empty()).then_some(Increment::Refusal(more));
            }
            ContentBody::Image { image_url: Some(url) } if is_whole && !is_reasoning => {
                return Some(Increment::Image(Image::at(url)));
            }
            ContentBody::Text { text } => text.as_deref().unwrap_or_default(),
            // Contents without a counterpart in a completion become text once they are complete.
            ContentBody::Data { data: Some(data) } if is_whole => {
                json = Json::from(data.clone()).to_string();
                &json
            }
            ContentBody::Video { video_url: Some(url) } | ContentBody::File { file_url: Some(url), .. }
                if is_whole && !url.starts_with("data:") =>
            {
                url
            }
            _ => return None,
        };
        let texts = if is_reasoning { &mut self.reasoning } else { &mut self.content };
        let more = texts.take(content, text);
        if more.is_empty() {
            return None;
        }
        Some(if is_reasoning { Increment::Reasoning(more) } else { Increment::Content(more) })
    }

    fn on_end(&mut self, response: &AgentResponse, frames: &mut FrameWriter) {
        if response.status != Status::Completed {
            return self.fail(failure(response), frames);
        }
        let usage = response.usage.as_ref().map(Usage::read).unwrap_or_default();
        self.begin(Some(""), frames);
        let attached = self.attached.members();
        if !attached.is_empty() {
            let delta = Delta { extra: Some(attached), ..Delta::default() };
            self.head.chunk(self.created, delta, None, frames);
        }
        let warnings = response.warnings.clone().unwrap_or_default();
        self.head.last_chunk(self.created, self.finish_reason(), &warnings, frames);
        if self.head.wants_usage {
            self.head.write(self.created, &[], Some(Some(&usage)), None, frames);
        }
        frames.push_text("[DONE]");
        self.end = Some(End::Finished(usage, warnings));
    }

    /// Nothing follows an error, because clients treat it as the end.
    fn fail(&mut self, failure: ErrorInfo, frames: &mut FrameWriter) {
        frames.push(&error::body(&failure));
        self.end = Some(End::Failed(failure));
    }

    fn begin(&mut self, content: Option<&str>, frames: &mut FrameWriter) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.head.begin(self.created, content, frames);
        }
    }

    fn finish_reason(&self) -> &str {
        let usual = match (self.calls.is_empty(), self.head.uses_functions) {
            (true, _) => STOP,
            (false, false) => "tool_calls",
            (false, true) => "function_call",
        };
        self.reason.as_deref().unwrap_or(usual)
    }

    fn completion(&self, usage: &Usage, warnings: &[ErrorBody]) -> Response {
        let Said { content, refusal, reasoning, images } = &self.said;
        let mut tool_calls = self.calls.shown();
        let says_nothing = tool_calls.is_empty() && refusal.is_empty();
        let function_call = match self.head.uses_functions {
            true => std::mem::take(&mut tool_calls).into_iter().next().map(|call| call.function),
            false => None,
        };
        let message = Message {
            role: "assistant",
            content: (says_nothing || !content.is_empty()).then_some(content),
            refusal: Some(refusal.as_str()).filter(|text| !text.is_empty()),
            reasoning_content: Some(reasoning.as_str()).filter(|text| !text.is_empty()),
            images,
            tool_calls,
            function_call,
            extra: Some(self.attached.members()),
        };
        let finish_reason = self.finish_reason();
        axum::Json(wire::Completion {
            id: &self.head.id,
            object: "chat.completion",
            created: self.created,
            model: &self.head.model,
            choices: [wire::Choice { index: 0, message, logprobs: (), finish_reason }],
            usage,
            warnings,
        })
        .into_response()
    }
}

impl Translator for Completion {
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter) {
        match event {
            Event::Message(message) => self.on_message(message),
            Event::Content(content) => self.on_content(content, frames),
            Event::Response(response) => {
                self.created = response.created_at;
                if response.status.is_final() {
                    self.on_end(response, frames);
                }
            }
            _ => {}
        }
    }

    /// The contents have been written: messages and responses only repeat them.
    fn needs_only_head(&self, _head: &Event) -> bool {
        true
    }

    fn begin_deltas(&mut self, next: &TextDelta<'_>) -> bool {
        self.relayed = self.place_of(next);
        self.relayed.is_some()
    }

    fn on_delta(&mut self, text: EscapedText<'_>, frames: &mut FrameWriter) -> Result<(), DecodeError> {
        self.relayed.map_or(Ok(()), |place| self.relay(place, text, frames))
    }

    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
        self.fail(error::of_run(error), frames);
    }

    fn answer(&self) -> Response {
        match &self.end {
            Some(End::Failed(failure)) => error::run_failed(failure, JsonObject::new()),
            Some(End::Finished(usage, warnings)) => self.completion(usage, warnings),
            None => self.completion(&Usage::default(), &[]),
        }
    }
}

impl Head {
    /// The first chunk, with the role.
    fn begin(&self, created: i64, content: Option<&str>, frames: &mut FrameWriter) {
        let delta = Delta { role: Some("assistant"), content: Some(content), ..Delta::default() };
        self.chunk(created, delta, None, frames);
    }

    fn chunk(&self, created: i64, delta: Delta<'_>, finish_reason: Option<&str>, frames: &mut FrameWriter) {
        let choice = ChunkChoice { index: 0, delta, logprobs: (), finish_reason };
        self.write(created, &[choice], self.wants_usage.then_some(None), None, frames);
    }

    /// The chunk with the finish reason.
    fn last_chunk(
        &self,
        created: i64,
        finish_reason: &str,
        warnings: &[ErrorBody],
        frames: &mut FrameWriter,
    ) {
        let (delta, finish_reason) = (Delta::default(), Some(finish_reason));
        let choice = ChunkChoice { index: 0, delta, logprobs: (), finish_reason };
        let warnings = Some(warnings).filter(|warnings| !warnings.is_empty());
        self.write(created, &[choice], self.wants_usage.then_some(None), warnings, frames);
    }

    fn write(
        &self,
        created: i64,
        choices: &[ChunkChoice<'_>],
        usage: wire::Shown<&Usage>,
        warnings: Option<&[ErrorBody]>,
        frames: &mut FrameWriter,
    ) {
        frames.push(&Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created,
            model: &self.model,
            choices,
            usage,
            warnings,
        });
    }
}

/// The error of a run that did not complete.
fn failure(response: &AgentResponse) -> ErrorInfo {
    match (&response.error, &response.status) {
        (Some(error), _) => error::of_run(error),
        // With most other statuses, clients would retry automatically.
        (None, Status::Canceled) => ErrorInfo::new(
            StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST),
            "RUN_CANCELED",
            "The run was cancelled",
        ),
        (None, status) => {
            let message = format!("The run ended as {status}");
            ErrorInfo::new(StatusCode::INTERNAL_SERVER_ERROR, "RUN_INTERRUPTED", message)
        }
    }
}

impl Said {
    fn add(&mut self, piece: Increment) {
        match piece {
            Increment::Content(text) => self.content.push_str(&text),
            Increment::Refusal(text) => self.refusal.push_str(&text),
            Increment::Reasoning(text) => self.reasoning.push_str(&text),
            Increment::Image(image) => self.images.push(image),
        }
    }
}

#[cfg(test)]
mod tests;
