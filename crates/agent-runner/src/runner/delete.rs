//! Deletes a session or a user: stops their runs first, then deletes all their data from every store.

use std::time::Duration;

use agent_schemas::{RunId, SessionId, UserId};
use agent_services::Result;
use tokio::time::timeout;

use super::Runner;
use super::cancel::{cancel_stored, unfinished};
use crate::Services;

/// How long to wait for cancelled runs after their grace period.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// How much of a user's data was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// How many runs, with their logs, stored responses and idempotency keys.
    pub runs: u64,
    /// How many sessions, with their messages.
    pub sessions: u64,
    /// How many states of agents.
    pub states: u64,
    /// How many memories.
    pub memories: u64,
}

impl Runner {
    /// Deletes a session with its messages, its runs, their stored responses, and the states that agents keep
    /// in it; returns the counts. The user's memories stay.
    ///
    /// Cancels runs that have not ended and waits for as long as an agent may take to stop. Then it deletes them
    /// like the others, and a process that still executes one can write nothing more. Repeating the call is
    /// harmless.
    ///
    /// # Errors
    /// The first store's. Repeat the call then: what is deleted stays deleted.
    ///
    /// # Cancellation
    /// Dropping the future may leave a part of the session.
    pub async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<Deleted> {
        self.cancel_session(user, session).await?;
        delete_session(self.services(), user, session, self.limits().cancel_grace).await
    }

    /// Deletes all data of a user from every store: runs with their logs and idempotency keys, sessions, states
    /// and memories; returns the counts.
    ///
    /// Cancels runs that have not ended first, as in [`Self::delete_session`]. Runs that the user starts
    /// meanwhile may remain. Repeating the call is harmless.
    ///
    /// # Errors
    /// The first store's. Repeat the call then: what is deleted stays deleted.
    ///
    /// # Cancellation
    /// Dropping the future may leave a part of the data.
    pub async fn delete_user(&self, user: &UserId) -> Result<Deleted> {
        for record in unfinished(self.services(), user, None).await? {
            self.cancel(&record.id).await?;
        }
        delete_user(self.services(), user, self.limits().cancel_grace).await
    }
}

/// Like [`Runner::delete_session`], but without a runner: for a tool that opens the stores itself. `grace` is how
/// long the servers with these stores let a cancelled agent continue.
///
/// # Errors
/// The first store's.
pub async fn delete_session(
    services: &Services,
    user: &UserId,
    session: &SessionId,
    grace: Duration,
) -> Result<Deleted> {
    stop_runs(services, user, Some(session), grace).await?;
    // Runs first: a deleted run can no longer write to its session.
    let runs = services.runs.delete_session(user, session).await?;
    let sessions = u64::from(services.sessions.delete(user, session).await?);
    let states = services.states.delete_session(user, session).await?;
    Ok(Deleted { runs, sessions, states, memories: 0 })
}

/// Like [`Runner::delete_user`], but without a runner; see [`delete_session`].
///
/// # Errors
/// The first store's.
pub async fn delete_user(services: &Services, user: &UserId, grace: Duration) -> Result<Deleted> {
    stop_runs(services, user, None, grace).await?;
    let runs = services.runs.delete_user(user).await?;
    let sessions = services.sessions.delete_user(user).await?;
    let states = services.states.delete_user(user).await?;
    let memories = match services.memories.delete_user(user).await {
        // A backend without memories has none to delete.
        Err(error) if error.kind() == agent_services::ErrorKind::Unsupported => 0,
        deleted => deleted?,
    };
    Ok(Deleted { runs, sessions, states, memories })
}

/// Cancels the runs of a user or a session that have not ended, and waits as long as they may take to end.
async fn stop_runs(
    services: &Services,
    user: &UserId,
    session: Option<&SessionId>,
    grace: Duration,
) -> Result<()> {
    let unfinished = unfinished(services, user, session).await?;
    for record in &unfinished {
        cancel_stored(services, record).await?;
    }
    let ended = async {
        for record in &unfinished {
            wait_for_end(services, &record.id).await?;
        }
        Ok(())
    };
    timeout(grace.saturating_add(LAST_EVENTS), ended).await.unwrap_or_else(|_| {
        tracing::warn!("cancelled runs did not end in time; deleting them anyway");
        Ok(())
    })
}

/// Waits until a run has ended or is gone.
async fn wait_for_end(services: &Services, id: &RunId) -> Result<()> {
    while let Some(record) = services.runs.get(id).await?.filter(|record| !record.status.is_final()) {
        services.runs.wait(id, record.entries).await?;
    }
    Ok(())
}
