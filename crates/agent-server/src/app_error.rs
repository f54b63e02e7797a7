//! Why an application cannot be built.

use agent_runner::BuildError;

/// Why an application cannot be built. `Display` says what to change.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// There is no agent, or two have the same name.
    #[error(transparent)]
    Runner(#[from] BuildError),
    /// Two owners have the same route.
    #[error("{second} has the route {route}, which {first} has already")]
    RouteConflict {
        /// The method and the path, or the path alone if no method matters.
        route: String,
        /// Who has the route.
        first: String,
        /// Who wants it, too.
        second: String,
    },
    /// An HTTP setting has a value that makes no sense.
    #[error("{name} '{value}' {reason}")]
    Setting {
        /// The setting, as in `http.cors_origins`.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        reason: String,
    },
}
