//! `POST /v1/responses/compact`: a shorter context that means the same, for the next request.
//!
//! The user's messages stay as they are. Everything else becomes one item of type `compaction` with a summary, which the
//! agent writes in a run that is not stored as a response. Its text is not encrypted; its member has OpenAI's name.

use agent_runner::Run;
use agent_schemas::id::message_id;
use agent_schemas::responses::{ResponseItem, ResponseUsage};
use agent_schemas::{
    AgentResponse, ErrorBody, Event, Json, JsonObject, Message, MessageType, Role, RunId, Status, object,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::create::Prepared;
use super::{items, summary};
use crate::error;
use agent_server::protocol::{
    ApiError, ErrorInfo, Fields, FrameWriter, JsonRequest, ProtocolContext, Translator,
};

/// What the agent is asked to do with the conversation.
const TASK: &str = "Summarize the conversation above for whoever continues it. Keep all that is needed for this: the \
user's goals and wishes, decisions, facts, names, numbers, file paths, results of tools, and what is still open. Answer \
with the summary alone.";

pub(super) async fn post(
    State(context): State<ProtocolContext>,
    request: JsonRequest,
) -> Result<Response, ApiError> {
    let fields = Fields::new(request.body());
    let model = fields.optional_text("model")?;
    if !context.runner().summarizes(model)? {
        let message =
            "this agent cannot compact a conversation; continue it with previous_response_id instead";
        return Err(ErrorInfo::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into());
    }
    if fields.get("conversation").is_some() {
        let message = "a conversation cannot be compacted; send its items as input";
        return Err(fields.fault("conversation", message).into());
    }
    let request = unstored(&request);
    let prepared = Prepared::new(&context, &request, None).await?;
    let said = prepared.context_messages().iter().chain(prepared.input()).filter(|message| is_users(message));
    let mut kept: Vec<Message> = said.cloned().collect();
    for message in kept.iter_mut().filter(|message| message.id.is_empty()) {
        message.id = message_id(&*context.runner().services().ids);
    }
    let mut spec = prepared.into_spec();
    spec.request.input.push(Message::user(TASK));
    // Only the summary is needed, so the model gets no tools.
    spec.request.foreign.get_or_insert_default().insert("tool_choice".to_owned(), "none".into());
    let run: Run = context.start(&request, spec).await?;
    let compaction = Compaction::new(run.id(), &kept);
    Ok(context.collect(&run, compaction).await)
}

/// The request for the summary: the members that say what is summarized, and by whom.
fn unstored(request: &JsonRequest) -> JsonRequest {
    let mut body: JsonObject = request.body().clone();
    body.retain(|key, _| !["stream", "background", "tools", "tool_choice", "text"].contains(&key.as_str()));
    body.insert("store".to_owned(), Json::from(false));
    JsonRequest::new(request.parts().clone(), request.bytes().clone(), body)
}

fn is_users(message: &Message) -> bool {
    let is_users = message.kind == MessageType::Message && matches!(message.role, Some(Role::User) | None);
    // The new summary covers the earlier one.
    is_users && !summary::is_summary(message)
}

fn failed(reason: &str) -> ErrorInfo {
    let message = format!("the conversation could not be compacted: {reason}");
    ErrorInfo::new(StatusCode::BAD_GATEWAY, "compaction_failed", message)
}

/// Waits for the summary.
#[derive(Debug)]
struct Compaction {
    id: String,
    /// The items that stay.
    output: Vec<ResponseItem>,
    result: Result<AgentResponse, ErrorBody>,
}

impl Compaction {
    fn new(run: &RunId, kept: &[Message]) -> Self {
        let error = ErrorBody::new("", "the run ended without a summary");
        let id = run.as_str().trim_start_matches("run_").to_owned();
        Compaction { id, output: items::of_messages(kept, &mut Vec::new()), result: Err(error) }
    }

    /// The summary, or why there is none.
    fn summary(&self) -> Result<(&AgentResponse, String), ErrorInfo> {
        let response = self.result.as_ref().map_err(error::of_run)?;
        let is_answer = |message: &&Message| {
            message.kind == MessageType::Message && message.role == Some(Role::Assistant)
        };
        let texts: Vec<String> =
            response.messages().iter().filter(is_answer).map(Message::full_text).collect();
        let summary = texts.join("\n");
        let is_cut = response.messages().iter().any(|message| {
            message.metadata.as_ref().is_some_and(|metadata| metadata.contains_key("finish_reason"))
        });
        match (&response.status, &response.error) {
            (_, Some(error)) => Err(error::of_run(error)),
            (Status::Completed, _) if is_cut => Err(failed("the model did not finish the summary")),
            (Status::Completed, _) if !summary.is_empty() => Ok((response, summary)),
            _ => Err(failed("the agent wrote no summary")),
        }
    }
}

impl Translator for Compaction {
    fn on_event(&mut self, event: &Event, _: &mut FrameWriter) {
        if let Event::Response(response) = event
            && response.status.is_final()
        {
            self.result = Ok(response.clone());
        }
    }

    fn on_abort(&mut self, error: &ErrorBody, _: &mut FrameWriter) {
        self.result = Err(error.clone());
    }

    fn answer(&self) -> Response {
        let (response, text) = match self.summary() {
            Ok(found) => found,
            Err(failure) => return error::run_failed(&failure, JsonObject::new()),
        };
        let mut output: Vec<Json> =
            self.output.iter().filter_map(|item| Json::from_serialize(item).ok()).collect();
        output.push(summary::item(&self.id, &text));
        let usage = response.usage.clone().unwrap_or_default();
        let usage = Json::from_serialize(&ResponseUsage::from_usage(&usage)).unwrap_or_default();
        axum::Json(Json::from(object! {
            "id" => format!("resp_{}", self.id), "object" => "response.compaction",
            "created_at" => response.created_at, "output" => output, "usage" => usage
        }))
        .into_response()
    }
}
