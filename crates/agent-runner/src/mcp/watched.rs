//! A transport that tells the client what arrives.

use std::future::Future;

use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;

use super::client::Client;

/// A transport whose reports of progress and records of logs go to the client at once: in the order in which they arrive,
/// before the result that follows them, and without a task for each, of which a server could cause any number.
///
/// The client also learns of the end of the connection, of which the library tells nobody.
pub(super) struct Watched<T> {
    transport: T,
    client: Client,
}

impl<T> Watched<T> {
    pub(super) fn new(transport: T, client: Client) -> Self {
        Watched { transport, client }
    }
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
            let Some(message) = self.transport.receive().await else {
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
