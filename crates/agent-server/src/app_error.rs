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
    #[error("{second} has the route {route}, which {first} already has")]
    RouteConflict {
        /// The method and the path, or the path alone if no method matters.
        route: String,
        /// The owner of the route.
        first: String,
        /// The other owner.
        second: String,
    },
    /// An HTTP setting has an invalid value.
    #[error("{name} '{value}' {reason}")]
    Setting {
        /// The setting, such as `http.cors_origins`.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}
