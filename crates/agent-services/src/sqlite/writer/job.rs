//! Jobs of the writing thread, and their answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::answers::Answer;
use crate::sqlite::failure::{Outcome, of_sqlite};
use crate::{Error, ErrorKind, Result};

/// A piece of work, whatever its result is.
pub(super) trait Job: Send {
    /// Does the work; says whether it succeeded.
    fn run(&mut self, connection: &Connection) -> bool;

    /// The answer with the result, or with what became of the whole group.
    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>) -> Answer;
}

/// Work that is answered once it is committed.
pub(super) struct Write<T, W> {
    pub(super) operation: &'static str,
    pub(super) work: W,
    pub(super) result: Option<Result<T>>,
    pub(super) reply: oneshot::Sender<Result<T>>,
}

impl<T, W> Job for Write<T, W>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Outcome<T> + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> bool {
        // A fault in one piece of work must not end the thread that all others need.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)));
        let result = done.map(|result| result.map_err(|failure| failure.of(self.operation)));
        self.result = result.ok();
        self.result.as_ref().is_some_and(|result| result.is_ok())
    }

    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>) -> Answer {
        Box::new(move || {
            let Write { operation, work, result, reply } = *self;
            // What the work was made with may have to tell others of it, and they are not to learn of it later than its
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
