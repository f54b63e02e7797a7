//! Runs that were refused for the time being, and whose requests are repeated.

use agent_schemas::{ErrorBody, Event, RunId, Status};
use agent_services::run::{Created, NewRun};

use super::Runner;
use super::run::Run;

/// The statuses with which a client is told to repeat its request later.
const REFUSALS: [u16; 2] = [429, 503];

/// How many runs the requests with one key may start.
const MAX_ATTEMPTS: usize = 100;

impl Runner {
    /// Stores a new run. If an earlier request with its key was refused for the time being, this one is a further attempt.
    ///
    /// A further attempt has a key of its own, which all requests derive from the key and the refused run. So one of
    /// several requests starts it, the others repeat it, and the refused run stays as it is.
    pub(super) async fn store_attempt(&self, new: NewRun) -> agent_services::Result<Created> {
        let Some(key) = new.key.clone() else { return self.store(new).await };
        let mut attempt = new.clone();
        let mut created = self.store(new).await?;
        for _ in 1..MAX_ATTEMPTS {
            let refused = match &created {
                Created::Repeated(earlier) if self.was_refused(earlier).await? => earlier.clone(),
                _ => break,
            };
            let mut further = key.clone();
            // No header contains a line break, so no client chooses this key.
            further.key = format!("{}\n{refused}", key.key);
            attempt.key = Some(further);
            match self.store(attempt.clone()).await? {
                // A client that has received an event of the refused run reads its rest.
                Created::KeyUnknown => break,
                other => created = other,
            }
        }
        Ok(created)
    }

    async fn store(&self, new: NewRun) -> agent_services::Result<Created> {
        let id = new.record.id.clone();
        let guard = self.orphan_guard(&id);
        guard.resolve(self.services().runs.create(new).await)
    }

    /// Whether a run has ended with an error that says to repeat the request, and without any output.
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
