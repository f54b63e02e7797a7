//! The one thread that writes. It commits what is waiting together, and only then acknowledges it.

mod answers;
mod job;

use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::answers::Messenger;
use self::job::{Early, Job, Write};
use super::failure::Outcome;
use super::runs::Pending;
use crate::{Error, ErrorKind, Result};

/// How much may wait; whoever has more waits for a place in the queue. All of it may go into one commit.
const QUEUE: usize = 256;

/// How often a commit waits for what comes while it does its work: those who write on and on are not to keep others waiting.
const ROUNDS: usize = 3;

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
        pending: Arc<Pending>,
        runtime: &Handle,
        close: impl FnOnce(Connection) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let messenger = Messenger::spawn(runtime);
        let work = move || {
            while let Some(first) = queue.blocking_recv() {
                commit(&connection, vec![first], &mut || queue.try_recv().ok(), &pending, &messenger);
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
        let job = Box::new(Write { operation, work, result: None, reply: Some(reply) });
        self.wait(operation, job, answer).await
    }

    /// The same, but where `early` makes an answer of what the work gives, that is given before it is committed. Should the
    /// commit fail, nobody is told.
    pub(super) async fn write_early<T: Clone + PartialEq + Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
        early: fn(&T) -> Option<T>,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let write = Write { operation, work, result: None, reply: Some(reply) };
        self.wait(operation, Box::new(Early { write, early, told: None }), answer).await
    }

    async fn wait<T>(
        &self,
        operation: &'static str,
        job: Box<dyn Job>,
        answer: oneshot::Receiver<Result<T>>,
    ) -> Result<T> {
        let ended = || Error::new(ErrorKind::Unavailable, operation, "the database is closed");
        self.0.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Gives the next job that waits.
type More<'a> = &'a mut dyn FnMut() -> Option<Box<dyn Job>>;

/// Why nothing of a group was committed.
enum Undone {
    /// It could not begin or end.
    Group(rusqlite::Error),
    /// One job failed after it had changed something, or made SQLite undo all of them, as it does on a full disk.
    ByOne,
}

/// Commits a job, and with it those that come meanwhile: the more there are, the less a commit costs each.
fn commit(
    connection: &Connection,
    mut group: Vec<Box<dyn Job>>,
    more: More<'_>,
    pending: &Pending,
    messenger: &Messenger,
) {
    let result = match together(connection, &mut group, more, pending, messenger) {
        Ok(()) => Ok(()),
        Err(Undone::Group(error)) => Err(Arc::new(error)),
        // It was alone, and has an error of its own.
        Err(Undone::ByOne) if group.len() == 1 => Ok(()),
        // None of them happened, so each can be tried by itself.
        Err(Undone::ByOne) => {
            return group
                .into_iter()
                .for_each(|job| commit(connection, vec![job], &mut || None, pending, messenger));
        }
    };
    messenger.tell(group.into_iter().map(|job| job.answer(result.clone())));
}

/// Commits all that did not fail, or nothing. There is no savepoint for each job, as SQLite copies all pages that change
/// after one; instead, a job that fails after it has changed something undoes all, which is rare.
fn together(
    connection: &Connection,
    group: &mut Vec<Box<dyn Job>>,
    more: More<'_>,
    pending: &Pending,
    messenger: &Messenger,
) -> std::result::Result<(), Undone> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let (mut done, mut rounds) = (0, 0);
    let result = (|| {
        execute("BEGIN IMMEDIATE")?;
        pending.forget();
        while done < group.len() {
            for job in &mut group[done..] {
                let before = connection.total_changes();
                let is_done = job.run(connection);
                if !is_done && (connection.is_autocommit() || connection.total_changes() != before) {
                    return Ok(false);
                }
            }
            messenger.tell(group[done..].iter_mut().filter_map(|job| job.answer_early()));
            (done, rounds) = (group.len(), rounds + 1);
            if rounds < ROUNDS {
                // Whoever is about to write, too, or was just told something, may do so first.
                thread::yield_now();
                group.extend(std::iter::from_fn(&mut *more).take(QUEUE.saturating_sub(done)));
            }
        }
        if pending.write(connection).is_err() {
            return Ok(false);
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
