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

use crate::json::JsonObject;
use crate::record::record;
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

record! {
    @non_exhaustive
    /// A response in its current state.
    pub struct Response ("OpenAIResponse") {
        /// The response id: `resp_` and the part after `run_` in the run id.
        id: String = required,
        /// Always `"response"`.
        object: ResponseTag => ResponseTag,
        /// When the request arrived, in Unix seconds.
        created_at: i64 => 0,
        /// When the response was completed, in Unix seconds.
        completed_at: Option<i64>,
        /// The status.
        status: ResponseStatus => ResponseStatus::InProgress,
        /// The error, if the response failed.
        error: Option<ResponseError>,
        /// Why the response is incomplete.
        incomplete_details: Option<IncompleteDetails>,
        /// The agent's output, ordered by when each item started.
        output: Vec<ResponseItem> => Vec::<ResponseItem>::new(),
        /// The token usage of the models.
        usage: Option<ResponseUsage>,
        ..settings
    }
}

impl Response {
    /// A new response. `settings` are the request's settings that it echoes: [`ResponseSettings::to_object`].
    pub fn new(id: impl Into<String>, settings: JsonObject) -> Self {
        Response { id: id.into(), settings, ..Response::default() }
    }
}

record! {
    /// Why a response failed.
    pub struct ResponseError ("OpenAIResponseError") {
        /// One of OpenAI's codes: `server_error`, `rate_limit_exceeded`, `invalid_prompt`, …
        code: String = required,
        /// A human-readable description.
        message: String = required,
    }
}

record! {
    /// Why a response is incomplete.
    pub struct IncompleteDetails {
        /// `max_output_tokens` or `content_filter`.
        reason: String = required,
    }
}
