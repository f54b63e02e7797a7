//! Keeps one server connected.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::service::Peer;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::auth::problem;
use super::catalog::Catalog;
use super::changes::Changes;
use super::client::Client;
use super::connect::{Connected, connect};
use super::list::list;
use super::server::{Condition, Server};
use crate::error_chain::chain;

/// The first pause before a server is connected again, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(60));

/// A server that was connected for so long has worked.
const WORKED: Duration = Duration::from_secs(60);

/// Keeps a server connected until all are closed.
pub(super) async fn supervise(server: Arc<Server>, catalog: Arc<Catalog>, closing: CancellationToken) {
    let mut pause = PAUSES.0;
    loop {
        let began = Instant::now();
        let connected = tokio::select! {
            () = closing.cancelled() => return,
            connected = timeout(server.config.connect_timeout, connect(&server.config, &server.basic)) => connected,
        };
        let reason = match connected {
            Ok(Ok(connected)) => match serve(&server, connected, &catalog, &closing).await {
                Some(reason) => reason,
                None => return,
            },
            Ok(Err(reason)) => reason,
            Err(_) => {
                format!("it did not answer within {} seconds", server.config.connect_timeout.as_secs())
            }
        };
        *server.current.write() = None;
        catalog.publish(server.name(), Vec::new());
        if began.elapsed() >= WORKED {
            pause = PAUSES.0;
        }
        tracing::warn!(
            mcp.server = server.name(),
            retry_seconds = pause.as_secs_f32(),
            "an MCP server is not available: {reason}"
        );
        server.condition.send_replace(Condition::Down(reason));
        tokio::select! {
            () = closing.cancelled() => return,
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Offers the tools of a connection until it ends, with the reason; `None` if the servers are closed.
async fn serve(
    server: &Server,
    mut connected: Connected,
    catalog: &Catalog,
    closing: &CancellationToken,
) -> Option<String> {
    let (peer, client) = (connected.peer(), connected.client().clone());
    let reason = tokio::select! {
        () = closing.cancelled() => None,
        () = connected.closed() => Some("it has ended or closed the connection".to_owned()),
        reason = offer(server, &peer, &client, catalog) => Some(reason),
    };
    let reason = reason.map(|reason| connected.explain(reason));
    *server.current.write() = None;
    connected.end().await;
    reason
}

/// Lists the tools, and again whenever they change.
async fn offer(server: &Server, peer: &Peer<RoleClient>, client: &Client, catalog: &Catalog) -> String {
    let mut changes = Changes::of(peer, client, &server.config).await;
    loop {
        match timeout(server.config.connect_timeout, list(peer, &server.config)).await {
            Ok(Ok(tools)) => {
                *server.current.write() = Some((peer.clone(), client.clone()));
                let count = tools.len();
                catalog.publish(server.name(), tools);
                if server.condition.send_replace(Condition::Connected(count)) != Condition::Connected(count) {
                    tracing::info!(mcp.server = server.name(), tools = count, "an MCP server is connected");
                }
            }
            Ok(Err(error)) => {
                return match problem::explain(&error, &server.config) {
                    Some(problem) => format!("it {problem}"),
                    None => format!("its tools could not be listed: {}", chain(&error)),
                };
            }
            // A program that does one thing at a time may be busy with a call.
            Err(_) if server.current.read().is_some() => {
                tracing::warn!(mcp.server = server.name(), "the server did not list its tools again in time");
            }
            Err(_) => {
                let seconds = server.config.connect_timeout.as_secs();
                return format!("it did not list its tools within {seconds} seconds");
            }
        }
        changes.next().await;
    }
}
