//! The single writing thread. It commits waiting jobs together, and acknowledges them after the commit.

mod answers;
mod job;
mod queue;

use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::answers::Messenger;
use self::job::{Job, Write};
use self::queue::{Due, QUEUE, Queue};
use super::failure::Outcome;
use crate::{Error, ErrorKind, Result};

/// How often a commit is extended for new jobs, so that a steady writer cannot delay the others.
const ROUNDS: usize = 3;

pub(super) use self::queue::Urgency;

/// The queue of the writing thread. Dropping it ends the thread after the queued jobs.
#[derive(Debug)]
pub(super) struct Writer(Arc<Queue>);

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
        let queue = Arc::new(Queue::default());
        let messenger = Messenger::spawn(runtime);
        let jobs = Arc::clone(&queue);
        let work = move || {
            while let Some(Due { jobs: group, is_complete }) = jobs.next() {
                let mut more = |count| {
                    if is_complete {
                        return Vec::new();
                    }
                    // Lets others queue what they are about to write.
                    thread::yield_now();
                    jobs.more(count)
                };
                commit(&connection, group, &mut more, &messenger);
            }
            close(connection);
        };
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(work)?;
        Ok(Writer(queue))
    }

    /// Runs a job in a transaction, all or nothing; replies once it is committed. The job runs even if nobody
    /// waits for the reply, and may run twice if its first transaction was undone.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { operation, work, result: None, reply });
        let ended = || Error::new(ErrorKind::Unavailable, operation, "the database is closed");
        self.0.push(job, urgency).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Returns up to so many jobs that have arrived meanwhile.
type More<'a> = &'a mut dyn FnMut(usize) -> Vec<Box<dyn Job>>;

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
            return group
                .into_iter()
                .for_each(|job| commit(connection, vec![job], &mut |_| Vec::new(), messenger));
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
                group.extend(more(QUEUE.saturating_sub(done)));
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
