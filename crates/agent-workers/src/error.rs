//! Why workers do not work.

use std::io;
use std::time::Duration;

use agent_schemas::{Error, ErrorBody};

/// How long a new run waits for a worker that is being replaced, and how long its client waits after that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Why a worker could not be started, or was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The program could not be started.
    #[error("could not start {program}: {error}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's error.
        error: io::Error,
    },
    /// The agents could not be loaded.
    #[error("{message}")]
    Load {
        /// What happened, in one line.
        message: String,
        /// Where, as the language reports it.
        traceback: String,
    },
    /// The worker ended before it was ready.
    #[error("the worker ended before it was ready: {status}; its output is in the log")]
    Ended {
        /// How the process ended.
        status: String,
    },
    /// The worker did not become ready in time.
    #[error("the worker was not ready after {} seconds", .0.as_secs())]
    Slow(Duration),
    /// The worker broke the protocol.
    #[error("the worker broke the protocol: {0}")]
    Protocol(String),
    /// It speaks another version of the protocol.
    #[error(
        "the worker speaks version {theirs} of the worker protocol, and this server version {ours}; install the matching package"
    )]
    Version {
        /// The worker's version.
        theirs: u32,
        /// The server's version.
        ours: u32,
    },
}

impl WorkerError {
    /// The traceback, on lines of its own; empty if there is none.
    pub fn traceback(&self) -> String {
        match self {
            WorkerError::Load { traceback, .. } => format!("\n{}", traceback.trim_end()),
            _ => String::new(),
        }
    }
}

/// What the client of a run sees when its worker is gone.
pub(crate) fn crashed() -> Error {
    Error::Custom {
        status: 500,
        code: "WORKER_CRASHED".to_owned(),
        message: "The process that executed the agent ended; try again".to_owned(),
    }
}

/// What a new run gets while no worker is ready, and when its client may try again.
pub(crate) fn unavailable(retry_after: Duration) -> Error {
    let message = "The process that executes the agent is not ready; try again later";
    let body = ErrorBody::new("WORKER_UNAVAILABLE", message).with_status(503);
    body.with_retry_after(retry_after.as_secs_f64().ceil().max(1.0) as u64).into()
}
