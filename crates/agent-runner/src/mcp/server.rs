//! One server: its settings, its connection, and calls of its tools.

use std::ffi::OsString;

use agent_schemas::{Json, JsonObject};
use parking_lot::RwLock;
use rmcp::RoleClient;
use rmcp::service::Peer;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::call;
use super::client::Client;
use super::config::McpServerConfig;
use super::result::answer;
use crate::tools::{ToolContext, ToolError};

/// What is known about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It is being connected for the first time.
    Starting,
    /// It has this many tools.
    Connected(usize),
    /// It cannot be used, for this reason.
    Down(String),
}

/// One server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: McpServerConfig,
    /// The environment of its program.
    pub(super) basic: Vec<(OsString, OsString)>,
    /// The connection, while there is one.
    pub(super) current: RwLock<Option<(Peer<RoleClient>, Client)>>,
    calls: Semaphore,
    pub(super) condition: watch::Sender<Condition>,
}

impl Server {
    pub(super) fn new(config: McpServerConfig, basic: Vec<(OsString, OsString)>) -> Self {
        Server {
            calls: Semaphore::new(config.max_calls),
            config,
            basic,
            current: RwLock::default(),
            condition: watch::Sender::new(Condition::Starting),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn prefix(&self) -> &str {
        &self.config.prefix
    }

    /// Calls one of its tools.
    pub(super) async fn call(
        &self,
        ctx: &ToolContext,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<Json, ToolError> {
        let began = Instant::now();
        let total = self.config.call_timeout;
        let Ok(permit) = timeout(total, self.calls.acquire()).await else {
            let seconds = total.as_secs();
            return Err(ToolError::new(format!(
                "none of the server's calls in progress has ended within {seconds} seconds; try again later"
            )));
        };
        let _permit = permit?;
        let current = self.current.read().clone();
        let Some((peer, client)) = current else {
            return Err(ToolError::new("the tool's server is not available at the moment; try again later"));
        };
        let left = total.saturating_sub(began.elapsed());
        let result = call::call(&peer, &client, &self.config, ctx, tool, arguments, left).await?;
        answer(ctx, result)
    }
}
