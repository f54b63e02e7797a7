//! This side of a connection to an MCP server: what the server may tell us and ask of us.
#![expect(deprecated, reason = "servers of earlier revisions send records of their logs")]

use std::collections::HashMap;
use std::sync::Arc;

use agent_schemas::{Json, object};
use parking_lot::Mutex;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, LoggingLevel, LoggingMessageNotificationParam,
    ProgressNotificationParam, ProgressToken, ProtocolVersion,
};
use rmcp::service::NotificationContext;
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::Notify;

use crate::tools::ToolContext;

/// What a server tells us. We offer nothing that it could ask for: neither models, nor folders, nor the user's answers.
#[derive(Clone, Debug)]
pub(super) struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: String,
    /// The calls in progress.
    calls: Mutex<HashMap<ProgressToken, Call>>,
    tools_changed: Notify,
}

/// A call in progress.
#[derive(Debug)]
struct Call {
    ctx: ToolContext,
    moved: Arc<Notify>,
}

/// A call whose progress is reported until this is dropped.
pub(super) struct Followed {
    client: Client,
    token: ProgressToken,
    moved: Arc<Notify>,
}

impl Client {
    pub(super) fn new(server: &str) -> Self {
        Client(Arc::new(Inner {
            server: server.to_owned(),
            calls: Mutex::default(),
            tools_changed: Notify::new(),
        }))
    }

    /// Resolves when the server says that its tools have changed.
    pub(super) async fn tools_changed(&self) {
        self.0.tools_changed.notified().await;
    }

    /// Reports the progress of a call.
    pub(super) fn follow(&self, token: ProgressToken, ctx: &ToolContext) -> Followed {
        let moved = Arc::new(Notify::new());
        let call = Call { ctx: ctx.clone(), moved: Arc::clone(&moved) };
        self.0.calls.lock().insert(token.clone(), call);
        Followed { client: self.clone(), token, moved }
    }
}

impl Followed {
    /// Resolves at the next report.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.client.0.calls.lock().remove(&self.token);
    }
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let this = Implementation::new("agent-server", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), this)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let calls = self.0.calls.lock();
        let Some(call) = calls.get(&params.progress_token) else { return };
        call.moved.notify_one();
        let mut report = object! { "progress" => params.progress };
        let further = [("total", params.total.map(Json::from)), ("message", params.message.map(Json::from))];
        report.extend(further.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        call.ctx.progress(report);
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let (server, message) = (self.0.server.as_str(), params.data.to_string());
        match params.level {
            LoggingLevel::Debug => tracing::debug!(mcp.server = server, "{message}"),
            LoggingLevel::Info | LoggingLevel::Notice => tracing::info!(mcp.server = server, "{message}"),
            _ => tracing::warn!(mcp.server = server, "{message}"),
        }
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.tools_changed.notify_one();
    }
}
