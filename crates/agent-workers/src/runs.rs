//! The runs of one worker.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_schemas::RunId;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::frame::Frame;

/// How many bytes a run may send before the server has taken them.
pub(crate) const CREDIT: usize = 256 * 1024;

/// The runs of a worker.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    last: u32,
    open: HashMap<u32, Queue>,
    /// The runs that were given up and that the worker has not ended.
    abandoned: HashMap<u32, Abandoned>,
    /// Whether the worker is gone.
    pub(crate) is_closed: bool,
    /// Whether the worker has been told to exit after its last run.
    pub(crate) is_draining: bool,
}

/// The frames of a run or a request that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The run; none for a request.
    run: Option<RunOfWorker>,
    pub(crate) frames: UnboundedSender<Frame>,
    pub(crate) bytes: Arc<AtomicUsize>,
    /// Whether the worker has ended it.
    has_ended: bool,
}

/// A run, as messages about it name it.
#[derive(Debug)]
pub(crate) struct RunOfWorker {
    pub(crate) id: RunId,
    /// The agent's name in the worker.
    pub(crate) agent: String,
}

/// A run that the worker was told to stop.
#[derive(Debug)]
struct Abandoned {
    run: RunOfWorker,
    since: Instant,
}

impl Queue {
    pub(crate) fn new(
        run: Option<RunOfWorker>,
        frames: UnboundedSender<Frame>,
        bytes: Arc<AtomicUsize>,
    ) -> Self {
        Queue { run, frames, bytes, has_ended: false }
    }
}

impl Runs {
    /// Adds a run or a request, and returns its number; `None` if the worker takes none any more.
    pub(crate) fn add(&mut self, queue: Queue) -> Option<u32> {
        if self.is_closed || self.is_draining {
            return None;
        }
        // Numbers are not used again before the others were used; 0 means no run.
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.open.contains_key(&self.last) && !self.abandoned.contains_key(&self.last) {
                break;
            }
        }
        self.open.insert(self.last, queue);
        Some(self.last)
    }

    /// Hands a frame to its run or request. The frames of one that has been given up are ignored.
    ///
    /// # Errors
    /// If it has sent far more than its credit.
    pub(crate) fn deliver(&mut self, frame: Frame) -> Result<(), String> {
        let is_end = frame.ends();
        let Some(queue) = self.open.get_mut(&frame.run) else {
            if is_end {
                self.abandoned.remove(&frame.run);
            }
            return Ok(());
        };
        queue.has_ended |= is_end;
        let size = frame.payload.len();
        let queued = queue.bytes.fetch_add(size, Ordering::Relaxed) + size;
        // A single frame may be larger than all credit.
        if queued > 2 * CREDIT + size {
            return Err(format!("a run sent {queued} bytes with a credit of {CREDIT}"));
        }
        // The agent may just have left.
        let _ = queue.frames.send(frame);
        Ok(())
    }

    /// Removes a run or a request that nobody follows any more. Returns whether the worker has to stop it. A request need
    /// not stop: its client has gone, and what it does may have to be done all the same.
    pub(crate) fn leave(&mut self, number: u32) -> bool {
        let Some(Queue { run, has_ended: false, .. }) = self.open.remove(&number) else { return false };
        if let Some(run) = run {
            self.abandoned.insert(number, Abandoned { run, since: Instant::now() });
        }
        true
    }

    /// A run that has not ended so long after the worker was told to stop it.
    pub(crate) fn overdue(&self, limit: Duration) -> Option<&RunOfWorker> {
        let overdue = self.abandoned.values().find(|abandoned| abandoned.since.elapsed() >= limit)?;
        Some(&overdue.run)
    }

    /// Whether the worker only has runs that are overdue.
    pub(crate) fn are_only_overdue(&self, limit: Duration) -> bool {
        let mut abandoned = self.abandoned.values();
        self.open.is_empty()
            && !self.abandoned.is_empty()
            && abandoned.all(|run| run.since.elapsed() >= limit)
    }

    /// Ends all runs: the worker is gone.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.open.clear();
        self.abandoned.clear();
    }
}
