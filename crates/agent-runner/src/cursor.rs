//! Cursors: readers of a run's log.

mod live;
mod stored;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use agent_schemas::{DecodeError, Event, RunId, sse};
use agent_services::run::Batch;
use futures_util::Stream;

use self::live::LiveCursor;
use self::stored::StoredCursor;
use crate::Services;
use crate::live::{LiveRun, RunEnd};

/// How much is read from the store in one call.
const PAGE_BYTES: usize = 256 * 1024;

/// Up to this size, waiting batches are joined into one.
const JOIN_BYTES: usize = 64 * 1024;

/// Reads a run's log from a position to its end, at its own pace, whichever process executes the run, even across a
/// takeover.
///
/// A stream of batches of encoded entries; [`Cursor::next_events`] decodes them. Dropping a cursor does not affect the
/// run or other cursors, except that the run's disconnect policy applies when the last cursor is dropped.
pub struct Cursor(Source);

enum Source {
    Live(LiveCursor),
    Stored(StoredCursor),
}

/// Why a cursor cannot continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The log, or the requested part of it, is no longer kept.
    #[error("the run's log is no longer kept")]
    Gone,
    /// Another process now writes the log, and continues from a point before the entries that were read.
    #[error("another process took over the run, and its log lacks entries that were already read")]
    Lost,
    /// The store failed.
    #[error("could not read the run's log")]
    Store(#[from] agent_services::Error),
    /// A stored entry is damaged.
    #[error("an entry of the run's log is damaged")]
    Damaged(#[from] DecodeError),
}

impl Cursor {
    pub(crate) fn of_live(run: Arc<LiveRun>, from: u64) -> Self {
        Cursor(Source::Live(LiveCursor::new(run, from)))
    }

    pub(crate) fn of_stored(services: Services, id: RunId, from: u64) -> Self {
        Cursor(Source::Stored(StoredCursor::new(services, id, from)))
    }

    /// The number of the next entry.
    pub fn position(&self) -> u64 {
        match &self.0 {
            Source::Live(cursor) => cursor.position(),
            Source::Stored(cursor) => cursor.position(),
        }
    }

    /// How the run ended, once it has ended.
    pub fn end(&self) -> Option<RunEnd> {
        match &self.0 {
            Source::Live(cursor) => cursor.end(),
            Source::Stored(cursor) => cursor.end(),
        }
    }

    /// Returns the next entries, decoded; `None` at the end of the log.
    ///
    /// # Errors
    /// [`CursorError`]; the cursor has then ended.
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
}

impl Stream for Cursor {
    type Item = Result<Batch, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let next = match &mut self.0 {
                Source::Live(cursor) => match ready!(Pin::new(&mut *cursor).poll_next(cx)) {
                    Some(Err(CursorError::Lost)) => Source::Stored(cursor.go_on_elsewhere()),
                    other => return Poll::Ready(other),
                },
                Source::Stored(cursor) => return Pin::new(cursor).poll_next(cx),
            };
            self.0 = next;
        }
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("position", &self.position()).finish_non_exhaustive()
    }
}

/// The first batches that are worth joining, and whether there are no others.
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
