//! Runs as the server lists them.

use agent_schemas_derive::Record;

use crate::response::AgentResponse;
use crate::status::Status;

/// A run that is queued, in progress, or ended.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "id": "run_0123456789abcdef0123456789abcdef8249", "object": "run", "status": "in_progress", "agent": "demo",
    "user_id": "u-1", "session_id": "s-1", "parent_run_id": null, "created_at": 1800000000, "ended_at": null, "events": 4,
    "cancel_requested": false, "response": null
}"#)]
pub struct RunInfo {
    /// The run id. Anyone who knows it may read and cancel the run.
    #[record(required)]
    pub id: String,
    /// Always `"run"` when written by the server.
    #[record(default = std::borrow::Cow::Borrowed("run"), constant = "run")]
    pub object: std::borrow::Cow<'static, str>,
    /// `queued` while the run waits for its session, `in_progress`, or its final status.
    #[record(default = Status::Queued)]
    pub status: Status,
    /// The name of the agent.
    #[record(default)]
    pub agent: String,
    /// The user id.
    #[record(default)]
    pub user_id: String,
    /// The session id.
    #[record(default)]
    pub session_id: String,
    /// The run that started this one as its child; null for a run that a client started.
    pub parent_run_id: Option<String>,
    /// When the request arrived, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When the run ended, in Unix seconds.
    pub ended_at: Option<i64>,
    /// The number of events in its log.
    #[record(default)]
    pub events: i64,
    /// Whether cancellation was requested.
    #[record(default)]
    pub cancel_requested: bool,
    /// The final response, once the run has ended; null in lists.
    pub response: Option<AgentResponse>,
    /// `true` if part of the run's stored data cannot be read; members that depend on it have default values.
    #[record(omitted)]
    pub damaged: Option<bool>,
}

/// A page of a user's runs, newest first.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RunPage {
    /// The runs.
    #[record(required)]
    pub data: Vec<RunInfo>,
    /// The `after` parameter for the next page; null on the last page.
    pub next: Option<String>,
}
