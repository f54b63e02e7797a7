//! Runs as the server lists them.

use crate::record::record;
use crate::response::AgentResponse;
use crate::status::Status;

record! {
    /// A run, whether it waits, is under way, or has ended.
    #[example(r#"{
        "id": "run_0123456789abcdef0123456789abcdef8249", "object": "run", "status": "in_progress", "agent": "demo",
        "user_id": "u-1", "session_id": "s-1", "created_at": 1800000000, "ended_at": null, "events": 4,
        "cancel_requested": false, "response": null
    }"#)]
    pub struct RunInfo {
        /// Names the run. Whoever knows it may read and cancel the run.
        id: String = required,
        /// Always `"run"` in what the server writes.
        #[constant("run")]
        object: std::borrow::Cow<'static, str> => std::borrow::Cow::Borrowed("run"),
        /// `queued` while it waits for its session, `in_progress`, or how it ended.
        status: Status => Status::Queued,
        /// The agent that runs.
        agent: String => String::new(),
        /// Whose run it is.
        user_id: String => String::new(),
        /// The session that it belongs to.
        session_id: String => String::new(),
        /// When the request came, in Unix seconds.
        created_at: i64 => 0,
        /// When the run ended, in Unix seconds.
        ended_at: Option<i64>,
        /// How many events its log has.
        events: i64 => 0,
        /// Whether somebody has asked it to stop.
        cancel_requested: bool => false,
        /// The final response, once the run has ended; null in lists.
        response: Option<AgentResponse>,
    }
}

record! {
    /// A part of a user's runs, the newest first.
    pub struct RunPage {
        /// The runs.
        data: Vec<RunInfo> = required,
        /// What to ask for as `after` to get the next part; null in the last one.
        next: Option<String>,
    }
}
