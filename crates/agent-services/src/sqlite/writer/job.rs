//! Jobs of the writing thread, and their replies.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::answers::Answer;
use crate::sqlite::failure::{Outcome, of_sqlite};
use crate::{Error, ErrorKind, Result};

/// A job, whatever its result type.
pub(super) trait Job: Send {
    /// Runs the job; returns whether it succeeded.
    fn run(&mut self, connection: &Connection) -> bool;

    /// The reply, with the job's result or the outcome of the whole group.
    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>) -> Answer;
}

/// A job that is acknowledged once it is committed.
pub(super) struct Write<T, W> {
    pub(super) operation: &'static str,
    pub(super) work: W,
    pub(super) result: Option<Result<T>>,
    pub(super) reply: oneshot::Sender<Result<T>>,
}

impl fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

impl<T, W> Job for Write<T, W>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Outcome<T> + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> bool {
        // A panic in one job must not end the thread that all others need.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)));
        let result = done.map(|result| result.map_err(|failure| failure.of(self.operation)));
        self.result = result.ok();
        self.result.as_ref().is_some_and(|result| result.is_ok())
    }

    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>) -> Answer {
        Box::new(move || {
            let Write { operation, work, result, reply } = *self;
            // Dropping the job may notify others, who must not learn of it later than the
            // caller.
            drop(work);
            let answer = match (result, group) {
                (Some(Err(error)), _) => Err(error),
                (_, Err(error)) => Err(of_sqlite(operation, &error)),
                (Some(done), Ok(())) => done,
                (None, Ok(())) => {
                    Err(Error::new(ErrorKind::Unexpected, operation, "the database task panicked"))
                }
            };
            // The caller may no longer be waiting.
            let _ = reply.send(answer);
        })
    }
}
