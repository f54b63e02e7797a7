//! The addresses of the servers, which are killed, paused and started while clients use them.

use std::io;
use std::net::SocketAddr;

use agent_tests::{Connection, within};
use tokio::sync::watch;

use super::rng::Rng;

#[derive(Debug)]
pub(super) struct Addresses(watch::Sender<Vec<Option<SocketAddr>>>);

/// The address of a server that was running a moment ago.
#[derive(Debug)]
pub(super) struct ServerAddress {
    pub(super) index: usize,
    address: SocketAddr,
    changes: watch::Receiver<Vec<Option<SocketAddr>>>,
}

impl Addresses {
    pub(super) fn new(count: usize) -> Self {
        Addresses(watch::Sender::new(vec![None; count]))
    }

    /// Publishes the server's address to clients.
    pub(super) fn set(&self, index: usize, address: SocketAddr) {
        self.0.send_modify(|addresses| addresses[index] = Some(address));
    }

    /// Removes the address; clients that are connected to it are disconnected.
    pub(super) fn clear(&self, index: usize) {
        self.0.send_modify(|addresses| addresses[index] = None);
    }

    /// Any server that has an address, preferably not the one that was used last.
    pub(super) async fn pick(&self, rng: &mut Rng, last: Option<usize>) -> ServerAddress {
        let mut changes = self.0.subscribe();
        let any = |addresses: &Vec<Option<SocketAddr>>| addresses.iter().any(Option::is_some);
        let addresses =
            within("a server", changes.wait_for(any)).await.expect("the sender lives as long").clone();
        let known: Vec<(usize, SocketAddr)> =
            addresses.iter().enumerate().filter_map(|(index, address)| Some((index, (*address)?))).collect();
        let others: Vec<_> = known.iter().filter(|(index, _)| Some(*index) != last).copied().collect();
        let choice = if others.is_empty() { &known } else { &others };
        let (index, address) = choice[rng.below(choice.len())];
        ServerAddress { index, address, changes }
    }
}

impl ServerAddress {
    /// Opens a connection.
    pub(super) async fn connect(&mut self) -> io::Result<Connection> {
        let address = self.address;
        self.while_up(Connection::try_open(address)).await
    }

    /// Waits for something, and fails if the server's address is removed meanwhile. A paused server keeps its connections
    /// and sends nothing.
    pub(super) async fn while_up<T>(&mut self, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let (index, address) = (self.index, self.address);
        tokio::select! {
            biased;
            done = work => done,
            _ = self.changes.wait_for(|all| all[index] != Some(address)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
