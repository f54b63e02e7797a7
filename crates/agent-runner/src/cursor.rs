//! Cursors: readers of a run's log.

use std::fmt;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agent_schemas::{DecodeError, Event, sse};
use agent_services::run::{Batch, Page};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::live::{Found, LiveRun, LogEnd, RunEnd};

/// The most that is read from the store at once.
const PAGE_BYTES: usize = 256 * 1024;

/// Up to this size, waiting batches are joined into one.
const JOIN_BYTES: usize = 64 * 1024;

/// How long a cursor rests after a batch before it collects the next ones, so that an agent that writes word by
/// word does not cost a wake-up and a write to the socket for each. It rests longer while that brings a handful of
/// entries together, and never so long that a person would see it.
const REST: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(8);

/// A rest that brought together fewer entries than this is made shorter.
const TOO_FEW: u64 = 3;

/// A rest that brought together this many entries is long enough.
const ENOUGH: u64 = 16;

/// The first four entries are never held back: they end with the first delta of the first message.
const FIRST_DELTA: u64 = 4;

/// Reads a run's log from one position on, at its own pace, to its end.
///
/// A stream of batches of encoded entries; [`Cursor::next_events`] gives them decoded. Dropping a cursor never
/// disturbs the run or other cursors, but the last one to go starts the run's disconnect policy.
pub struct Cursor {
    run: Arc<LiveRun>,
    key: usize,
    position: u64,
    done: bool,
    older: Option<BoxFuture<'static, agent_services::Result<Option<Page>>>>,
    rest: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    last_batch: Option<Instant>,
}

/// Why a cursor cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The log, or the part that was asked for, is no longer kept.
    #[error("the run's log is no longer kept")]
    Gone,
    /// Another process writes the log now.
    #[error("the run was taken over by another process")]
    Lost,
    /// The store could not be read.
    #[error("the run's log could not be read")]
    Store(#[from] agent_services::Error),
    /// A stored entry is damaged.
    #[error("an entry of the run's log is damaged")]
    Damaged(#[from] DecodeError),
}

impl Cursor {
    pub(crate) fn new(run: Arc<LiveRun>, from: u64) -> Self {
        let key = run.add_reader();
        Cursor {
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

    /// The number of the entry that comes next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How the run ended, once it has.
    pub fn end(&self) -> Option<RunEnd> {
        match self.run.end()? {
            LogEnd::Finished(end) => Some(end),
            LogEnd::Lost => None,
        }
    }

    /// The next entries, decoded; `None` at the end of the log.
    ///
    /// # Errors
    /// [`CursorError`]; the cursor is at its end then.
    ///
    /// # Cancellation
    /// Safe: dropping the future loses nothing.
    pub async fn next_events(&mut self) -> Option<Result<Vec<Event>, CursorError>> {
        let batch = match futures_util::StreamExt::next(self).await? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        Some(
            sse::frames(&batch.frames)
                .map(|json| Event::from_slice(json).map_err(CursorError::from))
                .collect(),
        )
    }

    /// Lets other events gather for a moment, unless the log has ended; `Ready` when it is time to look.
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
        let ended = self.run.rest(self.key, cx.waker());
        if let Some(timer) = &mut self.timer
            && !ended
        {
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(())
    }

    fn deliver(&mut self, batches: Vec<Batch>, is_end: bool) -> Poll<Option<Result<Batch, CursorError>>> {
        let batch = join(batches);
        let rested = self.timer.take().is_some();
        self.rest = match batch.count {
            ..TOO_FEW => self.rest / 2,
            ..ENOUGH if rested => self.rest * 4,
            _ => self.rest,
        };
        self.rest = self.rest.clamp(*REST.start(), *REST.end());
        self.position = batch.end();
        self.done = is_end;
        self.last_batch = Some(Instant::now());
        Poll::Ready(Some(Ok(batch)))
    }

    fn fail(&mut self, error: CursorError) -> Poll<Option<Result<Batch, CursorError>>> {
        self.done = true;
        Poll::Ready(Some(Err(error)))
    }
}

/// One batch of several consecutive ones. Large ones are cut off where joining would copy too much.
fn join(mut batches: Vec<Batch>) -> Batch {
    if batches.len() == 1
        && let Some(only) = batches.pop()
    {
        return only;
    }
    let mut frames = BytesMut::with_capacity(batches.iter().map(|batch| batch.frames.len()).sum());
    let mut joined =
        Batch { first: batches.first().map_or(0, |batch| batch.first), count: 0, frames: Bytes::new() };
    for batch in batches {
        joined.count += batch.count;
        frames.extend_from_slice(&batch.frames);
    }
    joined.frames = frames.freeze();
    joined
}

/// The first batches that are worth joining, and whether those are all.
fn joinable(mut batches: Vec<Batch>) -> (Vec<Batch>, bool) {
    let mut bytes = 0;
    let count = batches.iter().take_while(|batch| {
        bytes += batch.frames.len();
        bytes <= JOIN_BYTES
    });
    let count = count.count().max(1);
    let all = count >= batches.len();
    batches.truncate(count);
    (batches, all)
}

impl Stream for Cursor {
    type Item = Result<Batch, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        loop {
            if let Some(older) = &mut this.older {
                let page = ready!(older.as_mut().poll(cx));
                this.older = None;
                return match page {
                    Ok(Some(page)) if !page.batches.is_empty() => {
                        // How the run ended is for the live tail to say, which may hear of it a moment later.
                        let (batches, _) = joinable(page.batches);
                        this.deliver(batches, false)
                    }
                    Ok(_) => this.fail(CursorError::Gone),
                    Err(error) => this.fail(error.into()),
                };
            }
            ready!(this.poll_rest(cx));
            match this.run.find(this.key, this.position, cx.waker()) {
                Found::Batches(batches, ended) => {
                    let (batches, all) = joinable(batches);
                    return this.deliver(batches, all && ended);
                }
                Found::Older => {
                    let (run, from) = (Arc::clone(&this.run), this.position);
                    this.older =
                        Some(Box::pin(
                            async move { run.services.runs.read(&run.id, from, PAGE_BYTES).await },
                        ));
                }
                Found::Nothing => return Poll::Pending,
                Found::End => {
                    this.done = true;
                    return Poll::Ready(None);
                }
                Found::Lost => return this.fail(CursorError::Lost),
            }
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.run.remove_reader(self.key);
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("run", &self.run.id)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
