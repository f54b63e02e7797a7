//! What one running run shares between its agent's writers, its driver and its readers.
//!
//! Two locks: `pen` guards what is being written, `tail` what readers may see. Who needs both takes `pen` first.
//! Neither is held across an await.

mod tail;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use agent_schemas::id::message_id;
use agent_schemas::{AgentRequest, Error, Event, Message, RunId, RunOptions, SessionId, Status, UserId};
use agent_services::run::{Batch, FencingToken};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Services;
use crate::assemble::{Assembler, ClosedMessage};

use self::tail::{Reader, Tail};

pub(crate) use self::tail::Found;

/// How much may gather while all readers rest.
const GATHERED_BYTES: usize = 16 * 1024;

/// A run that this process executes.
#[derive(Debug)]
pub(crate) struct LiveRun {
    pub(crate) id: RunId,
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    pub(crate) request: Arc<AgentRequest>,
    pub(crate) agent: String,
    /// The right to write the log.
    pub(crate) token: FencingToken,
    pub(crate) services: Services,
    pub(crate) cancel: CancellationToken,
    /// The numbers of the first entries since the log was taken over, once for each time.
    pub(crate) epochs: Vec<u64>,
    /// Messages that were whole before the run was taken over.
    pub(crate) earlier: Vec<Message>,
    /// How the run is treated.
    pub(crate) options: RunOptions,
    /// Whether something may have been handed to the run.
    steered: AtomicBool,
    /// Whether the log has something that was handed to the run and that the store still keeps for it.
    has_taken: AtomicBool,
    /// Told whenever entries were stored.
    progress: Notify,
    /// Told whenever the last reader goes.
    pub(crate) abandoned: Notify,
    pub(crate) max_bytes: usize,
    pen: Mutex<Pen>,
    tail: Mutex<Tail>,
}

/// What is being written.
#[derive(Debug)]
struct Pen {
    assembler: Assembler,
    /// The driver, while it waits for something to be written from outside its own poll.
    driver: Option<Waker>,
    /// Set once the log has ended or grown too large; later writes are refused.
    closed: bool,
    failure: Option<Error>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunEnd {
    /// The final response's status.
    pub status: Status,
    /// The HTTP status that belongs to the error of a failed run.
    pub http_status: Option<u16>,
}

/// How a log ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogEnd {
    /// With its terminal event.
    Finished(RunEnd),
    /// Somewhere else, or nowhere: this process lost the right to write it.
    Lost,
}

/// What a live run is made of.
#[derive(Debug)]
pub(crate) struct LiveParts {
    pub(crate) id: RunId,
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    pub(crate) request: Arc<AgentRequest>,
    pub(crate) agent: String,
    pub(crate) token: FencingToken,
    pub(crate) services: Services,
    pub(crate) cancel: CancellationToken,
    pub(crate) max_bytes: usize,
    pub(crate) assembler: Assembler,
    /// The first entry that is not in the store alone: what is before it is read from there.
    pub(crate) stored: u64,
    pub(crate) epochs: Vec<u64>,
    pub(crate) earlier: Vec<Message>,
    pub(crate) options: RunOptions,
}

impl LiveRun {
    pub(crate) fn new(parts: LiveParts) -> Self {
        let tail = Tail::new(parts.stored);
        // Of a process that died nobody knows how far it came.
        let has_taken = !parts.epochs.is_empty();
        let pen = Pen { assembler: parts.assembler, driver: None, closed: false, failure: None };
        LiveRun {
            id: parts.id,
            user_id: parts.user_id,
            session_id: parts.session_id,
            request: parts.request,
            agent: parts.agent,
            token: parts.token,
            services: parts.services,
            cancel: parts.cancel,
            epochs: parts.epochs,
            earlier: parts.earlier,
            options: parts.options,
            steered: AtomicBool::new(false),
            progress: Notify::new(),
            has_taken: AtomicBool::new(has_taken),
            abandoned: Notify::new(),
            max_bytes: parts.max_bytes,
            pen: Mutex::new(pen),
            tail: Mutex::new(tail),
        }
    }

    /// Says that something may have been handed to the run.
    pub(crate) fn note_steered(&self) {
        self.steered.store(true, Ordering::SeqCst);
    }

    /// Whether something may have been handed to the run since the last look.
    pub(crate) fn take_steered(&self) -> bool {
        self.steered.swap(false, Ordering::SeqCst)
    }

    /// Says that the log is about to have what was handed to the run.
    pub(crate) fn note_taken(&self) {
        self.has_taken.store(true, Ordering::SeqCst);
    }

    /// Says that the store does not keep any more for the run what its log has.
    pub(crate) fn note_forgotten(&self) {
        self.has_taken.store(false, Ordering::SeqCst);
    }

    /// Whether the log may have something that was handed to the run and that the store still keeps for it.
    pub(crate) fn may_have_taken(&self) -> bool {
        self.has_taken.load(Ordering::SeqCst)
    }

    /// The number after the last entry that readers may see.
    pub(crate) fn published(&self) -> u64 {
        self.tail.lock().next
    }

    /// The number after the last entry that the store has.
    fn stored(&self) -> u64 {
        self.tail.lock().stored
    }

    /// Lets the agent write; refused once the log is closed.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Assembler) -> T) -> Option<T> {
        let (result, driver) = {
            let mut pen = self.pen.lock();
            if pen.closed {
                return None;
            }
            let result = write(&mut pen.assembler);
            if pen.assembler.bytes() > self.max_bytes {
                pen.closed = true;
                pen.failure = Some(Error::OutputLimitExceeded { limit: self.max_bytes });
            }
            (result, pen.driver.take())
        };
        if let Some(driver) = driver {
            driver.wake();
        }
        Some(result)
    }

    /// Writes an event that was made elsewhere.
    pub(crate) fn emit(&self, event: Event) {
        self.write(|assembler| assembler.emit(event, || message_id(&*self.services.ids)));
    }

    /// Says that the driver is about to look for itself, so that writes need not wake it.
    pub(crate) fn begin_poll(&self) {
        self.pen.lock().driver = None;
    }

    /// Takes what has been written, or leaves the waker to be woken when there is something to take.
    ///
    /// While all readers rest, small batches are left to gather: the first reader that looks asks for them.
    pub(crate) fn take_pending(&self, driver: &Waker) -> Result<Option<Batch>, Error> {
        let mut pen = self.pen.lock();
        // Asked under the pen's lock: a reader that stops resting a moment later then finds the waker left here.
        let gathering = self.tail.lock().is_resting();
        if let Some(failure) = pen.failure.take() {
            return Err(failure);
        }
        if pen.assembler.has_pending() && !(gathering && pen.assembler.pending_bytes() < GATHERED_BYTES) {
            return Ok(Some(pen.assembler.take()));
        }
        pen.driver = Some(driver.clone());
        Ok(None)
    }

    /// Why the log was closed before its end, if it was.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.pen.lock().failure.take()
    }

    /// How many bytes have been written that nobody has taken.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pen.lock().assembler.pending_bytes()
    }

    /// Refuses what the agent writes from now on, writes something else, and takes what is not yet stored.
    pub(crate) fn close(&self, write: impl FnOnce(&mut Assembler)) -> Batch {
        let mut pen = self.pen.lock();
        pen.closed = true;
        write(&mut pen.assembler);
        pen.assembler.take()
    }

    /// The messages that were closed so far.
    pub(crate) fn closed_messages(&self) -> Vec<ClosedMessage> {
        self.pen.lock().assembler.closed_messages().to_vec()
    }

    /// Shows stored entries to the readers, and how the log ended if it did.
    pub(crate) fn publish(&self, batch: Option<Batch>, end: Option<LogEnd>) {
        self.reveal(batch, end, true);
        self.progress.notify_waiters();
    }

    /// Shows entries to the readers that the store does not have yet.
    pub(crate) fn show(&self, batch: Batch) {
        self.reveal(Some(batch), None, false);
    }

    /// Says that entries that were shown before are stored.
    pub(crate) fn note_stored(&self, batch: &Batch) {
        self.tail.lock().note_stored(batch.end());
        self.progress.notify_waiters();
    }

    fn reveal(&self, batch: Option<Batch>, end: Option<LogEnd>, is_stored: bool) {
        let wakers: Vec<Waker> = {
            let mut tail = self.tail.lock();
            if let Some(batch) = batch.filter(|batch| batch.count > 0) {
                let next = batch.end();
                tail.push(batch);
                if is_stored {
                    tail.note_stored(next);
                }
            }
            let ended = end.is_some();
            tail.end = tail.end.take().or(end);
            tail.readers
                .iter_mut()
                .filter(|(_, reader)| ended || !reader.resting)
                .filter_map(|(_, reader)| reader.waker.take())
                .collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Takes what the run was made with, and is stored, to be shown.
    pub(crate) fn take_first(&self) -> Batch {
        self.pen.lock().assembler.take()
    }

    /// Says that the log cannot be written any more.
    pub(crate) fn lose(&self) {
        self.close(|_| ());
        self.publish(None, Some(LogEnd::Lost));
    }

    /// Waits until all that was written so far is stored, or nothing can be any more.
    pub(crate) async fn all_stored(&self) {
        let wanted = self.pen.lock().assembler.next();
        loop {
            let mut stored = std::pin::pin!(self.progress.notified());
            stored.as_mut().enable();
            if self.stored() >= wanted || self.end().is_some() {
                return;
            }
            self.ask_for_pending();
            stored.await;
        }
    }

    /// Registers a reader; it must be taken back by [`Self::remove_reader`].
    pub(crate) fn add_reader(&self) -> usize {
        self.tail.lock().readers.insert(Reader::default())
    }

    pub(crate) fn remove_reader(&self, key: usize) {
        let is_last = {
            let mut tail = self.tail.lock();
            tail.readers.remove(key);
            tail.readers.is_empty()
        };
        if is_last {
            // What was left to gather for it is to be stored all the same.
            self.ask_for_pending();
            self.abandoned.notify_one();
        }
    }

    pub(crate) fn has_readers(&self) -> bool {
        !self.tail.lock().readers.is_empty()
    }

    /// What a reader finds from entry `from` on; where that is nothing, its waker is kept.
    pub(crate) fn find(&self, key: usize, from: u64, waker: &Waker) -> Found {
        {
            let mut tail = self.tail.lock();
            if from < tail.next {
                // It may be long until it looks again: its client decides that.
                tail.end_rest(key);
                return tail.entries(from);
            }
            match tail.end {
                Some(LogEnd::Finished(_)) => return Found::End,
                Some(LogEnd::Lost) => return Found::Lost,
                None => tail.wait(key, waker, false),
            }
        }
        self.ask_for_pending();
        Found::Nothing
    }

    /// Wakes the driver if it has left something to gather.
    fn ask_for_pending(&self) {
        let driver = {
            let mut pen = self.pen.lock();
            if pen.assembler.has_pending() { pen.driver.take() } else { None }
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Keeps a resting reader's waker for the end; says whether the log has ended already.
    pub(crate) fn rest(&self, key: usize, waker: &Waker) -> bool {
        let mut tail = self.tail.lock();
        if tail.end.is_none() {
            tail.wait(key, waker, true);
        }
        tail.end.is_some()
    }

    /// How the log ended, if it did.
    pub(crate) fn end(&self) -> Option<LogEnd> {
        self.tail.lock().end.clone()
    }
}
