//! Reads a run that another process executes, or none at the moment.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agent_schemas::{Event, RunId, sse};
use agent_services::retry::Backoff;
use agent_services::run::{Batch, LogChunk};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::{CursorError, PAGE_BYTES, joinable};
use crate::Services;
use crate::live::RunEnd;

/// How often a waiting reader registers, and for how long.
const READER: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

type Fetched = Result<LogChunk, CursorError>;

/// Reads everything from the store.
pub(super) struct StoredCursor {
    services: Services,
    id: RunId,
    position: u64,
    /// The epoch of the entry before the position, until the log is known to have that entry.
    unsure: Option<u64>,
    next: Option<BoxFuture<'static, Fetched>>,
    done: bool,
    end: Option<RunEnd>,
}

impl StoredCursor {
    pub(super) fn new(services: Services, id: RunId, from: u64) -> Self {
        StoredCursor { services, id, position: from, unsure: None, next: None, done: false, end: None }
    }

    /// The same for a client that has read the entries before in this epoch; it is an error if the log has other
    /// entries there.
    pub(super) fn behind(mut self, epoch: u64) -> Self {
        self.unsure = Some(epoch).filter(|_| self.position > 0);
        self
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn end(&self) -> Option<RunEnd> {
        self.end.clone()
    }

    fn take(&mut self, chunk: LogChunk) -> Option<Batch> {
        let is_last_chunk = chunk.is_end;
        let (batches, all) = joinable(chunk.batches);
        self.done = is_last_chunk && all;
        let batch = Batch::concat(&batches);
        if batch.count == 0 {
            return None;
        }
        self.position = batch.end();
        if self.done {
            self.end = sse::frames(&batch.frames).last().and_then(end_of);
        }
        Some(batch)
    }
}

/// The final status in the last entry.
fn end_of(json: &[u8]) -> Option<RunEnd> {
    let Ok(Event::Response(response)) = Event::from_slice(json) else { return None };
    Some(RunEnd::new(response.status, response.error.as_ref()))
}

/// Waits until the log has an entry at or after a position. Calls are retried while the store is unavailable,
/// for as long as the future is polled.
async fn fetch(services: Services, id: RunId, from: u64, unsure: Option<u64>) -> Fetched {
    let runs = &services.runs;
    let mut backoff = Backoff::default();
    loop {
        let attempt = async {
            if let Some(epoch) = unsure {
                let record = runs.get(&id).await?.ok_or(CursorError::Gone)?;
                let has_all = record.entries >= from && record.has_entry_of_epoch(from - 1, epoch);
                has_all.then_some(()).ok_or(CursorError::Lost)?;
            }
            loop {
                let chunk = runs.read(&id, from, PAGE_BYTES).await?.ok_or(CursorError::Gone)?;
                if !chunk.batches.is_empty() || chunk.is_end {
                    return Ok(chunk);
                }
                runs.touch_reader(&id, READER.1).await?;
                if let Ok(woken) = timeout(READER.0, runs.wait(&id, from)).await {
                    woken?;
                }
            }
        };
        match attempt.await {
            Err(CursorError::Store(error)) if error.is_retryable() => {
                tracing::debug!(run.id = %id, error = %error, "the run store is unavailable; retrying a read");
                backoff.wait().await;
            }
            done => return done,
        }
    }
}

impl Stream for StoredCursor {
    type Item = Result<Batch, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        let next = this.next.get_or_insert_with(|| {
            Box::pin(fetch(this.services.clone(), this.id.clone(), this.position, this.unsure))
        });
        let fetched = ready!(next.as_mut().poll(cx));
        this.next = None;
        this.unsure = None;
        Poll::Ready(match fetched {
            Ok(chunk) => this.take(chunk).map(Ok),
            Err(error) => {
                this.done = true;
                Some(Err(error))
            }
        })
    }
}
