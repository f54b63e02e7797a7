//! A run that this process executes: the state shared by its agent's writers, its task and its readers.
//!
//! [`LogWriter`] and [`Tail`] have a lock each. Code that needs both takes the writer's first. Neither is held across
//! an await.

mod end;
mod family;
mod journal;
mod log_writer;
mod readers;
mod steering;
mod tail;

use std::task::Waker;

use agent_schemas::id::message_id;
use agent_schemas::{Error, Event, Message};
use agent_services::run::{Batch, FencingToken, RunRecord};
use tokio_util::sync::CancellationToken;

use crate::Services;

use self::journal::Journal;
use self::steering::Steering;

pub(crate) use self::end::LogEnd;
pub use self::end::RunEnd;
pub(crate) use self::family::Family;
pub(crate) use self::journal::{Entry, Key, Turn, run_of};
pub(crate) use self::log_writer::LogWriter;
pub(crate) use self::tail::{Tail, TailRead};

/// A run that this process executes.
#[derive(Debug)]
pub(crate) struct LiveRun {
    /// The record when this process started to execute the run.
    pub(crate) record: RunRecord,
    /// The right to write the log.
    pub(crate) token: FencingToken,
    pub(crate) services: Services,
    pub(crate) cancel: CancellationToken,
    /// Messages that were complete before the run was taken over.
    pub(crate) earlier: Vec<Message>,
    pub(crate) steering: Steering,
    pub(crate) journal: Journal,
    pub(crate) family: Family,
    /// What the agent writes.
    pub(crate) log: LogWriter,
    /// What readers see of the log.
    pub(crate) tail: Tail,
}

impl LiveRun {
    /// A run whose entries before `stored` are in the store; `earlier` are its complete messages.
    pub(crate) fn new(
        record: RunRecord,
        token: FencingToken,
        services: Services,
        (cancel, family): (CancellationToken, Family),
        log: LogWriter,
        (stored, earlier): (u64, Vec<Message>),
    ) -> Self {
        // It is unknown how far the dead process got.
        let steering = Steering::new(!record.epochs.is_empty());
        let (journal, tail) = (Journal::default(), Tail::new(stored));
        LiveRun { record, token, services, cancel, earlier, steering, journal, family, log, tail }
    }

    /// The input without that of the runs that this one continues.
    pub(crate) fn new_input(&self) -> &[Message] {
        self.record.request.input.get(self.record.options.inherited..).unwrap_or_default()
    }

    /// Writes an event that was created elsewhere.
    pub(crate) fn emit(&self, event: Event) {
        self.log.write(|assembler| assembler.emit(event, || message_id(&*self.services.ids)));
    }

    /// Takes the written entries, or keeps the waker until there are some.
    ///
    /// While all readers rest, small batches accumulate; the first reader that looks requests them.
    ///
    /// # Errors
    /// Why the log was closed before its end.
    pub(crate) fn take_pending(&self, driver: &Waker) -> Result<Option<Batch>, Error> {
        self.log.take_pending(driver, || self.tail.is_resting())
    }

    /// What a reader finds from entry `from` on; if nothing, its waker is kept.
    pub(crate) fn read(&self, key: usize, from: u64, waker: &Waker) -> TailRead {
        let read = self.tail.read(key, from, waker);
        if matches!(read, TailRead::Nothing) {
            self.log.ask_for_pending();
        }
        read
    }

    pub(crate) fn remove_reader(&self, key: usize) {
        if self.tail.remove_reader(key) {
            // Accumulated entries still have to be stored.
            self.log.ask_for_pending();
            self.tail.note_abandoned();
        }
    }

    /// Waits until everything written so far is stored, or never will be.
    pub(crate) async fn all_stored(&self) {
        let wanted = self.log.next();
        loop {
            let mut progress = std::pin::pin!(self.tail.progress());
            progress.as_mut().enable();
            if self.tail.is_settled(wanted) {
                return;
            }
            self.log.ask_for_pending();
            progress.await;
        }
    }

    /// Closes a log that this process may no longer write.
    pub(crate) fn lose(&self) {
        self.log.seal(|_| ());
        self.tail.publish(None, Some(LogEnd::Lost));
    }
}
