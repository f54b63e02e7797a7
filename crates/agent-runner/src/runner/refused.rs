//! Runs that were refused for the time being, and whose requests are repeated.

use agent_schemas::{ErrorBody, Event, RunId, Status};
use agent_services::run::{Created, NewRun};

use super::Runner;
use super::run::Run;

/// Statuses that ask the client to repeat its request later.
const REFUSALS: [u16; 2] = [429, 503];

/// How many runs the requests with one key may start.
const MAX_ATTEMPTS: usize = 100;

impl Runner {
    /// Stores a new run. If an earlier request with its key was refused for the time being, this one is a further attempt.
    ///
    /// A further attempt has a key of its own, which all requests derive from the key and the refused run. So one of
    /// several requests starts it, the others repeat it, and the refused run stays as it is.
    pub(super) async fn store_attempt(&self, new: NewRun) -> agent_services::Result<Created> {
        let again = new.key.is_some().then(|| Box::new(new.clone()));
        match (self.store(new).await?, again) {
            (Created::Repeated(earlier), Some(again)) => Box::pin(self.attempt_after(earlier, again)).await,
            (created, _) => Ok(created),
        }
    }

    /// Stores a run as a further attempt, unless the earlier run, or an attempt after it, is the answer.
    async fn attempt_after(
        &self,
        mut earlier: RunId,
        mut new: Box<NewRun>,
    ) -> agent_services::Result<Created> {
        let Some(key) = new.key.take() else { return Ok(Created::Repeated(earlier)) };
        for _ in 1..MAX_ATTEMPTS {
            if !self.was_refused(&earlier).await? {
                break;
            }
            let mut further = key.clone();
            // No header contains a line break, so no client chooses this key.
            further.key = format!("{}\n{earlier}", key.key);
            match self.store(NewRun::clone(&new).with_key(Some(further))).await? {
                Created::Repeated(later) => earlier = later,
                // A client that has received an event of the refused run reads its rest.
                Created::KeyUnknown => break,
                created => return Ok(created),
            }
        }
        Ok(Created::Repeated(earlier))
    }

    async fn store(&self, new: NewRun) -> agent_services::Result<Created> {
        let id = new.record.id.clone();
        let guard = self.orphan_guard(&id);
        guard.resolve(self.services().runs.create(new).await)
    }

    /// Whether a run failed with one of these statuses and without any output.
    async fn was_refused(&self, id: &RunId) -> agent_services::Result<bool> {
        let Some(record) = self.record(id).await?.filter(|record| record.status == Status::Failed) else {
            return Ok(false);
        };
        let last = record.entries.saturating_sub(1);
        let mut cursor = Run::of_stored(self, record).cursor(last);
        while let Some(Ok(events)) = cursor.next_events().await {
            if let Some(Event::Response(response)) = events.last() {
                let status = response.error.as_ref().map(ErrorBody::http_status);
                let is_refusal = status.is_some_and(|status| REFUSALS.contains(&status));
                return Ok(is_refusal && response.messages().is_empty());
            }
        }
        Ok(false)
    }
}
