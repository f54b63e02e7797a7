//! All MCP servers of a process.

use std::ffi::OsString;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::McpError;
use super::catalog::{Catalog, ToolsOf};
use super::config::McpServerConfig;
use super::server::{Condition, Server};
use super::supervise::supervise;
use crate::tools::{OfferedTool, ToolSource};

/// Connections to MCP servers. Dropping this ends them at once; [`Self::close`] lets them end in peace.
#[derive(Debug)]
pub struct McpServers {
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
        let servers = McpServers {
            catalog: Arc::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        for config in configs {
            let server = Arc::new(Server::new(config, environment.clone()));
            servers.catalog.add(Arc::clone(&server));
            let (catalog, closing) = (Arc::clone(&servers.catalog), servers.closing.clone());
            servers.tasks.spawn(supervise(server, catalog, closing));
        }
        Ok(servers)
    }

    /// Waits until each server has listed its tools or has failed once, at most as long as it may take to connect.
    pub async fn first_lists(&self) {
        let first = |server: Arc<Server>| async move {
            let mut condition = server.condition.subscribe();
            let known = condition.wait_for(|condition| *condition != Condition::Starting);
            let _ = timeout(server.config.connect_timeout * 2, known).await;
        };
        join_all(self.catalog.servers().into_iter().map(first)).await;
    }

    /// The tools of these servers, or of all of them, as they are when they are asked for.
    pub fn tools_of(&self, servers: Option<Vec<String>>) -> Arc<dyn ToolSource> {
        Arc::new(ToolsOf { catalog: Arc::clone(&self.catalog), servers })
    }

    /// All tools that there are now.
    pub fn tools(&self) -> Arc<[OfferedTool]> {
        self.catalog.offered()
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
        self.catalog.servers().into_iter().map(of_server).collect()
    }

    /// Ends all connections and programs, and waits for their end, which takes some seconds at most.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for McpServers {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}
