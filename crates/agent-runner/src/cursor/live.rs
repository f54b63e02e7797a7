//! Reads a run that this process executes.

use std::fmt;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agent_services::retry::retry_unavailable;
use agent_services::run::{Batch, LogChunk};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep_until};

use super::stored::StoredCursor;
use super::{CursorError, PAGE_BYTES, joinable};
use crate::live::{LiveRun, LogEnd, RunEnd, TailRead};

/// How long a cursor rests after a batch before it collects the next ones, so that an agent that writes word by
/// word does not cost a wake-up and a socket write per word. It rests longer while that collects a handful of
/// entries, but never long enough for a person to notice.
const REST: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(8);

/// If the next batch comes later than this many rests, the agent is slow, and the cursor stops resting: a rest would
/// collect nothing, and its timer would cost as much as the word.
const SLOW: u32 = 4;

/// If a rest collected fewer entries than this, the next one is shorter.
const TOO_FEW: u64 = 3;

/// If a rest collected this many entries, it is long enough.
const ENOUGH: u64 = 16;

/// The first four entries are never held back: they end with the first delta of the first message.
const FIRST_DELTA: u64 = 4;

/// Reads new entries from the live tail, and older ones from the store.
pub(super) struct LiveCursor {
    run: Arc<LiveRun>,
    key: usize,
    position: u64,
    done: bool,
    older: Option<BoxFuture<'static, agent_services::Result<Option<LogChunk>>>>,
    rest: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    last_batch: Option<Instant>,
}

impl LiveCursor {
    pub(super) fn new(run: Arc<LiveRun>, from: u64) -> Self {
        let key = run.tail.add_reader();
        LiveCursor {
            run,
            key,
            position: from,
            done: false,
            older: None,
            rest: *REST.start(),
            timer: None,
            last_batch: None,
        }
    }

    /// The number of the next entry.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How the run ended, once it has ended.
    pub(super) fn end(&self) -> Option<RunEnd> {
        match self.run.tail.end()? {
            LogEnd::Finished(end) => Some(end),
            LogEnd::Lost => None,
        }
    }

    /// A reader of what another process writes after the entries that were read here.
    pub(super) fn go_on_elsewhere(&self) -> StoredCursor {
        let (services, id) = (self.run.services.clone(), self.run.record.id.clone());
        let epoch = self.run.record.epochs.len() as u64 + 1;
        StoredCursor::new(services, id, self.position).behind(epoch)
    }

    /// Lets more events gather for a moment, unless the log has ended; `Ready` when it is time to look.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(last) = self.last_batch.filter(|_| self.position >= FIRST_DELTA) else {
            return Poll::Ready(());
        };
        if self.timer.is_none() {
            let until = last + self.rest;
            if until <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer = Some(Box::pin(sleep_until(until)));
        }
        let ended = self.run.tail.rest(self.key, cx.waker());
        if let Some(timer) = &mut self.timer
            && !ended
        {
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(())
    }

    fn deliver(&mut self, batches: Vec<Batch>, is_end: bool) -> Poll<Option<Result<Batch, CursorError>>> {
        let batch = Batch::concat(&batches);
        let now = Instant::now();
        let waited = self.last_batch.map_or(Duration::ZERO, |last| now - last);
        let rested = self.timer.take().is_some();
        self.rest = next_rest(self.rest, batch.count, rested, waited);
        self.position = batch.end();
        self.done = is_end;
        self.last_batch = Some(now);
        Poll::Ready(Some(Ok(batch)))
    }

    fn fail(&mut self, error: CursorError) -> Poll<Option<Result<Batch, CursorError>>> {
        self.done = true;
        Poll::Ready(Some(Err(error)))
    }
}

/// The rest after a batch of so many entries, which came this long after the previous one.
fn next_rest(rest: Duration, entries: u64, rested: bool, waited: Duration) -> Duration {
    if waited > SLOW * rest.max(*REST.start()) {
        return Duration::ZERO;
    }
    let next = match entries {
        ..TOO_FEW => rest / 2,
        ..ENOUGH if rested => rest * 4,
        _ => rest,
    };
    next.clamp(*REST.start(), *REST.end())
}

impl Stream for LiveCursor {
    type Item = Result<Batch, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        loop {
            if let Some(older) = &mut this.older {
                let chunk = ready!(older.as_mut().poll(cx));
                this.older = None;
                return match chunk {
                    Ok(Some(chunk)) if !chunk.batches.is_empty() => {
                        // The live tail knows how the run ended, possibly a moment later.
                        let (batches, _) = joinable(chunk.batches);
                        this.deliver(batches, false)
                    }
                    Ok(_) => this.fail(CursorError::Gone),
                    Err(error) => this.fail(error.into()),
                };
            }
            ready!(this.poll_rest(cx));
            match this.run.read(this.key, this.position, cx.waker()) {
                TailRead::Batches(batches, ended) => {
                    let (batches, all) = joinable(batches);
                    return this.deliver(batches, all && ended);
                }
                TailRead::Older => {
                    let (run, from) = (Arc::clone(&this.run), this.position);
                    // While the store is unavailable the reader waits, as it does for what is new.
                    this.older = Some(Box::pin(async move {
                        let runs = &run.services.runs;
                        retry_unavailable(Duration::MAX, || runs.read(&run.record.id, from, PAGE_BYTES)).await
                    }));
                }
                TailRead::Nothing => return Poll::Pending,
                TailRead::End => {
                    this.done = true;
                    return Poll::Ready(None);
                }
                TailRead::Lost => return this.fail(CursorError::Lost),
            }
        }
    }
}

impl Drop for LiveCursor {
    fn drop(&mut self) {
        self.run.remove_reader(self.key);
    }
}

impl fmt::Debug for LiveCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCursor")
            .field("run", &self.run.record.id)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn rest__slow_agent__ends() {
        assert_eq!(next_rest(ms(1), 1, true, ms(50)), Duration::ZERO);
        assert_eq!(next_rest(Duration::ZERO, 1, false, ms(20)), Duration::ZERO);
        assert_eq!(next_rest(ms(8), 20, true, ms(50)), Duration::ZERO, "bursts that are far apart");
    }

    #[test]
    fn rest__fast_agent__grows_while_it_collects() {
        assert_eq!(next_rest(Duration::ZERO, 1, false, ms(1)), ms(1), "the agent has become fast");
        assert_eq!(next_rest(ms(1), 5, true, ms(1)), ms(4));
        assert_eq!(next_rest(ms(4), 5, true, ms(4)), ms(8));
        assert_eq!(next_rest(ms(8), 20, true, ms(8)), ms(8), "enough");
        assert_eq!(next_rest(ms(8), 1, true, ms(8)), ms(4), "too few");
    }
}
