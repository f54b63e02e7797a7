//! Runs as the server lists them.

use crate::record::record;
use crate::response::AgentResponse;
use crate::status::Status;

record! {
    /// A run that is queued, in progress, or ended.
    #[example(r#"{
        "id": "run_0123456789abcdef0123456789abcdef8249", "object": "run", "status": "in_progress", "agent": "demo",
        "user_id": "u-1", "session_id": "s-1", "created_at": 1800000000, "ended_at": null, "events": 4,
        "cancel_requested": false, "response": null
    }"#)]
    pub struct RunInfo {
        /// The run id. Anyone who knows it may read and cancel the run.
        id: String = required,
        /// Always `"run"` when written by the server.
        #[constant("run")]
        object: std::borrow::Cow<'static, str> => std::borrow::Cow::Borrowed("run"),
        /// `queued` while the run waits for its session, `in_progress`, or its final status.
        status: Status => Status::Queued,
        /// The name of the agent.
        agent: String => String::new(),
        /// The user id.
        user_id: String => String::new(),
        /// The session id.
        session_id: String => String::new(),
        /// When the request arrived, in Unix seconds.
        created_at: i64 => 0,
        /// When the run ended, in Unix seconds.
        ended_at: Option<i64>,
        /// The number of events in its log.
        events: i64 => 0,
        /// Whether cancellation was requested.
        cancel_requested: bool => false,
        /// The final response, once the run has ended; null in lists.
        response: Option<AgentResponse>,
    }
}

record! {
    /// A page of a user's runs, newest first.
    pub struct RunPage {
        /// The runs.
        data: Vec<RunInfo> = required,
        /// The `after` parameter for the next page; null on the last page.
        next: Option<String>,
    }
}
