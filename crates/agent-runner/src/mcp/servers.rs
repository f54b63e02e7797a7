//! All MCP servers of a process.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{ContentBody, Json, JsonObject, SessionId, UserId};
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::McpError;
use super::catalog::Catalog;
use super::config::McpServerConfig;
use super::server::{Condition, Server};
use super::supervise::supervise;
use crate::Services;
use crate::tools::{OfferedTool, ToolContext, ToolError, ToolSource};

/// Connections to MCP servers. Cheap to clone. When the last clone and the last source of their tools are dropped, they
/// end at once; [`Self::close`] lets them end in peace.
#[derive(Clone, Debug)]
pub struct McpServers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Arc<Catalog>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

/// What is known about one server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpServerStatus {
    /// Its name.
    pub name: String,
    /// How many tools it offers.
    pub tools: usize,
    /// Why it cannot be used; `None` if it can.
    pub problem: Option<String>,
}

impl McpServers {
    /// Begins to connect to the servers, in tasks of their own. Their programs get an empty environment, apart from what
    /// their settings say; see [`Self::start_with`].
    ///
    /// Needs a runtime of tokio.
    ///
    /// # Errors
    /// The first setting that is wrong. A server that cannot be reached is no error: it is tried again.
    pub fn start(configs: Vec<McpServerConfig>) -> Result<Self, McpError> {
        Self::start_with(configs, Vec::new())
    }

    /// The same with environment variables for all programs, such as `PATH` and `HOME`.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_with(
        configs: Vec<McpServerConfig>,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Self, McpError> {
        for (position, config) in configs.iter().enumerate() {
            config.check()?;
            if configs[..position].iter().any(|earlier| earlier.name == config.name) {
                return Err(McpError::new(&config.name, "there are two servers of this name"));
            }
        }
        let servers =
            Inner { catalog: Arc::default(), closing: CancellationToken::new(), tasks: TaskTracker::new() };
        for config in configs {
            let server = Arc::new(Server::new(config, environment.clone()));
            servers.catalog.add(Arc::clone(&server));
            let (catalog, closing) = (Arc::clone(&servers.catalog), servers.closing.clone());
            servers.tasks.spawn(supervise(server, catalog, closing));
        }
        Ok(McpServers(Arc::new(servers)))
    }

    /// Waits until each server has listed its tools or has failed once, but no longer than this.
    pub async fn first_lists(&self, at_most: Duration) {
        let first = |server: Arc<Server>| async move {
            let mut condition = server.condition.subscribe();
            // Fails only without a server.
            let _ = condition.wait_for(|condition| *condition != Condition::Starting).await;
        };
        let _ = timeout(at_most, join_all(self.0.catalog.servers().into_iter().map(first))).await;
    }

    /// The tools of these servers, or of all of them, as they are when they are asked for.
    ///
    /// # Errors
    /// If there is no server of one of the names.
    pub fn tools_of(&self, servers: Option<Vec<String>>) -> Result<Arc<dyn ToolSource>, McpError> {
        let known: Vec<String> = self.status().into_iter().map(|server| server.name).collect();
        let unknown = |name: &&String| !known.contains(name);
        if let Some(name) = servers.iter().flatten().find(unknown) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(McpError::new(name, format!("there is no server of this name; there are {known}")));
        }
        Ok(Arc::new(ToolsOf { all: self.clone(), servers }))
    }

    /// All tools that there are now.
    pub fn tools(&self) -> Arc<[OfferedTool]> {
        self.0.catalog.offered()
    }

    /// Calls a tool outside a run, by its name for models. Returns its answer and the contents that it has attached.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn call(
        &self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<(Json, Vec<ContentBody>), ToolError> {
        let tools = self.tools();
        let Some(offered) = tools.iter().find(|tool| tool.name() == name) else {
            return Err(ToolError::new(format!("there is no tool '{name}'")));
        };
        let ids = (UserId::new("nobody"), SessionId::new("none"));
        let ctx = ToolContext::detached(ids.0, ids.1, Services::in_memory());
        let answer = offered.tool.call(&ctx, arguments).await?;
        Ok((answer, ctx.attached()))
    }

    /// The servers in the order of their settings.
    pub fn status(&self) -> Vec<McpServerStatus> {
        let of_server = |server: Arc<Server>| {
            let name = server.name().to_owned();
            let (tools, problem) = match &*server.condition.borrow() {
                Condition::Starting => (0, Some("it is being connected".to_owned())),
                Condition::Connected(tools) => (*tools, None),
                Condition::Down(reason) => (0, Some(reason.clone())),
            };
            McpServerStatus { name, tools, problem }
        };
        self.0.catalog.servers().into_iter().map(of_server).collect()
    }

    /// Ends all connections and programs, and waits for their end, which takes some seconds at most.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

/// The tools of some of the servers.
#[derive(Debug)]
struct ToolsOf {
    all: McpServers,
    /// The servers' names; all of them if there is no list.
    servers: Option<Vec<String>>,
}

impl ToolSource for ToolsOf {
    fn tools(&self) -> Arc<[OfferedTool]> {
        let offered = self.all.tools();
        let Some(servers) = &self.servers else { return offered };
        let is_wanted = |tool: &&OfferedTool| {
            let label = tool.mcp.as_ref().map(|mcp| &*mcp.server_label);
            servers.iter().any(|server| Some(server.as_str()) == label)
        };
        offered.iter().filter(is_wanted).cloned().collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}
