//! The one thread that writes. It commits what is waiting together, and only then acknowledges it.

mod answers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::answers::{Answers, Messenger};
use super::failure::{Outcome, of_sqlite};
use crate::{Error, ErrorKind, Result};

/// How much may wait; whoever has more waits for a place in the queue. All of it may go into one commit.
const QUEUE: usize = 256;

/// The queue of the writing thread. The thread ends when this is dropped, after what is queued.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the thread. `close` is called on it at its end, with the connection. Answers to several at once are given by
    /// a task of this runtime, while there is one.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub(super) fn spawn(
        connection: Connection,
        runtime: &Handle,
        close: impl FnOnce(Connection) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let messenger = Messenger::spawn(runtime);
        let work = move || {
            while let Some(first) = queue.blocking_recv() {
                // Whoever is about to write, too, may do so first: the more there are, the less a commit costs each.
                thread::yield_now();
                let mut group = vec![first];
                while group.len() < QUEUE
                    && let Ok(next) = queue.try_recv()
                {
                    group.push(next);
                }
                commit(&connection, group, &messenger);
            }
            close(connection);
        };
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(work)?;
        Ok(Writer(sender))
    }

    /// Does work in a transaction, wholly or not at all; answers once it is committed. The work is done even if nobody
    /// waits for the answer, and may be done twice if the first time was undone.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { operation, work, result: None, reply });
        let ended = || Error::new(ErrorKind::Unavailable, operation, "the database is closed");
        self.0.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// A piece of work, whatever its result is.
trait Job: Send {
    /// Does the work; says whether it succeeded.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Answers with the result, or with what became of the whole group.
    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>);
}

struct Write<T, W> {
    operation: &'static str,
    work: W,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, W> Job for Write<T, W>
where
    T: Send,
    W: FnMut(&Connection) -> Outcome<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        // A fault in one piece of work must not end the thread that all others need.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)));
        let result = done.map(|result| result.map_err(|failure| failure.of(self.operation)));
        self.result = result.ok();
        self.result.as_ref().is_some_and(|result| result.is_ok())
    }

    fn answer(self: Box<Self>, group: std::result::Result<(), Arc<rusqlite::Error>>) {
        let Write { operation, work, result, reply } = *self;
        // What the work was made with may have to tell others of it, and they are not to learn of it later than its caller.
        drop(work);
        let answer = match (result, group) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(of_sqlite(operation, &error)),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => {
                Err(Error::new(ErrorKind::Unexpected, operation, "the work in the database panicked"))
            }
        };
        // Nobody may be waiting any more.
        let _ = reply.send(answer);
    }
}

/// Why nothing of a group was committed.
enum Undone {
    /// It could not begin or end.
    Group(rusqlite::Error),
    /// One job failed after it had changed something, or made SQLite undo all of them, as it does on a full disk.
    ByOne,
}

fn commit(connection: &Connection, mut group: Vec<Box<dyn Job>>, messenger: &Messenger) {
    let result = match together(connection, &mut group) {
        Ok(()) => Ok(()),
        Err(Undone::Group(error)) => Err(Arc::new(error)),
        // It was alone, and has an error of its own.
        Err(Undone::ByOne) if group.len() == 1 => Ok(()),
        // None of them happened, so each can be tried by itself.
        Err(Undone::ByOne) => {
            return group.into_iter().for_each(|job| commit(connection, vec![job], messenger));
        }
    };
    messenger.tell(Answers { group, result });
}

/// Commits all that did not fail, or nothing. There is no savepoint for each job, as SQLite copies all pages that change
/// after one; instead, a job that fails after it has changed something undoes all, which is rare.
fn together(connection: &Connection, group: &mut [Box<dyn Job>]) -> std::result::Result<(), Undone> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let result = (|| {
        execute("BEGIN IMMEDIATE")?;
        for job in group {
            let before = connection.total_changes();
            let is_done = job.run(connection);
            if !is_done && (connection.is_autocommit() || connection.total_changes() != before) {
                return Ok(false);
            }
        }
        execute("COMMIT")?;
        Ok(true)
    })();
    let undone = match result {
        Ok(true) => return Ok(()),
        Ok(false) => Undone::ByOne,
        Err(error) => Undone::Group(error),
    };
    if !connection.is_autocommit() {
        // If this fails too, so does the next beginning, and says so.
        let _ = execute("ROLLBACK");
    }
    Err(undone)
}

#[cfg(test)]
mod tests;
