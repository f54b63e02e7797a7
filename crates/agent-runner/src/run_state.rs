//! The agents' state in a session.

use agent_schemas::{Json, SessionId, UserId};
use agent_services::retry::retry_unavailable;
use agent_services::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Services;
use crate::history::PATIENCE;

/// The state of one user's session: what its last round saved. All agents of a session share it.
///
/// Calls are retried for up to ten seconds while the store is unavailable.
///
/// ```
/// use agent_runner::{RunHandle, agent_fn};
///
/// let counter = agent_fn(|run: RunHandle| async move {
///     let turns: u32 = run.state().load().await?.unwrap_or_default();
///     run.state().save(&(turns + 1)).await?;
///     run.say(&format!("This is turn {}.", turns + 1));
///     Ok(())
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RunState<'a> {
    services: &'a Services,
    user: &'a UserId,
    session: &'a SessionId,
}

impl<'a> RunState<'a> {
    pub(crate) fn new(services: &'a Services, user: &'a UserId, session: &'a SessionId) -> Self {
        RunState { services, user, session }
    }

    /// The latest state; `None` if none was saved.
    ///
    /// # Errors
    /// An error of the store, or [`ErrorKind::InvalidInput`] if the state does not have this type.
    pub async fn load<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let Some(state) = self.load_json().await? else { return Ok(None) };
        let state = serde_json::from_str(&state.to_string());
        state
            .map(Some)
            .map_err(|error| invalid("load a state", "the state does not have the requested type", error))
    }

    /// Saves a state as the session's next round, and returns the round's number. Earlier rounds are kept.
    ///
    /// # Errors
    /// An error of the store, or [`ErrorKind::InvalidInput`] if the state cannot be written as JSON.
    ///
    /// # Cancellation
    /// If the future is dropped, the state may or may not be saved.
    pub async fn save<T: Serialize + ?Sized>(&self, state: &T) -> Result<u64> {
        let state = Json::from_serialize(state);
        let state =
            state.map_err(|error| invalid("save a state", "could not write the state as JSON", error))?;
        self.save_json(&state).await
    }

    /// The latest state as JSON; `None` if none was saved.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn load_json(&self) -> Result<Option<Json>> {
        let states = &self.services.states;
        let latest = retry_unavailable(PATIENCE, || states.export(self.user, self.session, None)).await?;
        Ok(latest.map(|(_, state)| state))
    }

    /// Saves JSON as the session's next round, and returns the round's number.
    ///
    /// # Errors
    /// An error of the store.
    ///
    /// # Cancellation
    /// If the future is dropped, the state may or may not be saved.
    pub async fn save_json(&self, state: &Json) -> Result<u64> {
        // A save whose reply was lost is repeated as another round; the latest state is the same.
        retry_unavailable(PATIENCE, || self.services.states.save(self.user, self.session, None, state)).await
    }

    /// Deletes all rounds; returns how many there were.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn delete(&self) -> Result<u64> {
        retry_unavailable(PATIENCE, || self.services.states.delete_session(self.user, self.session)).await
    }
}

fn invalid(operation: &'static str, message: &str, error: serde_json::Error) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, message).with_source(error)
}
