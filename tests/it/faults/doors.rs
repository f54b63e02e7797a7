//! Where clients find the servers, which are killed, paused and started meanwhile.

use std::io;
use std::net::SocketAddr;

use agent_tests::{Connection, within};
use tokio::sync::watch;

use super::dice::Dice;

#[derive(Debug)]
pub(super) struct Doors(watch::Sender<Vec<Option<SocketAddr>>>);

/// A server that was there a moment ago.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) index: usize,
    address: SocketAddr,
    changes: watch::Receiver<Vec<Option<SocketAddr>>>,
}

impl Doors {
    pub(super) fn new(count: usize) -> Self {
        Doors(watch::Sender::new(vec![None; count]))
    }

    pub(super) fn open(&self, index: usize, address: SocketAddr) {
        self.0.send_modify(|doors| doors[index] = Some(address));
    }

    /// Sends clients away, those too that are inside.
    pub(super) fn close(&self, index: usize) {
        self.0.send_modify(|doors| doors[index] = None);
    }

    /// Any door that is open, but not the one that was used last if there is another.
    pub(super) async fn pick(&self, dice: &mut Dice, last: Option<usize>) -> Door {
        let mut changes = self.0.subscribe();
        let open = |doors: &Vec<Option<SocketAddr>>| doors.iter().any(Option::is_some);
        let doors = within("a server", changes.wait_for(open)).await.expect("doors stay").clone();
        let open: Vec<(usize, SocketAddr)> =
            doors.iter().enumerate().filter_map(|(index, address)| Some((index, (*address)?))).collect();
        let others: Vec<_> = open.iter().filter(|(index, _)| Some(*index) != last).copied().collect();
        let choice = if others.is_empty() { &open } else { &others };
        let (index, address) = choice[dice.roll(choice.len())];
        Door { index, address, changes }
    }
}

impl Door {
    /// Opens a connection.
    pub(super) async fn connect(&mut self) -> io::Result<Connection> {
        let address = self.address;
        self.inside(Connection::try_open(address)).await
    }

    /// Waits for something unless the server goes away meanwhile. One that is paused keeps its connections and says
    /// nothing.
    pub(super) async fn inside<T>(&mut self, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let (index, address) = (self.index, self.address);
        tokio::select! {
            biased;
            done = work => done,
            _ = self.changes.wait_for(|doors| doors[index] != Some(address)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
