//! The jobs that wait for the writing thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;

use super::job::Job;

/// How many jobs of each urgency may wait; further callers wait for a place. So many may go into one commit.
pub(super) const QUEUE: usize = 256;

/// How many appends an urgent commit takes along. With more of them, someone would wait longer for a first event.
const TAKEN_ALONG: usize = 32;

/// While many runs write, their appends share commits that are this far apart.
const WINDOW: Duration = Duration::from_millis(6);

/// As many runs have to append within a window for it to be worth the delay.
const BUSY: usize = 3;

/// When a job has to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sqlite) enum Urgency {
    /// At once, with some of the appends that are waiting.
    Now,
    /// Within [`WINDOW`], if other writers than this one append at the same time; otherwise at once.
    Soon {
        /// The number of the writer, such as a hash of its run.
        writer: u64,
    },
}

/// Jobs for a commit.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// Whether it has waited for others already. Otherwise, jobs that arrive while these are executed may join them.
    pub(super) is_complete: bool,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Notified when the thread has to look at the queue.
    due: Condvar,
}

#[derive(Debug, Default)]
struct State {
    urgent: Line,
    appends: Line,
    is_closed: bool,
    /// Whether the thread sleeps until there is a job.
    is_idle: bool,
    writers: Writers,
    last_commit: Option<Instant>,
}

/// Jobs of one urgency, in order.
#[derive(Debug)]
struct Line {
    jobs: VecDeque<Box<dyn Job>>,
    places: Arc<Semaphore>,
}

impl Queue {
    /// Adds a job once there is a place; gives it back if the queue is closed.
    pub(super) async fn push(&self, job: Box<dyn Job>, urgency: Urgency) -> Result<(), Box<dyn Job>> {
        let places = Arc::clone(&self.state.lock().line(urgency).places);
        match places.acquire().await {
            Ok(place) => place.forget(),
            Err(_) => return Err(job),
        }
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(job);
        }
        state.line(urgency).jobs.push_back(job);
        if let Urgency::Soon { writer } = urgency {
            state.writers.note(writer, Instant::now());
        }
        if state.is_due() || state.is_idle {
            state.is_idle = false;
            drop(state);
            self.due.notify_one();
        }
        Ok(())
    }

    /// Takes jobs once it is time for a commit. Blocks the thread; `None` if the queue is closed and empty.
    pub(super) fn next(&self) -> Option<Due> {
        let mut state = self.state.lock();
        let mut is_shared = false;
        while !state.is_closed && !state.is_due() {
            match state.shared_commit(Instant::now()) {
                Some(due) => {
                    is_shared = true;
                    self.due.wait_until(&mut state, due);
                }
                None if state.appends.jobs.is_empty() => {
                    is_shared = false;
                    state.is_idle = true;
                    self.due.wait(&mut state);
                    state.is_idle = false;
                }
                None => break,
            }
        }
        state.last_commit = Some(Instant::now());
        let is_complete = is_shared && state.urgent.jobs.is_empty();
        let jobs = if is_complete { state.appends.take(QUEUE) } else { state.take(1) };
        (!jobs.is_empty()).then_some(Due { jobs, is_complete })
    }

    /// Takes up to so many jobs that have arrived meanwhile.
    pub(super) fn more(&self, count: usize) -> Vec<Box<dyn Job>> {
        self.state.lock().take(count)
    }

    /// Ends the thread after the queued jobs.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.urgent.places.close();
        state.appends.places.close();
        drop(state);
        self.due.notify_one();
    }
}

impl Default for Line {
    fn default() -> Self {
        Line { jobs: VecDeque::new(), places: Arc::new(Semaphore::new(QUEUE)) }
    }
}

impl Line {
    fn take(&mut self, count: usize) -> Vec<Box<dyn Job>> {
        let count = count.min(self.jobs.len());
        self.places.add_permits(count);
        self.jobs.drain(..count).collect()
    }
}

impl State {
    fn line(&mut self, urgency: Urgency) -> &mut Line {
        match urgency {
            Urgency::Now => &mut self.urgent,
            Urgency::Soon { .. } => &mut self.appends,
        }
    }

    /// Whether there is something to commit that need not wait for others.
    fn is_due(&self) -> bool {
        !self.urgent.jobs.is_empty() || self.appends.jobs.len() >= QUEUE
    }

    /// Takes up to so many jobs, urgent ones first.
    fn take(&mut self, count: usize) -> Vec<Box<dyn Job>> {
        let most = if self.urgent.jobs.is_empty() { count } else { TAKEN_ALONG };
        let mut jobs = self.urgent.take(count);
        jobs.append(&mut self.appends.take(most.min(count - jobs.len())));
        jobs
    }

    /// When the next commit of appends is due, if they should share one.
    fn shared_commit(&self, now: Instant) -> Option<Instant> {
        let due = self.last_commit? + WINDOW;
        (due > now && self.writers.count(now) >= BUSY).then_some(due)
    }
}

/// The latest writers, and when they wrote.
#[derive(Debug, Default)]
struct Writers([Option<(u64, Instant)>; BUSY]);

impl Writers {
    fn note(&mut self, writer: u64, now: Instant) {
        let known = self.0.iter().position(|seen| seen.is_some_and(|(known, _)| known == writer));
        let oldest = || (0..BUSY).min_by_key(|at| self.0[*at].map(|(_, at)| at)).unwrap_or_default();
        let place = known.unwrap_or_else(oldest);
        self.0[place] = Some((writer, now));
    }

    /// How many have written within the last window.
    fn count(&self, now: Instant) -> usize {
        self.0.iter().flatten().filter(|(_, at)| now.saturating_duration_since(*at) < WINDOW).count()
    }
}

#[cfg(test)]
mod tests;
