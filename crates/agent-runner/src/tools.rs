//! Tools that a model may call, written in Rust.

mod agent_tool;
mod approved;
mod calculator;
mod context;
mod current_time;
mod error;
mod source;
mod typed;

use std::fmt;
use std::sync::Arc;

use agent_schemas::{Json, JsonObject};
use async_trait::async_trait;

pub use agent_tool::AgentTool;
pub use approved::call_with_approval;
pub use calculator::Calculator;
pub use context::ToolContext;
pub use current_time::CurrentTime;
pub use error::ToolError;
pub use source::{McpOrigin, OfferedTool, ToolSource};
pub use typed::{ToolFn, tool_fn};

pub(crate) use calculator::evaluate;
#[cfg(feature = "chat")]
pub(crate) use error::UNEXPECTED;

use crate::call_form::CallForm;
use crate::{RunHandle, Services};

/// A function that a model may call. [`tool_fn`] creates one from an async closure.
///
/// ```
/// use agent_runner::tools::{Tool, ToolContext, ToolError};
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
///     async fn call(&self, ctx: &ToolContext, _arguments: JsonObject) -> Result<Json, ToolError> {
///         Ok(format!("sunny for {}", ctx.user_id()).into())
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

    /// Runs the tool. The model and the client receive the result as JSON text. `ctx` identifies the user and the run.
    ///
    /// # Cancellation
    /// The future is dropped when the run is cancelled. Work that the tool started elsewhere can wait for
    /// [`ToolContext::cancelled`].
    ///
    /// # Errors
    /// [`ToolError`] if the tool cannot answer. That does not end the run: the model reads the text of
    /// [`ToolError::new`], and may try again. For other errors and panics, the model reads only that the tool
    /// failed; the server's log has the text.
    async fn call(&self, ctx: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError>;
}

/// The built-in tools: `calculator` and `current_time`.
pub fn built_in(services: &Services) -> Vec<Arc<dyn Tool>> {
    vec![Arc::new(Calculator), Arc::new(CurrentTime::new(Arc::clone(&services.clock)))]
}

/// Calls a tool like an agent with a model does: the call and its output become separate messages in the run's log.
///
/// # Errors
/// The error of the tool, which is also in the log.
pub async fn call_tool(run: &RunHandle, tool: &dyn Tool, arguments: JsonObject) -> Result<Json, ToolError> {
    call_as(run, tool, CallForm::plain(tool.name()), arguments).await
}

/// The same for a tool of a [`ToolSource`]: a call of an MCP server's tool becomes an `mcp_call` and an
/// `mcp_call_output`. It is made whether it needs approval or not; see [`call_with_approval`].
///
/// # Errors
/// The error of the tool, which is also in the log.
pub async fn call_offered_tool(
    run: &RunHandle,
    offered: &OfferedTool,
    arguments: JsonObject,
) -> Result<Json, ToolError> {
    call_as(run, &*offered.tool, form_of(offered), arguments).await
}

fn form_of(offered: &OfferedTool) -> CallForm {
    match &offered.mcp {
        Some(mcp) => CallForm::of_mcp(&mcp.tool_name, &mcp.server_label),
        None => CallForm::plain(offered.name()),
    }
}

async fn call_as(
    run: &RunHandle,
    tool: &dyn Tool,
    form: CallForm,
    arguments: JsonObject,
) -> Result<Json, ToolError> {
    let call_id = run.new_call_id();
    let call = run.open_call(&call_id, &form, JsonObject::new());
    call.complete(Json::from(arguments.clone()).to_string());
    let ctx = ToolContext::of_run(run, call_id, form);
    let answer = tool.call(&ctx, arguments).await;
    let output = match &answer {
        Ok(answer) => ToolOutput::of(answer),
        Err(error) => failed_output(&ctx, tool.name(), error),
    };
    ctx.write_output(&output);
    answer
}

/// What a call has come to.
#[derive(Clone, Debug)]
pub(crate) struct ToolOutput {
    /// The answer, or an object with the error, as JSON text for the model.
    pub(crate) text: String,
    /// The error of a call that has failed.
    pub(crate) error: Option<String>,
}

impl ToolOutput {
    pub(crate) fn of(answer: &Json) -> Self {
        ToolOutput { text: answer.to_string(), error: None }
    }

    /// The output of a call that has failed.
    pub(crate) fn failed(message: &str) -> Self {
        let text = Json::from(agent_schemas::object! { "error" => message }).to_string();
        ToolOutput { text, error: Some(message.to_owned()) }
    }
}

/// The output of a failed tool. Details that are not for the model and the client are logged.
pub(crate) fn failed_output(ctx: &ToolContext, name: &str, error: &ToolError) -> ToolOutput {
    if let Some(cause) = error.cause() {
        tracing::error!(run.id = %ctx.run_id(), tool.name = name, error = cause, "a tool failed unexpectedly");
    }
    ToolOutput::failed(&error.to_string())
}
