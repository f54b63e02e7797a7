//! The agent protocol as data: requests, responses, messages, contents, tools, errors and events.
//!
//! No I/O, no async, no clock. A run's log is a sequence of [`Event`]s, which [`SequenceNumbers`] numbers from 0
//! without gaps:
//!
//! ```text
//! log      = response(created) response(in_progress) { message } response(final)
//! message  = message(in_progress) { content } message(final)          messages may interleave
//! content  = { content(in_progress) } content(final)                  contents may interleave
//! final    = completed | failed | canceled | incomplete
//! ```
//!
//! A content event with `delta: true` is appended to the value named by `msg_id` and `index`; one without replaces it.
//! Every message and content that was opened is closed, and one final response ends the log. [`Fold`] reads such a log
//! and returns the resulting [`AgentResponse`].
//!
//! ```
//! use agent_schemas::{AgentRequest, Message};
//!
//! let request = AgentRequest::new(vec![Message::user("What is 6 times 7?")]);
//! let text = serde_json::to_string(&request).unwrap();
//! assert!(text.starts_with(r#"{"input":[{"sequence_number":null,"object":"message""#));
//! let same: AgentRequest = serde_json::from_str(&text).unwrap();
//! assert_eq!(same, request);
//! ```
//!
//! In reading order: [`json`], [`decode`], [`content`], [`message`], [`response`], [`event`], [`request`],
//! [`run_options`], [`tool`], [`call`], [`error`], [`semantics`], [`delta`], [`fold`], [`merge`],
//! [`sequence`], [`builder`], [`openai`], [`sse`], [`id`].
//! Other protocols: [`responses`]. Exchange with vendors: [`session`], [`embedding`], [`realtime`], [`modelstudio`],
//! [`response_api`], [`secret`]. The crate has no features.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

pub mod api;
pub mod builder;
pub mod call;
mod coerce;
pub mod content;
pub mod decode;
pub mod delta;
pub mod embedding;
pub mod error;
pub mod event;
pub mod export;
pub mod fold;
mod http_head;
pub mod id;
pub mod json;
pub mod merge;
pub mod message;
pub mod modelstudio;
pub mod openai;
pub mod realtime;
mod record;
pub mod request;
pub mod response;
pub mod response_api;
pub mod responses;
pub mod run_options;
pub mod seconds;
pub mod secret;
pub mod semantics;
pub mod sequence;
pub mod session;
pub mod sse;
pub mod status;
mod string_enum;
pub mod tool;
mod union;

pub use call::{
    FunctionCall, FunctionCallOutput, McpApprovalRequest, McpApprovalResponse, McpCall, McpCallOutput,
    McpListTools, McpListToolsTool, ToolCall, ToolCallOutput,
};
pub use content::{Content, ContentBody};
pub use decode::{Step, ValidationError};
pub use error::{Error, ErrorBody};
pub use event::{DecodeError, Event};
pub use fold::Fold;
pub use http_head::HttpHead;
pub use id::{Clock, IdSource, RunId, SessionId, UserId};
pub use json::{Json, JsonObject};
pub use message::{Message, MessageType, Role};
pub use request::{AgentRequest, Stop};
pub use response::AgentResponse;
pub use run_options::{Durability, IdempotencyKey, OnDisconnect, ProtocolData, RunOptions, SessionPolicy};
pub use secret::SecretText;
pub use semantics::ContentError;
pub use sequence::SequenceNumbers;
pub use session::{Session, SessionMessage};
pub use status::Status;
pub use tool::{FunctionParameters, FunctionTool, Parameters, RequestTool, Tool};
