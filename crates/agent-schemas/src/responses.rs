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

record! {
    @non_exhaustive
    /// A response, as it stands.
    pub struct Response ("OpenAIResponse") {
        /// Its id: `resp_` and what follows `run_` in the id of its run.
        id: String = required,
        /// Always `"response"`.
        object: ResponseTag => ResponseTag,
        /// When the request came, in Unix seconds.
        created_at: i64 => 0,
        /// When it was completed, in Unix seconds.
        completed_at: Option<i64>,
        /// Where it stands.
        status: ResponseStatus => ResponseStatus::InProgress,
        /// Why it failed.
        error: Option<ResponseError>,
        /// Why it is incomplete.
        incomplete_details: Option<IncompleteDetails>,
        /// What the agent has said and done, in the order in which it began.
        output: Vec<ResponseItem> => Vec::<ResponseItem>::new(),
        /// What the models behind it used.
        usage: Option<ResponseUsage>,
        ..settings
    }
}

impl Response {
    /// A response that was just asked for; `settings` are what it repeats of its request:
    /// [`ResponseSettings::to_object`].
    pub fn new(id: impl Into<String>, settings: JsonObject) -> Self {
        Response { id: id.into(), settings, ..Response::default() }
    }
}

record! {
    /// Why a response failed.
    pub struct ResponseError ("OpenAIResponseError") {
        /// One of OpenAI's codes: `server_error`, `rate_limit_exceeded`, `invalid_prompt`, …
        code: String = required,
        /// What went wrong, for a person.
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
