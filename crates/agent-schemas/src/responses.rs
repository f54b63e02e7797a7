//! What a server of OpenAI's Responses API writes: the response, its items, and the events of its stream.
//!
//! Source: OpenAI's API reference and its SDKs' types, and the Open Responses specification of 2026-04-24. Where a client
//! of one of them requires a member, it is there.

mod event;
mod item;
mod one_of;
mod part;
mod settings;
mod usage;

use agent_schemas_derive::Record;

use crate::json::JsonObject;
use crate::string_enum::{literal, open_enum};

pub use event::{Numbered, StreamEvent};
pub use item::{
    CustomToolCallItem, CustomToolCallOutputItem, FunctionCallItem, FunctionCallOutputItem,
    ImageGenerationItem, McpApprovalRequestItem, McpApprovalResponseItem, McpCallItem, McpListToolsItem,
    MessageItem, ReasoningItem, ResponseItem,
};
pub use part::{OutputText, ReasoningText, Refusal, ResponsePart};
pub(crate) use settings::check_metadata;
pub use settings::{ResponseSettings, read_metadata};
pub use usage::{InputTokensDetails, OutputTokensDetails, ResponseUsage};

open_enum! {
    /// Where a response stands.
    pub enum ResponseStatus {
        /// It waits to be worked on.
        Queued = "queued",
        /// It is being worked on.
        InProgress = "in_progress",
        /// It is whole.
        Completed = "completed",
        /// It ended before it was whole, for a reason that is no error.
        Incomplete = "incomplete",
        /// It ended with an error.
        Failed = "failed",
        /// Somebody wanted it to stop.
        Cancelled = "cancelled",
    }
}

open_enum! {
    /// Where an item of a response stands.
    pub enum ItemStatus {
        /// It is being made.
        InProgress = "in_progress",
        /// It is whole.
        Completed = "completed",
        /// It ended before it was whole.
        Incomplete = "incomplete",
        /// What it stands for failed.
        Failed = "failed",
    }
}

literal! {
    /// The `object` of a response.
    pub struct ResponseTag = "response";
}

/// A response, as it stands.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "OpenAIResponse")]
#[non_exhaustive]
pub struct Response {
    /// Its id: `resp_` and what follows `run_` in the id of its run.
    #[record(required)]
    pub id: String,
    /// Always `"response"`.
    #[record(default = ResponseTag)]
    pub object: ResponseTag,
    /// When the request came, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When it was completed, in Unix seconds.
    pub completed_at: Option<i64>,
    /// Where it stands.
    #[record(default = ResponseStatus::InProgress)]
    pub status: ResponseStatus,
    /// Why it failed.
    pub error: Option<ResponseError>,
    /// Why it is incomplete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// What the agent has said and done, in the order in which it began.
    #[record(default)]
    pub output: Vec<ResponseItem>,
    /// What the models behind it used.
    pub usage: Option<ResponseUsage>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub settings: JsonObject,
}

impl Response {
    /// A response that was just asked for; `settings` are what it repeats of its request:
    /// [`ResponseSettings::to_object`].
    pub fn new(id: impl Into<String>, settings: JsonObject) -> Self {
        Response { id: id.into(), settings, ..Response::default() }
    }
}

/// Why a response failed.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "OpenAIResponseError")]
pub struct ResponseError {
    /// One of OpenAI's codes: `server_error`, `rate_limit_exceeded`, `invalid_prompt`, …
    #[record(required)]
    pub code: String,
    /// What went wrong, for a person.
    #[record(required)]
    pub message: String,
}

/// Why a response is incomplete.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct IncompleteDetails {
    /// `max_output_tokens` or `content_filter`.
    #[record(required)]
    pub reason: String,
}
