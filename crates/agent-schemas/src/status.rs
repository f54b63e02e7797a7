//! The states of responses, messages and contents.

use crate::string_enum::open_enum;

open_enum! {
    /// The status of a response, message or content.
    ///
    /// `completed`, `canceled`, `failed`, `rejected` and `incomplete` are final; any other may be followed by another.
    pub enum Status {
        /// Created, but not started.
        Created = "created",
        /// In progress.
        InProgress = "in_progress",
        /// Completed successfully.
        Completed = "completed",
        /// Cancelled before it was complete.
        Canceled = "canceled",
        /// Ended with an error.
        Failed = "failed",
        /// Rejected.
        Rejected = "rejected",
        /// The status is unknown.
        Unknown = "unknown",
        /// Waiting to start.
        Queued = "queued",
        /// Ended before it was complete.
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
