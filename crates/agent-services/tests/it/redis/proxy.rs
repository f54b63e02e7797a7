//! A proxy between client and server with the faults of a network.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the proxy treats data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// Forwards everything.
    Good,
    /// Closes every connection, including new ones.
    Cut,
    /// Accepts everything and forwards nothing. Connections that were once affected stay silent.
    Silent,
    /// Waits before it forwards anything.
    Slow(Duration),
    /// Closes the connection instead of forwarding the next answer, and then works again.
    NextAnswerLost,
}

/// A running proxy. It ends when it is dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    network: watch::Sender<Network>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy in front of a port of this machine.
    pub(super) async fn start(port: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (network, _) = watch::channel(Network::Good);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, port, network.clone()));
        Proxy { address, network, _tasks: tasks }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Changes the network. Connections are affected at once.
    pub(super) fn set(&self, network: Network) {
        self.network.send_replace(network);
    }

    pub(super) fn is(&self, network: Network) -> bool {
        *self.network.borrow() == network
    }

    /// Closes all connections, and waits until the client has noticed; new ones work.
    pub(super) async fn cut_once(&self) {
        self.set(Network::Cut);
        while self.network.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
        self.set(Network::Good);
    }
}

async fn accept(listener: TcpListener, port: u16, network: watch::Sender<Network>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if *network.borrow() == Network::Cut {
            continue;
        }
        let network = network.clone();
        connections.spawn(async move {
            let receiver = network.subscribe();
            // Failures here are the purpose of the proxy: the other side sees the connection close.
            let _ = connect(client, port, &network, receiver).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(
    client: TcpStream,
    port: u16,
    network: &watch::Sender<Network>,
    mut changes: watch::Receiver<Network>,
) -> io::Result<()> {
    if *network.borrow() == Network::Silent {
        return stay_caught(&mut changes).await;
    }
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // They stay open while the connection is silent.
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let mut catching = changes.clone();
    let is_silent = tokio::select! {
        done = pass(&mut from_client, &mut to_server, network, false) => return done,
        done = pass(&mut from_server, &mut to_client, network, true) => return done,
        caught = catching.wait_for(|network| matches!(network, Network::Cut | Network::Silent)) => {
            caught.is_ok_and(|network| *network == Network::Silent)
        }
    };
    if is_silent {
        return stay_caught(&mut changes).await;
    }
    // The connection counts as cut when the client has noticed it and closes its side.
    to_client.shutdown().await?;
    while from_client.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

async fn stay_caught(changes: &mut watch::Receiver<Network>) -> io::Result<()> {
    // Only a cut frees it.
    let _ = changes.wait_for(|network| *network == Network::Cut).await;
    Ok(())
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    network: &watch::Sender<Network>,
    is_answer: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let now = *network.borrow();
        match now {
            Network::Slow(wait) => tokio::time::sleep(wait).await,
            Network::NextAnswerLost if is_answer => {
                network.send_replace(Network::Good);
                return Ok(());
            }
            _ => {}
        }
        to.write_all(&buffer[..count]).await?;
    }
}
