//! A typed tool.

use agent_runner::schemars::{self, JsonSchema};
use agent_runner::tools::{Tool, ToolContext, tool_fn};
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Greeting {
    /// Whom to greet.
    name: String,
}

pub fn greet() -> impl Tool {
    tool_fn("greet", "Greets somebody.", |ctx: ToolContext, greeting: Greeting| async move {
        Ok(format!("Hello {}, says {}", greeting.name, ctx.user_id()))
    })
}
