//! Steps: what an agent must not do again when its run is taken over.

use agent_schemas::{Error, Json};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agent::{AgentError, Effect};
use crate::handle::RunHandle;
use crate::journal;
use crate::live::LiveRun;
use crate::step_effect::StepEffect;

/// The steps of a run, for agents that take them elsewhere, such as in another process. Others use
/// [`RunHandle::step`].
///
/// Each step has a name of its own. While the store is unavailable, all calls wait.
#[derive(Clone, Copy, Debug)]
pub struct RunSteps<'a>(&'a LiveRun);

impl RunSteps<'_> {
    /// Begins a step. Returns its result if it was already done.
    ///
    /// # Errors
    /// The error with which the step failed, if it may only be taken once; an error that ends the run as incomplete if
    /// it was cut off and may only be taken once; an error if this run has already taken a step with this name; an
    /// error of the store.
    pub async fn begin(&self, name: &str, effect: StepEffect) -> Result<Option<Json>, AgentError> {
        journal::begin(self.0, name, effect).await
    }

    /// Keeps the result of a step. Once this returns, the step is never taken again.
    ///
    /// # Errors
    /// An error of the store, or if all results of the run together are too large.
    pub async fn end(&self, name: &str, result: Json) -> Result<(), AgentError> {
        journal::end(self.0, name, result).await
    }

    /// Notes that a step has failed. If it may only be taken once, the error is kept as its result; otherwise it may be
    /// taken again at once.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn fail(&self, name: &str, effect: StepEffect, error: &Error) -> Result<(), AgentError> {
        journal::fail(self.0, name, effect, error).await
    }
}

impl RunHandle {
    /// The steps of this run, for agents that take them elsewhere. Others use [`Self::step`].
    pub fn steps(&self) -> RunSteps<'_> {
        RunSteps(self.live())
    }

    /// Does something that must not be done again when the run is taken over, and returns its result. If it was done
    /// before, by an earlier attempt or by a run whose question this one answers, that result is returned instead.
    ///
    /// The name distinguishes the steps of a run. Before a step begins or ends, everything that the run has written is
    /// stored.
    ///
    /// # Errors
    /// The error of the work, and those of [`RunSteps::begin`] and [`RunSteps::end`]. If the step may only be taken once,
    /// its failure is kept as its result.
    ///
    /// # Cancellation
    /// A step whose future is dropped is cut off.
    ///
    /// ```
    /// use agent_runner::{RunHandle, StepEffect, agent_fn};
    ///
    /// let seller = agent_fn(|run: RunHandle| async move {
    ///     let receipt: String = run
    ///         .step("charge", StepEffect::Once, async || Ok("receipt 7".to_owned()))
    ///         .await?;
    ///     run.say(&receipt);
    ///     Ok(())
    /// });
    /// ```
    pub async fn step<T, W>(&self, name: &str, effect: StepEffect, work: W) -> Result<T, AgentError>
    where
        T: Serialize + DeserializeOwned,
        W: AsyncFnOnce() -> Result<T, AgentError>,
    {
        let steps = self.steps();
        if let Some(result) = steps.begin(name, effect).await? {
            return Ok(serde_json::from_str(&result.to_string())?);
        }
        match work().await {
            Ok(result) => {
                steps.end(name, Json::from_serialize(&result)?).await?;
                Ok(result)
            }
            Err(error) => {
                // Whatever else ends the run has cut the step off.
                if error.effect() == Effect::Fail {
                    steps.fail(name, effect, error.as_error()).await?;
                }
                Err(error)
            }
        }
    }
}
