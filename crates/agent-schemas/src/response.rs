//! The response: one run as its client sees it.

use std::borrow::Cow;

use serde::Serialize;

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, read_members};
use crate::error::ErrorBody;
use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::status::Status;

/// The state of a run: the first, the second and the last event of its log, and the answer to `stream: false`.
///
/// On the wire every field is present, in the order of this struct.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AgentResponse {
    /// The event's number in its run.
    pub sequence_number: Option<i64>,
    /// Always `"response"` in what this library writes.
    pub object: Cow<'static, str>,
    /// Where the run stands.
    pub status: Status,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// The request's id, or a fresh one.
    pub id: String,
    /// When the request came, in Unix seconds.
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
        AgentResponse {
            sequence_number: None,
            object: Cow::Borrowed("response"),
            status: Status::Created,
            error: None,
            id: id.into(),
            created_at,
            completed_at: None,
            output: None,
            usage: None,
            session_id: None,
        }
    }

    /// The output messages, none if `output` is null.
    pub fn messages(&self) -> &[Message] {
        self.output.as_deref().unwrap_or_default()
    }
}

impl FromJson for AgentResponse {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = match json {
            Json::Object(members) => members,
            other => return Err(ValidationError::new("model_type", "expected a response object", other)),
        };
        let mut response = AgentResponse::new("", 0);
        read_members!(members => response {
            "sequence_number": sequence_number,
            "object": object,
            "status": status,
            "error": error,
            "id": id,
            "created_at": created_at,
            "completed_at": completed_at,
            "output": output,
            "usage": usage,
            "session_id": session_id,
        });
        Ok(response)
    }
}

deserialize_from_json!(AgentResponse);
