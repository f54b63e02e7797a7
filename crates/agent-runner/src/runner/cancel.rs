//! How runs are asked to stop, whichever process executes them.

use agent_schemas::{RunId, SessionId, Status, UserId};
use agent_services::Result;
use agent_services::page::PageSize;
use agent_services::run::{Batch, Canceled, RunFilter, RunRecord};

use super::Runner;
use super::execute::take_up;
use crate::Services;
use crate::assemble::Ending;

impl Runner {
    /// Asks a run to stop, whichever process executes it; returns whether there is such a run. A queued run has
    /// ended as `canceled` when this returns; an ended run stays unchanged.
    ///
    /// # Errors
    /// The store's.
    pub async fn cancel(&self, id: &RunId) -> Result<bool> {
        if let Some(live) = self.live(id) {
            // The run stops even if the store is unavailable. But the caller gets the store's answer, because only a
            // stored request outlives this process and keeps a run whose agent has just returned from ending as
            // completed.
            live.cancel.cancel();
            return Ok(self.services().runs.cancel(id, Batch::empty(0)).await?.is_some());
        }
        let Some(record) = self.record(id).await? else { return Ok(false) };
        Ok(cancel_stored(self.services(), &record).await?.is_some())
    }

    /// Asks all runs of a session that have not ended to stop; returns how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn cancel_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        let mut count = 0;
        for record in unfinished(self.services(), user, Some(session)).await? {
            count += u64::from(self.cancel(&record.id).await?);
        }
        Ok(count)
    }
}

/// Asks a run to stop through the store alone; ends a queued run. `None` if the run no longer exists.
pub(super) async fn cancel_stored(services: &Services, record: &RunRecord) -> Result<Option<Canceled>> {
    let is_waiting = record.status == Status::Queued;
    let last = if is_waiting { end_of_waiting(services, record).await? } else { Batch::empty(0) };
    services.runs.cancel(&record.id, last).await
}

/// The last entries of a run that is cancelled before its turn.
async fn end_of_waiting(services: &Services, record: &RunRecord) -> Result<Batch> {
    let (mut assembler, _) = take_up(services, record, 1).await?;
    assembler.finish(&Ending::new(Status::Canceled, services.clock.unix_seconds()));
    Ok(assembler.pending())
}

/// The runs of a user or of one session that have not ended, queued runs first: if they are ended in this order,
/// none of them begins.
pub(super) async fn unfinished(
    services: &Services,
    user: &UserId,
    session: Option<&SessionId>,
) -> Result<Vec<RunRecord>> {
    let mut found: Vec<RunRecord> = Vec::new();
    for status in [Status::Queued, Status::InProgress] {
        let mut filter = RunFilter::default();
        filter.session = session.cloned();
        filter.status = Some(status);
        let mut after = None;
        loop {
            let page = services.runs.list(user, &filter, after, PageSize::default()).await?;
            // A run that began between the two lists is in both.
            let is_new = |record: &RunRecord| found.iter().all(|known| known.id != record.id);
            let new: Vec<RunRecord> = page.items.into_iter().filter(is_new).collect();
            found.extend(new);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}
