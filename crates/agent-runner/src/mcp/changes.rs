//! Waits for a reason to list the tools of a server again.

use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::SubscriptionFilter;
use rmcp::service::{Peer, Subscription};
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::config::McpServerConfig;

/// The pause before tools are listed again, in which further changes join the first.
const SETTLE: Duration = Duration::from_millis(100);

/// How often the tools of a server over HTTP are listed without a reason. Many cannot say that they have changed, nor that
/// another one has taken their place.
const REFRESH: Duration = Duration::from_secs(300);

/// Changes of a server's tools.
pub(super) struct Changes {
    client: Client,
    /// Since 2026-07-28, servers report changes only to those who ask for it.
    subscription: Option<Subscription>,
    refresh: Option<Duration>,
}

impl Changes {
    /// Asks for reports of changes, if the server wants to be asked and answers in time.
    pub(super) async fn of(peer: &Peer<RoleClient>, client: &Client, config: &McpServerConfig) -> Self {
        let must_be_asked = peer.peer_info().is_some_and(|server| {
            let reports = server.capabilities.tools.as_ref().and_then(|tools| tools.list_changed);
            reports == Some(true) && !server.protocol_version.has_initialize()
        });
        let subscription = if must_be_asked {
            let wanted = SubscriptionFilter::builder().tools_list_changed().build();
            timeout(config.connect_timeout, peer.listen(wanted)).await.ok().and_then(Result::ok)
        } else {
            None
        };
        Changes { client: client.clone(), subscription, refresh: config.url.is_some().then_some(REFRESH) }
    }

    /// Resolves when the tools should be listed again.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = self.client.tools_changed() => {}
            () = reported(&mut self.subscription) => {}
            () = pass(self.refresh) => return,
        }
        sleep(SETTLE).await;
    }
}

/// Resolves at the next report of a subscription, and at its end, after which there is none.
async fn reported(subscription: &mut Option<Subscription>) {
    let Some(open) = subscription else { return std::future::pending().await };
    if !matches!(open.next().await, Ok(Some(_))) {
        *subscription = None;
    }
}

async fn pass(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}
