//! A transport that tells the client what arrives.

use std::future::Future;

use rmcp::RoleClient;
use rmcp::model::{ErrorData, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::mpsc::UnboundedReceiver;

use super::client::Client;
use super::oversized;

/// A transport whose reports of progress and records of logs go to the client at once: in the order in which they arrive,
/// before the result that follows them, and without a task for each, of which a server could cause any number.
///
/// The client also learns of the end of the connection, of which the library tells nobody.
pub(super) struct Watched<T> {
    transport: T,
    client: Client,
    /// The ids of answers that were too large.
    oversized: UnboundedReceiver<i64>,
}

impl<T> Watched<T> {
    pub(super) fn new(transport: T, client: Client, oversized: UnboundedReceiver<i64>) -> Self {
        Watched { transport, client, oversized }
    }
}

/// The answer instead of one that was too large.
fn too_large(id: i64) -> RxJsonRpcMessage<RoleClient> {
    let error = ErrorData::internal_error(oversized::reason(), None);
    RxJsonRpcMessage::<RoleClient>::error(error, Some(RequestId::Number(id)))
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Watched<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let message = tokio::select! {
                // First what came before the end of the connection.
                biased;
                Some(id) = self.oversized.recv() => Some(too_large(id)),
                message = self.transport.receive() => message,
            };
            let Some(message) = message else {
                self.client.ended();
                return None;
            };
            if let Some(message) = self.client.take(message) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.transport.close().await
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        self.client.ended();
    }
}
