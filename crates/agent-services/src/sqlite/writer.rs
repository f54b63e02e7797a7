//! The single writing thread. It commits waiting jobs together, and acknowledges them after the commit.

mod answers;
mod job;

use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::answers::Messenger;
use self::job::{Job, Write};
use super::failure::Outcome;
use crate::{Error, ErrorKind, Result};

/// The size of the queue; when it is full, callers wait for a place. All of it may go into one commit.
const QUEUE: usize = 256;

/// How often a commit is extended for new jobs, so that a steady writer cannot delay the others.
const ROUNDS: usize = 3;

/// The queue of the writing thread. Dropping it ends the thread after the queued jobs.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the thread. It calls `close` with the connection at its end. A task of this runtime, while it exists,
    /// sends the replies to several jobs.
    ///
    /// # Errors
    /// If the system cannot start another thread.
    pub(super) fn spawn(
        connection: Connection,
        runtime: &Handle,
        close: impl FnOnce(Connection) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let messenger = Messenger::spawn(runtime);
        let work = move || {
            while let Some(first) = queue.blocking_recv() {
                commit(&connection, vec![first], &mut || queue.try_recv().ok(), &messenger);
            }
            close(connection);
        };
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(work)?;
        Ok(Writer(sender))
    }

    /// Runs a job in a transaction, all or nothing; replies once it is committed. The job runs even if nobody
    /// waits for the reply, and may run twice if its first transaction was undone.
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

/// Returns the next waiting job.
type More<'a> = &'a mut dyn FnMut() -> Option<Box<dyn Job>>;

/// Why nothing of a group was committed.
enum Undone {
    /// The transaction could not begin or end.
    Group(rusqlite::Error),
    /// One job failed after it had changed something, or made SQLite undo all of them, as on a full disk.
    ByOne,
}

/// Commits a job together with those that arrive meanwhile: the more jobs, the less a commit costs each.
fn commit(connection: &Connection, mut group: Vec<Box<dyn Job>>, more: More<'_>, messenger: &Messenger) {
    let result = match together(connection, &mut group, more) {
        Ok(()) => Ok(()),
        Err(Undone::Group(error)) => Err(Arc::new(error)),
        // The job was alone, and gets its own error.
        Err(Undone::ByOne) if group.len() == 1 => Ok(()),
        // None of the jobs took effect, so each can be tried separately.
        Err(Undone::ByOne) => {
            return group.into_iter().for_each(|job| commit(connection, vec![job], &mut || None, messenger));
        }
    };
    messenger.tell(group.into_iter().map(|job| job.answer(result.clone())));
}

/// Commits all jobs that did not fail, or nothing. Jobs have no savepoints, because SQLite copies all pages that change
/// after one. Instead, a job that fails after it has changed something undoes everything, which is rare.
fn together(
    connection: &Connection,
    group: &mut Vec<Box<dyn Job>>,
    more: More<'_>,
) -> std::result::Result<(), Undone> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let (mut done, mut rounds) = (0, 0);
    let result = (|| {
        execute("BEGIN IMMEDIATE")?;
        while done < group.len() {
            for job in &mut group[done..] {
                let before = connection.total_changes();
                let is_done = job.run(connection);
                if !is_done && (connection.is_autocommit() || connection.total_changes() != before) {
                    return Ok(false);
                }
            }
            (done, rounds) = (group.len(), rounds + 1);
            if rounds < ROUNDS {
                // Lets others queue what they are about to write.
                thread::yield_now();
                group.extend(std::iter::from_fn(&mut *more).take(QUEUE.saturating_sub(done)));
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
        // If this fails too, the next BEGIN fails and reports it.
        let _ = execute("ROLLBACK");
    }
    Err(undone)
}

#[cfg(test)]
mod tests;
