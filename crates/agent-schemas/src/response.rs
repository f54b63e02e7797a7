//! The response: one run as its client sees it.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use crate::error::ErrorBody;
use crate::json::JsonObject;
use crate::message::Message;
use crate::status::Status;

/// The state of a run: the first, the second and the last event of its log, and the answer if `stream` is false.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "sequence_number": 0, "object": "response", "status": "created", "error": null, "id": "response_81d0",
    "created_at": 1800000000, "completed_at": null, "output": null, "usage": null, "session_id": "s-1"
}"#)]
#[non_exhaustive]
pub struct AgentResponse {
    /// The event's sequence number within its run.
    pub sequence_number: Option<i64>,
    /// Always `"response"` when written by the server.
    #[record(default = Cow::Borrowed("response"), constant = "response")]
    pub object: Cow<'static, str>,
    /// The status of the run.
    #[record(default = Status::Created)]
    pub status: Status,
    /// The error, if the run failed.
    pub error: Option<ErrorBody>,
    /// The request's id, or a new one.
    #[record(unset)]
    pub id: String,
    /// When the request arrived, in Unix seconds.
    #[record(unset)]
    pub created_at: i64,
    /// When the run ended, in Unix seconds.
    pub completed_at: Option<i64>,
    /// The closed messages in closing order, except failed ones; null until the run has ended.
    pub output: Option<Vec<Message>>,
    /// The total usage of the output messages.
    pub usage: Option<JsonObject>,
    /// The id of the run's session.
    pub session_id: Option<String>,
    /// Problems that did not change the status of the run, each with a code and a description. Only in final responses
    /// that have any.
    #[record(omitted)]
    pub warnings: Option<Vec<ErrorBody>>,
}

impl AgentResponse {
    /// A response with status `created` and no output.
    pub fn new(id: impl Into<String>, created_at: i64) -> Self {
        AgentResponse { id: id.into(), created_at, ..AgentResponse::default() }
    }

    /// The output messages; empty if `output` is null.
    pub fn messages(&self) -> &[Message] {
        self.output.as_deref().unwrap_or_default()
    }
}
