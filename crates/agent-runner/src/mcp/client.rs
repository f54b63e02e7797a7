//! This side of a connection to an MCP server: what the server may tell us and ask of us.
#![expect(deprecated, reason = "servers of earlier revisions send records of their logs")]

use std::collections::HashMap;
use std::sync::Arc;

use agent_schemas::{Json, object};
use parking_lot::Mutex;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, JsonRpcMessage, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken, ProtocolVersion,
    ServerNotification,
};
use rmcp::service::{NotificationContext, RxJsonRpcMessage};
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::allowance::{Allowance, Pass};
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
    records: Mutex<Allowance>,
    ended: CancellationToken,
}

/// A call in progress.
#[derive(Debug)]
struct Call {
    ctx: ToolContext,
    moved: Arc<Notify>,
    reports: Allowance,
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
            records: Mutex::new(Allowance::new()),
            ended: CancellationToken::new(),
        }))
    }

    /// Resolves when the server says that its tools have changed, or something else suggests it.
    pub(super) async fn tools_changed(&self) {
        self.0.tools_changed.notified().await;
    }

    /// Has the tools listed again.
    pub(super) fn list_again(&self) {
        self.0.tools_changed.notify_one();
    }

    /// Resolves when the connection has ended.
    pub(super) async fn end(&self) {
        self.0.ended.cancelled().await;
    }

    /// The connection has ended.
    pub(super) fn ended(&self) {
        self.0.ended.cancel();
    }

    /// Reports the progress of a call.
    pub(super) fn follow(&self, token: ProgressToken, ctx: &ToolContext) -> Followed {
        let moved = Arc::new(Notify::new());
        let call = Call { ctx: ctx.clone(), moved: Arc::clone(&moved), reports: Allowance::new() };
        self.0.calls.lock().insert(token.clone(), call);
        Followed { client: self.clone(), token, moved }
    }

    /// Takes what is for this side alone, and gives back everything else.
    pub(super) fn take(&self, message: RxJsonRpcMessage<RoleClient>) -> Option<RxJsonRpcMessage<RoleClient>> {
        match message {
            JsonRpcMessage::Notification(message) => match message.notification {
                ServerNotification::ProgressNotification(report) => self.report(report.params),
                ServerNotification::LoggingMessageNotification(record) => self.log(&record.params),
                _ => return Some(JsonRpcMessage::Notification(message)),
            },
            message => return Some(message),
        }
        None
    }

    fn report(&self, params: ProgressNotificationParam) {
        let mut calls = self.0.calls.lock();
        let Some(call) = calls.get_mut(&params.progress_token) else { return };
        call.moved.notify_one();
        if call.reports.take() != Pass::Yes {
            return;
        }
        let mut report = object! { "progress" => params.progress };
        let further = [("total", params.total.map(Json::from)), ("message", params.message.map(Json::from))];
        report.extend(further.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        call.ctx.progress(report);
    }

    fn log(&self, params: &LoggingMessageNotificationParam) {
        let server = self.0.server.as_str();
        match self.0.records.lock().take() {
            Pass::Yes => {}
            Pass::NoLonger => {
                tracing::warn!(mcp.server = server, "the server logs too much; some of it is left out");
                return;
            }
            Pass::No => return,
        }
        let message = params.data.to_string();
        match params.level {
            LoggingLevel::Debug => tracing::debug!(mcp.server = server, "{message}"),
            LoggingLevel::Info | LoggingLevel::Notice => tracing::info!(mcp.server = server, "{message}"),
            _ => tracing::warn!(mcp.server = server, "{message}"),
        }
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

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.list_again();
    }
}
