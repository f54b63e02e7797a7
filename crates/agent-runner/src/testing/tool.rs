//! Calls tools outside runs.

use agent_schemas::{ContentBody, Json, JsonObject, SessionId, UserId};

use crate::Services;
use crate::tools::{Tool, ToolContext, ToolError};

/// Calls tools without a run, and records their reports.
///
/// ```
/// use agent_runner::testing::ToolTest;
/// use agent_runner::tools::Calculator;
/// use agent_schemas::object;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let test = ToolTest::new();
/// let answer = test.call(&Calculator, object! { "expression" => "6 * 7" }).await;
/// assert_eq!(answer, Ok(42.into()));
/// assert!(test.progress().is_empty());
/// # }
/// ```
#[derive(Debug)]
pub struct ToolTest {
    context: ToolContext,
}

impl ToolTest {
    /// A test for the user `user` in the session `session`, with services in memory.
    pub fn new() -> Self {
        ToolTest::with(UserId::new("user"), SessionId::new("session"), Services::in_memory())
    }

    /// A test for this user and session, with these services.
    pub fn with(user_id: UserId, session_id: SessionId, services: Services) -> Self {
        ToolTest { context: ToolContext::detached(user_id, session_id, services) }
    }

    /// The context that the tools receive.
    pub fn context(&self) -> &ToolContext {
        &self.context
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// The error of the tool.
    pub async fn call(&self, tool: &dyn Tool, arguments: JsonObject) -> Result<Json, ToolError> {
        tool.call(&self.context, arguments).await
    }

    /// The tools' reports so far.
    pub fn progress(&self) -> Vec<Json> {
        self.context.reports()
    }

    /// The contents that the tools have attached so far.
    pub fn attached(&self) -> Vec<ContentBody> {
        self.context.attached()
    }

    /// Cancels the run that the tools see.
    pub fn cancel(&self) {
        self.context.cancel();
    }
}

impl Default for ToolTest {
    fn default() -> Self {
        ToolTest::new()
    }
}
