//! What frames say, as JSON.

use agent_runner::Recovery;
use agent_schemas::{AgentRequest, Error, Json, JsonObject, Message, Role, SessionId, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::frame::Frame;

/// The version of the protocol, and the oldest one that this server also speaks.
pub(crate) const VERSION: u32 = 1;
pub(crate) const OLDEST_VERSION: u32 = 1;

#[derive(Debug, Serialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    pub(crate) oldest_version: u32,
    pub(crate) credit: usize,
    pub(crate) max_frame: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct StartRun<'a> {
    pub(crate) id: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) request: &'a AgentRequest,
    pub(crate) earlier: &'a [Message],
    pub(crate) attempt: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<Http<'a>>,
}

/// What the HTTP request of a run says beside its body.
#[derive(Debug, Serialize)]
pub(crate) struct Http<'a> {
    pub(crate) headers: &'a [(String, String)],
    pub(crate) query: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Cancel {
    pub(crate) reason: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Credit {
    pub(crate) bytes: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reply {
    pub(crate) call: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<CallError>,
}

/// Why a call has no result.
#[derive(Debug, Serialize)]
pub(crate) struct CallError {
    pub(crate) message: String,
    pub(crate) kind: CallErrorKind,
    /// Only of errors that the client may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
}

/// What the agent makes of an error.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallErrorKind {
    Failed,
    /// The run ends, and the user's answer starts another one.
    Waiting,
    /// A step was cut off that may only be taken once.
    CutOff,
    /// A tool has no answer.
    Tool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    pub(crate) version: u32,
    #[serde(default)]
    pub(crate) language: String,
    pub(crate) agents: Vec<AgentInfo>,
    #[serde(flatten)]
    pub(crate) applications: Applications,
    /// Where the program wants the server's own protocol to be.
    pub(crate) endpoint_path: Option<String>,
}

/// What a worker does with HTTP requests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Applications {
    /// It answers those to paths that the server does not have.
    pub(crate) http: bool,
    /// It decides whether the server may answer the others.
    pub(crate) checks: bool,
}

/// An HTTP request without its body. The bytes of texts that need not be UTF-8 are characters here.
#[derive(Debug, Serialize)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The address and the port of the client.
    pub(crate) client: Option<(String, u16)>,
    /// Whether the question is only whether the server may answer.
    pub(crate) check: bool,
}

/// An HTTP response without its body.
#[derive(Debug, Deserialize)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the server may answer, with these headers.
    #[serde(default)]
    pub(crate) pass: bool,
}

/// An agent of a worker.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AgentInfo {
    /// Its name in the worker.
    pub name: String,
    #[serde(default)]
    recovery: RecoveryName,
}

impl AgentInfo {
    /// What happens to its runs if the server dies.
    pub fn recovery(&self) -> Recovery {
        match self.recovery {
            RecoveryName::GiveUp => Recovery::GiveUp,
            RecoveryName::StartOver => Recovery::StartOver,
            RecoveryName::Continue => Recovery::Continue,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecoveryName {
    #[default]
    GiveUp,
    StartOver,
    Continue,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Failed {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) traceback: String,
}

/// What a program sends to have the runs of a session cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StopSession {
    /// The user whose session it is.
    pub user_id: UserId,
    /// The session, whose runs may be anywhere.
    pub session_id: SessionId,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Open {
    #[serde(default = "message_kind")]
    pub(crate) kind: String,
    #[serde(default = "assistant")]
    pub(crate) role: Role,
    pub(crate) call: Option<OpenCall>,
    pub(crate) output: Option<OpenOutput>,
}

fn message_kind() -> String {
    "message".to_owned()
}

fn assistant() -> Role {
    Role::Assistant
}

#[derive(Debug, Deserialize)]
pub(crate) struct OpenCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether the client executes the tool.
    #[serde(default)]
    pub(crate) is_clients: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OpenOutput {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Close {
    pub(crate) usage: Option<JsonObject>,
    pub(crate) metadata: Option<JsonObject>,
    pub(crate) error: Option<RunError>,
    /// The whole output of a tool.
    pub(crate) output: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) call: u64,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) arguments: JsonObject,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    pub(crate) status: DoneStatus,
    pub(crate) error: Option<RunError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DoneStatus {
    Completed,
    Failed,
    Canceled,
    Incomplete,
}

/// Why a run failed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RunError {
    #[serde(default)]
    pub(crate) class: String,
    #[serde(default)]
    pub(crate) message: String,
    /// Only of errors that the client may see.
    pub(crate) code: Option<String>,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) traceback: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Log {
    /// The id of the run that it belongs to; empty if it belongs to none.
    #[serde(default)]
    pub(crate) run: String,
    /// The stream to which the message was written as a line, if it is no record of a logger.
    pub(crate) stream: Option<String>,
    #[serde(default)]
    pub(crate) level: String,
    #[serde(default)]
    pub(crate) logger: String,
    pub(crate) message: String,
}

impl RunError {
    /// The error. One without a code is for the server's log only.
    pub(crate) fn into_error(self) -> Error {
        let RunError { class, message, code, status, .. } = self;
        let Some(code) = code else {
            return Error::UnknownAgent {
                class: if class.is_empty() { "Error".to_owned() } else { class },
                message,
            };
        };
        let status = status.filter(|status| (400..600).contains(status)).unwrap_or(422);
        Error::Custom { status, code, message }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Ping {
    /// The lag of the event loop from which on the answer has its stack.
    pub(crate) stuck_ms: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pong {
    /// For how long the event loop has not turned.
    pub(crate) lag_ms: u64,
    pub(crate) runs: usize,
    /// The resident memory of the process.
    pub(crate) memory_bytes: Option<u64>,
    /// What the event loop executes.
    pub(crate) stack: String,
}

/// Reads a frame's payload; an empty one is an empty object.
pub(crate) fn read<T: DeserializeOwned>(frame: &Frame) -> Result<T, serde_json::Error> {
    let payload = if frame.payload.is_empty() { b"{}" } else { &frame.payload[..] };
    serde_json::from_slice(payload)
}
