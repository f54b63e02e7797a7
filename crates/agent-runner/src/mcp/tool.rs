//! A tool of an MCP server.

use std::sync::Arc;

use agent_schemas::{Json, JsonObject};
use async_trait::async_trait;

use super::server::Server;
use crate::tools::{Tool, ToolContext, ToolError};

/// A tool as a server lists it.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) name: Arc<str>,
    pub(super) description: String,
    pub(super) parameters: Json,
}

/// A tool of an MCP server.
#[derive(Debug)]
pub(super) struct McpTool {
    /// Its name for models.
    name: String,
    listing: Listing,
    server: Arc<Server>,
}

impl McpTool {
    pub(super) fn new(name: String, listing: &Listing, server: Arc<Server>) -> Self {
        McpTool { name, listing: listing.clone(), server }
    }
}

#[async_trait]
impl Tool for McpTool {
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.listing.description
    }

    fn parameters(&self) -> Json {
        self.listing.parameters.clone()
    }

    async fn call(&self, ctx: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        self.server.call(ctx, &self.listing.name, arguments).await
    }
}
