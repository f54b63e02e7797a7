//! The output of a Responses API server: the response, its items, and the events of its stream.
//!
//! Sources: OpenAI's API reference, its SDKs' types, and the Open Responses specification of 2026-04-24. A member that
//! any of their clients requires is always present.

mod event;
mod item;
mod one_of;
mod part;
mod settings;
mod usage;

use agent_schemas_derive::Record;

use crate::error::ErrorBody;
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
    /// The status of a response.
    pub enum ResponseStatus {
        /// Waiting to start.
        Queued = "queued",
        /// In progress.
        InProgress = "in_progress",
        /// Complete.
        Completed = "completed",
        /// Ended before it was complete, for a reason that is not an error.
        Incomplete = "incomplete",
        /// Ended with an error.
        Failed = "failed",
        /// Cancelled on request.
        Cancelled = "cancelled",
    }
}

open_enum! {
    /// The status of an item.
    pub enum ItemStatus {
        /// In progress.
        InProgress = "in_progress",
        /// Complete.
        Completed = "completed",
        /// Ended before it was complete.
        Incomplete = "incomplete",
        /// The call failed.
        Failed = "failed",
    }
}

literal! {
    /// The `object` of a response.
    pub struct ResponseTag = "response";
}

/// A response in its current state.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "OpenAIResponse")]
#[non_exhaustive]
pub struct Response {
    /// The response id: `resp_` and the part after `run_` in the run id.
    #[record(required)]
    pub id: String,
    /// Always `"response"`.
    #[record(default = ResponseTag)]
    pub object: ResponseTag,
    /// When the request arrived, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When the response was completed, in Unix seconds.
    pub completed_at: Option<i64>,
    /// The status.
    #[record(default = ResponseStatus::InProgress)]
    pub status: ResponseStatus,
    /// The error, if the response failed.
    pub error: Option<ResponseError>,
    /// Why the response is incomplete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// The agent's output, ordered by when each item started.
    #[record(default)]
    pub output: Vec<ResponseItem>,
    /// The token usage of the models.
    pub usage: Option<ResponseUsage>,
    /// Problems that did not change the status of the response, such as `HISTORY_NOT_STORED`. Only in final responses
    /// that have any. Not part of OpenAI's API.
    #[record(omitted)]
    pub warnings: Option<Vec<ErrorBody>>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub settings: JsonObject,
}

impl Response {
    /// A new response. `settings` are the request's settings that it echoes: [`ResponseSettings::to_object`].
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
    /// A human-readable description.
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
