//! Requests that nobody waits for any more.

use rmcp::RoleClient;
use rmcp::model::{CancelledNotification, CancelledNotificationParam, ClientNotification, RequestId};
use rmcp::service::Peer;
use tokio::runtime::Handle;

/// A request in progress. If this is dropped, nobody waits for its answer any more, and the server is told.
pub(super) struct Abandoned {
    peer: Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Abandoned {
    pub(super) fn new(peer: &Peer<RoleClient>, id: RequestId) -> Self {
        Abandoned { peer: peer.clone(), id: Some(id) }
    }

    /// The answer is there.
    pub(super) fn answered(mut self) {
        self.id = None;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let peer = self.peer.clone();
        let cancelled = async move {
            let params =
                CancelledNotificationParam::new(Some(id), Some("nobody waits for the answer".to_owned()));
            let notification = CancelledNotification::new(params);
            // The server may be gone.
            let _ = peer.send_notification(ClientNotification::CancelledNotification(notification)).await;
        };
        // Without a runtime, the connection has ended, too.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(cancelled);
        }
    }
}
