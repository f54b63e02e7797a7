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
    /// Asks a run to stop, whichever process executes it; says whether there is such a run. One that waits has ended as
    /// `canceled` when this returns, one that has ended stays as it is.
    ///
    /// # Errors
    /// The store's.
    pub async fn cancel(&self, id: &RunId) -> Result<bool> {
        if let Some(live) = self.live(id) {
            live.cancel.cancel();
            // Kept as well, so that the wish outlives this process. The run stops even if the store is unavailable.
            if let Err(error) = self.services().runs.cancel(id, Batch::empty(0)).await {
                tracing::warn!(run.id = %id, error = %error, "that a run is cancelled could not be kept");
            }
            return Ok(true);
        }
        let Some(record) = self.record(id).await? else { return Ok(false) };
        Ok(cancel_stored(self.services(), &record).await?.is_some())
    }

    /// Asks all runs of a session to stop that have not ended; says how many.
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

/// Asks a run to stop by the store alone; ends one that waits. `None` if there is no such run any more.
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

/// The runs of a user or of one session that have not ended. Those that wait come first: whoever ends them in this order lets
/// none of them begin.
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
            // One that began between the two lists is in both.
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
