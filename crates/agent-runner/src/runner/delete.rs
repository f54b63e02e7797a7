//! Deleting a session or a user: their runs stop first, then everything of them goes, from every store.

use std::time::Duration;

use agent_schemas::{RunId, SessionId, UserId};
use agent_services::Result;
use tokio::time::timeout;

use super::Runner;
use super::cancel::{cancel_stored, unfinished};
use crate::Services;

/// How much longer than their grace period cancelled runs are waited for.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// What was deleted of a user.
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
    /// Deletes a session with its messages, its runs, their stored responses, and the states that agents keep in it; returns
    /// what that was. What is remembered of the user stays.
    ///
    /// Runs that have not ended are cancelled and waited for, for as long as an agent may take to stop. Then they are deleted
    /// like the others, and whoever still executes one can write nothing more. Repeating this is harmless.
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

    /// Deletes everything of a user from every store: runs with their logs and idempotency keys, sessions, states and memories;
    /// returns what that was.
    ///
    /// Runs that have not ended are cancelled first, as in [`Self::delete_session`]. What the user starts meanwhile may remain.
    /// Repeating this is harmless.
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

/// Does what [`Runner::delete_session`] does without a runner, such as in a tool that opens the stores itself. `grace` is how
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
    // Runs go first: one that has gone leaves nothing in its session.
    let runs = services.runs.delete_session(user, session).await?;
    let sessions = u64::from(services.sessions.delete(user, session).await?);
    let states = services.states.delete_session(user, session).await?;
    Ok(Deleted { runs, sessions, states, memories: 0 })
}

/// Does what [`Runner::delete_user`] does without a runner; see [`delete_session`].
///
/// # Errors
/// The first store's.
pub async fn delete_user(services: &Services, user: &UserId, grace: Duration) -> Result<Deleted> {
    stop_runs(services, user, None, grace).await?;
    let runs = services.runs.delete_user(user).await?;
    let sessions = services.sessions.delete_user(user).await?;
    let states = services.states.delete_user(user).await?;
    let memories = match services.memories.delete_user(user).await {
        // A backend without memories has none of this user.
        Err(error) if error.kind() == agent_services::ErrorKind::Unsupported => 0,
        deleted => deleted?,
    };
    Ok(Deleted { runs, sessions, states, memories })
}

/// Cancels the runs of a user or a session that have not ended, and waits for their end as long as they may take.
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
        tracing::warn!("runs that were cancelled have not ended in time; they are deleted all the same");
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
