//! The log of a run as the messages that answer a tool call: progress, log messages, and the result.

use std::sync::Arc;

use agent_schemas::{
    AgentResponse, Content, ContentBody, DecodeError, ErrorBody, Event, Json, JsonObject, Message,
    MessageType, Role, RunId, Status, json, object,
};
use agent_server::protocol::{EscapedText, FrameWriter, TextDelta, Translator};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;

use super::blocks::{block, text_block};
use super::log;
use super::question::RunQuestion;
use super::spec::Head;
use crate::input;
use crate::log_level::LogLevel;
use crate::result::failed;
use crate::rpc::{self, Id, RpcError};
use crate::schema::Schema;

/// How much text a progress notification collects, in bytes.
const PIECE: usize = 200;

/// How a call has ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// With a result.
    Result(JsonObject),
    /// With an error of the protocol.
    Error(RpcError),
    /// With a question to the client, which answers it in other requests.
    Asked(RunQuestion),
    /// Not at all: the client may continue to read later.
    Open,
}

/// What can be seen of a call while its messages are read.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) end: Option<End>,
    /// How many messages there were.
    pub(crate) messages: u64,
}

/// Translates the log of one run.
#[derive(Debug)]
pub(crate) struct Call {
    head: Arc<Head>,
    run: RunId,
    /// How many messages the client has already.
    seen: u64,
    /// The open messages of the agent's answer.
    open: Vec<String>,
    /// The text that no progress notification has shown yet.
    unsent: String,
    progress: Arc<Mutex<Progress>>,
}

impl Call {
    /// A translator of which the client has seen this many messages.
    pub(crate) fn new(head: Arc<Head>, run: RunId, seen: u64) -> Self {
        let (open, unsent) = (Vec::new(), String::new());
        Call { head, run, seen, open, unsent, progress: Arc::default() }
    }

    /// How far the call is, also once the translator has been given away.
    pub(crate) fn observed(&self) -> Arc<Mutex<Progress>> {
        Arc::clone(&self.progress)
    }

    fn write(&mut self, message: &JsonObject, frames: &mut FrameWriter) {
        let number = {
            let mut progress = self.progress.lock();
            progress.messages += 1;
            progress.messages
        };
        if !frames.is_wanted() || number <= self.seen {
            return;
        }
        if self.head.is_modern() {
            return frames.push(message);
        }
        let text = Json::from(message.clone()).to_string();
        let id = format!("id: {}.{}\ndata: ", self.run, number);
        frames.push_encoded(&[id.as_bytes(), text.as_bytes()]);
    }

    fn wants_log(&self, level: LogLevel) -> bool {
        self.head.level.is_some_and(|least| level >= least)
    }

    fn log(&mut self, level: LogLevel, data: JsonObject, frames: &mut FrameWriter) {
        if self.wants_log(level) {
            let params =
                object! { "level" => level.as_str(), "logger" => self.head.agent.as_str(), "data" => data };
            self.write(&rpc::notification("notifications/message", params), frames);
        }
    }

    /// The position in the log is the progress, so it grows, and is the same however often the log is read.
    fn report(&mut self, position: Option<i64>, message: Option<String>, frames: &mut FrameWriter) {
        let (Some(token), Some(position)) = (self.head.token.clone(), position) else { return };
        let mut params = object! { "progressToken" => token, "progress" => self.head.base + position + 1 };
        if let Some(message) = message {
            params.insert("message".to_owned(), message.into());
        }
        self.write(&rpc::notification("notifications/progress", params), frames);
    }

    fn on_message(&mut self, message: &Message, frames: &mut FrameWriter) {
        let is_answer = message.kind == MessageType::Message && message.role == Some(Role::Assistant);
        if !message.status.is_final() {
            if is_answer && !self.open.contains(&message.id) {
                self.open.push(message.id.clone());
            }
            return;
        }
        self.open.retain(|id| *id != message.id);
        if let Some((level, data)) = log::of_message(message) {
            self.log(level, data, frames);
        }
        let text = match is_answer {
            true => Some(std::mem::take(&mut self.unsent)).filter(|text| !text.is_empty()),
            false => log::summary(message),
        };
        self.report(message.sequence_number, text, frames);
    }

    fn on_content(&mut self, content: &Content, frames: &mut FrameWriter) {
        let is_open = content.msg_id.as_ref().is_some_and(|id| self.open.contains(id));
        let ContentBody::Text { text: Some(text) } = &content.body else { return };
        if content.delta != Some(true) || !is_open {
            return;
        }
        self.unsent.push_str(text);
        if self.unsent.len() >= PIECE {
            let piece = std::mem::take(&mut self.unsent);
            self.report(content.sequence_number, Some(piece), frames);
        }
    }

    fn on_end(&mut self, response: &AgentResponse, frames: &mut FrameWriter) {
        for warning in response.warnings.clone().unwrap_or_default() {
            let data = object! { "warning" => warning.message, "code" => warning.code };
            self.log(LogLevel::Warning, data, frames);
        }
        let end = self.end_of(response);
        self.finish(end, frames);
    }

    fn end_of(&self, response: &AgentResponse) -> End {
        if response.status != Status::Completed {
            let (code, text) = match &response.error {
                Some(error) => (error.code.clone(), error.message.clone()),
                None => (String::new(), format!("The run ended as {}", response.status.as_str())),
            };
            return End::Result(self.with_meta(failed(&text), response, Some(&code)));
        }
        if let Some(asked) = RunQuestion::of(response.messages()) {
            return self.end_with_question(asked, response);
        }
        End::Result(self.with_meta(
            answer(response.messages(), self.head.output_schema.as_deref()),
            response,
            None,
        ))
    }

    fn end_with_question(&self, asked: RunQuestion, response: &AgentResponse) -> End {
        match asked.missing(self.head.capabilities) {
            None if self.head.is_modern() => {
                End::Result(input::required(asked.requests(), Some(self.run.as_str())))
            }
            None => End::Asked(asked),
            Some(_) if asked.is_in_words() => {
                let hint = format!(
                    "To answer, call this tool again with the answer as the message and answer_to = \"{}\".",
                    self.run
                );
                let content = vec![text_block(asked.text()).into(), text_block(&hint).into()];
                End::Result(self.with_meta(object! { "content" => content }, response, None))
            }
            Some(name) if self.head.is_modern() => End::Error(RpcError::missing_capability(name)),
            Some(name) => {
                let text = format!("The agent needs a client that supports {name}");
                End::Result(self.with_meta(failed(&text), response, None))
            }
        }
    }

    /// Adds the ids with which the run and its session are found.
    fn with_meta(&self, mut result: JsonObject, response: &AgentResponse, code: Option<&str>) -> JsonObject {
        let mut meta = object! { "agent-server/run_id" => self.run.as_str() };
        if let Some(session) = &response.session_id {
            meta.insert("agent-server/session_id".to_owned(), session.as_str().into());
        }
        if let Some(code) = code.filter(|code| !code.is_empty()) {
            meta.insert("agent-server/error_code".to_owned(), code.into());
        }
        result.insert("_meta".to_owned(), meta.into());
        result
    }

    fn finish(&mut self, end: End, frames: &mut FrameWriter) {
        match &end {
            End::Result(result) => {
                let result = self.head.complete(result.clone());
                self.write(&rpc::result(&self.head.id, result), frames);
            }
            End::Error(error) => self.write(&rpc::error(Some(&self.head.id), error), frames),
            End::Asked(asked) => {
                for (key, request) in asked.requests() {
                    let Json::Object(mut request) = request else { continue };
                    let method = request.get("method").and_then(Json::as_str).unwrap_or_default().to_owned();
                    let params =
                        request.shift_remove("params").and_then(|params| params.as_object().cloned());
                    let id = format!("{}/{key}", self.run);
                    self.write(&rpc::request(&id, &method, params.unwrap_or_default()), frames);
                }
            }
            End::Open => {}
        }
        self.progress.lock().end = Some(end);
    }
}

/// The agent's answer: the contents of its messages, and the last object among them as structured content.
fn answer(output: &[Message], schema: Option<&Schema>) -> JsonObject {
    // A message that was cut off was begun again.
    let is_answer = |message: &&Message| {
        message.kind == MessageType::Message
            && message.role == Some(Role::Assistant)
            && message.status == Status::Completed
    };
    let contents = || output.iter().filter(is_answer).flat_map(Message::contents);
    let content: Vec<Json> = contents().filter_map(block).map(Json::from).collect();
    let mut structured = contents().filter_map(Content::as_data).next_back().cloned();
    if let Some(schema) = schema {
        if structured.is_none() {
            let text: String = contents().filter_map(Content::as_text).collect();
            structured = json::parse(text.trim()).ok().and_then(|json| json.as_object().cloned());
        }
        let fault = match &structured {
            Some(structured) => schema.fault(structured),
            None => Some("it is no object".to_owned()),
        };
        if let Some(fault) = fault {
            return failed(&format!("The agent's answer does not fit its schema: {fault}"));
        }
    }
    let mut result = object! { "content" => content };
    if let Some(structured) = structured {
        result.insert("structuredContent".to_owned(), structured.into());
    }
    result
}

impl Translator for Call {
    fn on_event(&mut self, event: &Event, frames: &mut FrameWriter) {
        match event {
            Event::Message(message) => self.on_message(message, frames),
            Event::Content(content) => self.on_content(content, frames),
            Event::Response(response) if response.status.is_final() => self.on_end(response, frames),
            _ => {}
        }
    }

    /// The final response has the whole output; on the way, only calls and the like are looked at.
    fn needs_only_head(&self, head: &Event) -> bool {
        match head {
            Event::Response(response) => !response.status.is_final(),
            Event::Message(message) => {
                let is_shown = self.head.level.is_some() || self.head.token.is_some();
                !(message.status.is_final() && is_shown)
            }
            _ => true,
        }
    }

    /// Without progress, nobody looks at the text.
    fn begin_deltas(&mut self, _next: &TextDelta<'_>) -> bool {
        self.head.token.is_none()
    }

    fn on_delta(&mut self, _text: EscapedText<'_>, _frames: &mut FrameWriter) -> Result<(), DecodeError> {
        Ok(())
    }

    /// A client of an earlier version can continue to read, so its call does not end here.
    fn on_abort(&mut self, error: &ErrorBody, frames: &mut FrameWriter) {
        let end = match self.head.is_modern() {
            true => End::Error(RpcError::internal(error.message.as_str())),
            false => End::Open,
        };
        self.finish(end, frames);
    }

    /// For a client that gets one object: the response.
    fn answer(&self) -> Response {
        let progress = self.progress.lock();
        let end = progress.end.as_ref();
        end.and_then(|end| end.response(&self.head)).unwrap_or_else(|| cut_off(&self.head.id))
    }
}

/// The response to a call whose end is not known.
pub(crate) fn cut_off(id: &Id) -> Response {
    http_error(id, &RpcError::internal("the call was cut off"))
}

fn http_error(id: &Id, error: &RpcError) -> Response {
    (error.status, axum::Json(rpc::error(Some(id), error))).into_response()
}

impl End {
    /// The HTTP response that is the call's only message; `None` if the call goes on.
    pub(crate) fn response(&self, head: &Head) -> Option<Response> {
        match self {
            End::Result(result) => {
                Some(axum::Json(rpc::result(&head.id, head.complete(result.clone()))).into_response())
            }
            End::Error(error) => Some(http_error(&head.id, error)),
            End::Asked(_) | End::Open => None,
        }
    }
}
