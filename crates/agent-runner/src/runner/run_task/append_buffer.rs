//! The agent's output on its way to the store and to the readers.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use agent_schemas::{Durability, Error};
use agent_services::run::Batch;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::live::LiveRun;

/// How long, and up to how many bytes, entries that are already shown may accumulate before they are stored.
const GATHER_TIME: Duration = Duration::from_millis(100);
const GATHER_BYTES: usize = 256 * 1024;

/// All runs store what they have shown at multiples of this time, so that their appends share commits and wake-ups.
const TICK: Duration = Duration::from_millis(50);

/// Entries that the store has not acknowledged.
#[derive(Debug)]
pub(in crate::runner) struct AppendBuffer {
    durability: Durability,
    /// What is being appended.
    in_flight: Option<Batch>,
    /// Entries that readers have seen and that still have to be appended; only with relaxed durability.
    shown: Vec<Batch>,
    shown_bytes: usize,
    /// Resolves when the shown entries have accumulated for long enough.
    due: Option<Pin<Box<Sleep>>>,
    /// Whether the first append has been made. It is not delayed: otherwise, an agent that must not start twice
    /// would do so if the process died in the meantime.
    began: bool,
}

impl AppendBuffer {
    pub(in crate::runner) fn new(durability: Durability) -> Self {
        AppendBuffer {
            durability,
            in_flight: None,
            shown: Vec::new(),
            shown_bytes: 0,
            due: None,
            began: false,
        }
    }

    /// The number of bytes taken from the agent that the store does not have.
    pub(super) fn bytes(&self) -> usize {
        self.shown_bytes + self.in_flight.as_ref().map_or(0, |batch| batch.frames.len())
    }

    /// Returns what to append next, if another append may start; otherwise keeps the waker.
    ///
    /// # Errors
    /// Why the log was closed before its end.
    pub(super) fn next(
        &mut self,
        live: &LiveRun,
        may_append: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Batch>, Error> {
        match self.durability {
            Durability::Strict if !may_append => return Ok(None),
            Durability::Strict => self.in_flight = live.take_pending(cx.waker())?,
            Durability::Relaxed => {
                while let Some(batch) = live.take_pending(cx.waker())? {
                    self.show(batch, live);
                }
                if !may_append || !self.is_due(cx) {
                    return Ok(None);
                }
                self.in_flight = Some(Batch::concat(&self.take_shown()));
            }
        }
        Ok(self.in_flight.clone())
    }

    fn show(&mut self, batch: Batch, live: &LiveRun) {
        live.tail.show(batch.clone());
        self.shown_bytes += batch.frames.len();
        self.shown.push(batch);
    }

    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        if self.shown.is_empty() {
            return false;
        }
        if !self.began {
            self.began = true;
            return true;
        }
        let due = self.due.get_or_insert_with(|| Box::pin(sleep_until(tick_after(GATHER_TIME))));
        due.as_mut().poll(cx) == Poll::Ready(()) || self.shown_bytes >= GATHER_BYTES
    }

    /// The batch that is being appended, for a retry.
    pub(super) fn in_flight(&self) -> Option<Batch> {
        self.in_flight.clone()
    }

    /// Marks the batch as stored, and shows it if it was not shown before.
    pub(super) fn acknowledge(&mut self, live: &LiveRun) {
        let Some(batch) = self.in_flight.take() else { return };
        match self.durability {
            Durability::Relaxed => live.tail.note_stored(&batch),
            Durability::Strict => live.tail.publish(Some(batch), None),
        }
    }

    /// Takes the entries that readers have seen and the store does not have.
    pub(super) fn take_shown(&mut self) -> Vec<Batch> {
        self.due = None;
        self.shown_bytes = 0;
        std::mem::take(&mut self.shown)
    }
}

/// The first tick after this time from now.
fn tick_after(time: Duration) -> Instant {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let ticks = (FIRST.elapsed() + time).as_nanos() / TICK.as_nanos() + 1;
    *FIRST + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tick_after__any_time__is_shared() {
        let time = Duration::from_millis(100);
        let first = tick_after(time);
        assert!((time..=time + TICK).contains(&first.duration_since(Instant::now())));
        tokio::time::advance(first - Instant::now() - time - Duration::from_nanos(1)).await;
        assert_eq!(tick_after(time), first, "just before the tick");
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert_eq!(tick_after(time), first + TICK);
    }
}
