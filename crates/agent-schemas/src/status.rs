//! The states that responses, messages and contents can be in.

use crate::string_enum::open_enum;

open_enum! {
    /// Where a response, message or content stands.
    ///
    /// `completed`, `canceled`, `failed`, `rejected` and `incomplete` are final; every other may be followed by another.
    pub enum Status {
        /// It exists and nothing has happened yet.
        Created = "created",
        /// It is being worked on.
        InProgress = "in_progress",
        /// It ended well.
        Completed = "completed",
        /// It was stopped before its end.
        Canceled = "canceled",
        /// It ended with an error.
        Failed = "failed",
        /// It was refused.
        Rejected = "rejected",
        /// Nobody knows.
        Unknown = "unknown",
        /// It waits for its turn.
        Queued = "queued",
        /// It ended before it was whole.
        Incomplete = "incomplete",
    }
}

impl Status {
    /// Whether nothing can follow this status.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Status::Completed | Status::Canceled | Status::Failed | Status::Rejected | Status::Incomplete
        )
    }
}
