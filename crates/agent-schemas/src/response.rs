//! The response: one run as its client sees it.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use crate::error::ErrorBody;
use crate::json::JsonObject;
use crate::message::Message;
use crate::status::Status;

/// The state of a run: the first, the second and the last event of its log, and the answer to `stream: false`.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "sequence_number": 0, "object": "response", "status": "created", "error": null, "id": "response_81d0",
    "created_at": 1800000000, "completed_at": null, "output": null, "usage": null, "session_id": "s-1"
}"#)]
#[non_exhaustive]
pub struct AgentResponse {
    /// The event's number in its run.
    pub sequence_number: Option<i64>,
    /// Always `"response"` in what the server writes.
    #[record(default = Cow::Borrowed("response"), constant = "response")]
    pub object: Cow<'static, str>,
    /// Where the run stands.
    #[record(default = Status::Created)]
    pub status: Status,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// The request's id, or a fresh one.
    #[record(unset)]
    pub id: String,
    /// When the request came, in Unix seconds.
    #[record(unset)]
    pub created_at: i64,
    /// When the run ended, in Unix seconds.
    pub completed_at: Option<i64>,
    /// The closed messages in closing order, except failed ones; null until the run has ended.
    pub output: Option<Vec<Message>>,
    /// The sum of the output messages' usage.
    pub usage: Option<JsonObject>,
    /// The session that the run belongs to.
    pub session_id: Option<String>,
}

impl AgentResponse {
    /// A response with status `created` and no output.
    pub fn new(id: impl Into<String>, created_at: i64) -> Self {
        AgentResponse { id: id.into(), created_at, ..AgentResponse::default() }
    }

    /// The output messages, none if `output` is null.
    pub fn messages(&self) -> &[Message] {
        self.output.as_deref().unwrap_or_default()
    }
}
