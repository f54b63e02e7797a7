//! Runs as the server lists them.

use agent_schemas_derive::Record;

use crate::response::AgentResponse;
use crate::status::Status;

/// A run, whether it waits, is under way, or has ended.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "id": "run_0123456789abcdef0123456789abcdef8249", "object": "run", "status": "in_progress", "agent": "demo",
    "user_id": "u-1", "session_id": "s-1", "created_at": 1800000000, "ended_at": null, "events": 4,
    "cancel_requested": false, "response": null
}"#)]
pub struct RunInfo {
    /// Names the run. Whoever knows it may read and cancel the run.
    #[record(required)]
    pub id: String,
    /// Always `"run"` in what the server writes.
    #[record(default = std::borrow::Cow::Borrowed("run"), constant = "run")]
    pub object: std::borrow::Cow<'static, str>,
    /// `queued` while it waits for its session, `in_progress`, or how it ended.
    #[record(default = Status::Queued)]
    pub status: Status,
    /// The agent that runs.
    #[record(default)]
    pub agent: String,
    /// Whose run it is.
    #[record(default)]
    pub user_id: String,
    /// The session that it belongs to.
    #[record(default)]
    pub session_id: String,
    /// When the request came, in Unix seconds.
    #[record(default)]
    pub created_at: i64,
    /// When the run ended, in Unix seconds.
    pub ended_at: Option<i64>,
    /// How many events its log has.
    #[record(default)]
    pub events: i64,
    /// Whether somebody has asked it to stop.
    #[record(default)]
    pub cancel_requested: bool,
    /// The final response, once the run has ended; null in lists.
    pub response: Option<AgentResponse>,
}

/// A part of a user's runs, the newest first.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RunPage {
    /// The runs.
    #[record(required)]
    pub data: Vec<RunInfo>,
    /// What to ask for as `after` to get the next part; null in the last one.
    pub next: Option<String>,
}
