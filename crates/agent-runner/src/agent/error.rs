//! Why an agent failed.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::iter::successors;

use agent_schemas::Error;

use crate::error_chain::chain;

/// Why an agent failed. Every error converts to it with `?`: a type that implements [`std::error::Error`], a
/// `Box<dyn Error + Send + Sync>`, and an [`anyhow::Error`].
///
/// An [`agent_schemas::Error`] chooses the code and the text that the client sees, also if it is the cause of the error or
/// has an anyhow context. The text of every other error is for the server's log.
///
/// ```
/// use agent_runner::agent_schemas::Error;
/// use agent_runner::{RunHandle, agent_fn};
/// use anyhow::Context;
///
/// fn limit_of(user: &str) -> anyhow::Result<u32> {
///     let limit: u32 = std::fs::read_to_string("limits.txt").context("no limits")?.trim().parse()?;
///     if limit == 0 {
///         let message = "You may not ask today".to_owned();
///         return Err(Error::PermissionDenied { message }).with_context(|| format!("the limit of {user}"));
///     }
///     Ok(limit)
/// }
///
/// let agent = agent_fn(|run: RunHandle| async move {
///     let limit = limit_of(run.request().user_id.as_deref().unwrap_or_default())?;
///     run.say(&format!("You may ask {limit} questions."));
///     Ok(())
/// });
/// ```
pub struct AgentError {
    error: Error,
    effect: Effect,
}

/// How a run ends whose agent returned an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// As failed.
    Fail,
    /// As incomplete.
    Incomplete,
    /// As completed: the agent waits for its user, who starts another run.
    Wait,
    /// It is taken over, like a run of a process that died, if the agent's recovery allows that. Otherwise it fails.
    Recover,
}

impl AgentError {
    /// An error that has nothing but a text, for the server's log. A text for the client is an [`agent_schemas::Error`], such
    /// as [`Error::Agent`].
    pub fn message(message: impl Into<String>) -> Self {
        failed(Error::unknown("Error", message))
    }

    /// Ends the run as `incomplete`, because it cannot be continued for this reason. The client sees the reason.
    pub fn incomplete(reason: impl Into<String>) -> Self {
        let error = Error::RunInterrupted { reason: reason.into() };
        AgentError { error, effect: Effect::Incomplete }
    }

    /// The process that worked for the agent has ended. The run is recovered as if the server had died, if the agent's
    /// [`Recovery`](crate::Recovery) allows that; otherwise, or if this has happened to the run three times, it fails
    /// with this error.
    pub fn interrupted(error: Error) -> Self {
        AgentError { error, effect: Effect::Recover }
    }

    /// The run waits for the answer to a question.
    pub(crate) fn waiting() -> Self {
        AgentError { error: Error::unknown("Waiting", "the run waits for an answer"), effect: Effect::Wait }
    }

    /// Whether the agent has asked its user a question ([`RunHandle::ask`](crate::RunHandle::ask)), which ends the run without
    /// a failure.
    pub fn is_waiting(&self) -> bool {
        self.effect == Effect::Wait
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    /// The error, with its own text. A run does not show that of an [`Error::UnknownAgent`] to its client.
    pub fn as_error(&self) -> &Error {
        &self.error
    }

    /// The error, with its own text. A run does not show that of an [`Error::UnknownAgent`] to its client.
    pub fn into_inner(self) -> Error {
        self.error
    }

    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        failed(Error::unknown("panic", text.unwrap_or("the agent panicked")))
    }
}

// `AgentError` does not implement `std::error::Error`: otherwise it could not be converted from every type that does.
impl<E: Into<Box<dyn StdError + Send + Sync>> + 'static> From<E> for AgentError {
    fn from(error: E) -> Self {
        // As a boxed error, an `anyhow::Error` hides the type of what it was made from.
        if let Some(error) = (&error as &dyn Any).downcast_ref::<anyhow::Error>() {
            let known = error.downcast_ref::<Error>().map(|known| with_code(known, error.as_ref()));
            return known.unwrap_or_else(|| convert(error.as_ref(), "Error"));
        }
        let boxed: Box<dyn StdError + Send + Sync> = error.into();
        convert(boxed.as_ref(), short_type_name::<E>())
    }
}

/// The error for this one; `class` is the name of its type.
fn convert(error: &(dyn StdError + 'static), class: &str) -> AgentError {
    for cause in successors(Some(error), |&error| error.source()) {
        if let Some(known) = cause.downcast_ref::<Error>() {
            return with_code(known, error);
        }
        if cause.downcast_ref::<agent_services::Error>().is_some_and(agent_services::Error::is_retryable) {
            tracing::warn!(error = chain(error), "an agent's call of a store failed");
            return failed(Error::StoreUnavailable {});
        }
    }
    failed(Error::unknown(class, chain(error)))
}

fn failed(error: Error) -> AgentError {
    AgentError { error, effect: Effect::Fail }
}

/// The error with a code, which may be inside of others that only the log shows.
fn with_code(known: &Error, outer: &(dyn StdError + 'static)) -> AgentError {
    if !outer.is::<Error>() {
        tracing::info!(error = chain(outer), error.code = known.code(), "an agent failed");
    }
    failed(known.clone())
}

impl fmt::Debug for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

/// A type's name without its path and parameters; `Error` for what is only a box or a text.
fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    match name.rsplit("::").next().unwrap_or(name) {
        "Box" | "String" | "&str" => "Error",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    /// An error of an agent's own.
    #[derive(Debug, thiserror::Error)]
    #[error("the order cannot be read")]
    struct OrderError(#[source] Error);

    fn denied() -> Error {
        Error::PermissionDenied { message: "not today".to_owned() }
    }

    fn busy() -> agent_services::Error {
        agent_services::Error::new(agent_services::ErrorKind::Unavailable, "read", "no connection")
    }

    /// What `?` makes of an error.
    fn converted<E>(error: E) -> Error
    where
        AgentError: From<E>,
    {
        let failed = || -> Result<(), AgentError> { Err(error)? };
        failed().expect_err("it failed").into_inner()
    }

    #[test]
    fn error_with_a_code__however_wrapped__keeps_it() {
        let boxed: Box<dyn StdError + Send + Sync> = Box::new(denied());
        let boxed_cause: Box<dyn StdError + Send + Sync> = Box::new(OrderError(denied()));
        let outer_code = Err::<(), _>(std::io::Error::other("disk")).context(denied()).expect_err("an error");
        for error in [
            converted(denied()),
            converted(boxed),
            converted(boxed_cause),
            converted(OrderError(denied())),
            converted(anyhow::Error::new(denied())),
            converted(anyhow::Error::new(denied()).context("order 7").context("orders")),
            converted(anyhow::Error::new(OrderError(denied()))),
            converted(outer_code),
        ] {
            assert_eq!(error, denied());
        }
    }

    #[test]
    fn store_that_is_unavailable__however_wrapped__has_its_code() {
        let boxed: Box<dyn StdError + Send + Sync> = Box::new(busy());
        for error in [
            converted(busy()),
            converted(boxed),
            converted(anyhow::Error::new(busy())),
            converted(anyhow::Error::new(busy()).context("order 7")),
        ] {
            assert_eq!(error, Error::StoreUnavailable {});
        }
    }

    #[test]
    fn error_without_a_code__has_its_type_and_all_causes() {
        let io = || std::io::Error::other("disk");
        let boxed: Box<dyn StdError + Send + Sync> = Box::new(io());
        for (error, class, message) in [
            (converted(io()), "Error", "disk"),
            (
                converted("7x".parse::<u8>().expect_err("no number")),
                "ParseIntError",
                "invalid digit found in string",
            ),
            (converted(boxed), "Error", "disk"),
            (converted(anyhow::Error::new(io()).context("order 7")), "Error", "order 7: disk"),
            (converted(anyhow::anyhow!("nothing")), "Error", "nothing"),
            (converted("a text"), "Error", "a text"),
            (converted("a text".to_owned()), "Error", "a text"),
        ] {
            assert_eq!(error, Error::unknown(class, message));
        }
    }
}
