//! Tools that a model may call, written in Rust.

mod calculator;
mod current_time;

use std::fmt;
use std::sync::Arc;

use agent_schemas::{Json, JsonObject};
use async_trait::async_trait;

pub use calculator::Calculator;
pub use current_time::CurrentTime;

pub(crate) use calculator::evaluate;

use crate::Services;

/// A function that a model may call.
///
/// ```
/// use agent_runner::tools::{Tool, ToolError};
/// use agent_schemas::{Json, JsonObject, object};
///
/// #[derive(Debug)]
/// struct Weather;
///
/// #[async_trait::async_trait]
/// impl Tool for Weather {
///     fn name(&self) -> &str {
///         "weather"
///     }
///
///     fn description(&self) -> &str {
///         "Says what the weather is like."
///     }
///
///     fn parameters(&self) -> Json {
///         object! { "type" => "object", "properties" => object! {} }.into()
///     }
///
///     async fn call(&self, _arguments: JsonObject) -> Result<Json, ToolError> {
///         Ok("sunny".into())
///     }
/// }
/// ```
#[async_trait]
pub trait Tool: fmt::Debug + Send + Sync + 'static {
    /// The name by which the model calls it: letters, digits, `_` and `-`, at most 64.
    fn name(&self) -> &str;

    /// What it does, for the model.
    fn description(&self) -> &str;

    /// The JSON Schema of its arguments: an object.
    fn parameters(&self) -> Json;

    /// Does the work. The model and the client get the answer as its JSON text.
    ///
    /// # Cancellation
    /// The future is dropped when the run is cancelled.
    ///
    /// # Errors
    /// [`ToolError`] if the tool cannot answer. That does not end the run: the model is told, and may try again. A
    /// panic is treated alike.
    async fn call(&self, arguments: JsonObject) -> Result<Json, ToolError>;
}

/// Why a tool has no answer, in words that its model reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    message: String,
}

impl ToolError {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        ToolError { message: message.into() }
    }
}

/// The tools that come with the runner: `calculator` and `current_time`.
pub fn built_in(services: &Services) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(Calculator), Arc::new(CurrentTime::new(Arc::clone(&services.clock)))]
}

/// The JSON text that stands in place of an output when a tool has none.
pub(crate) fn error_output(message: &str) -> String {
    Json::from(agent_schemas::object! { "error" => message }).to_string()
}
