//! A network between a server and its store, with the faults of real networks.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the network treats data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Data passes.
    Open,
    /// The server's requests pass, but the answers are delayed.
    AnswersHeld,
    /// Nothing passes, without an error.
    Hole,
}

/// A port through which a server reaches its store. It closes with the test's runtime.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    flow: watch::Sender<Flow>,
    resets: watch::Sender<u64>,
}

/// A connection's view of the network.
#[derive(Clone, Debug)]
struct LinkState {
    flow: watch::Receiver<Flow>,
    resets: watch::Receiver<u64>,
}

impl Link {
    /// A good network in front of a port of this machine.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (flow, resets) = (watch::Sender::new(Flow::Open), watch::Sender::new(0));
        let state = LinkState { flow: flow.subscribe(), resets: resets.subscribe() };
        #[expect(clippy::disallowed_methods, reason = "they end with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(state.clone().carry(client, port));
            }
        });
        Link { address, flow, resets }
    }

    /// Its URL, for a Redis.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Changes the network.
    pub fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }

    /// Closes all connections. Data in transit is lost.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

impl LinkState {
    /// Carries what one connection sends and receives.
    async fn carry(mut self, client: TcpStream, port: u16) -> io::Result<()> {
        self.resets.mark_unchanged();
        self.until(|flow| flow != Flow::Hole).await;
        let server = TcpStream::connect(("127.0.0.1", port)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let (asking, answering) = (self.clone(), self.clone());
        tokio::select! {
            done = asking.pass(from_client, to_server, |flow| flow != Flow::Hole) => done,
            done = answering.pass(from_server, to_client, |flow| flow == Flow::Open) => done,
            _ = self.resets.changed() => Ok(()),
        }
    }

    async fn pass(
        mut self,
        mut from: impl AsyncReadExt + Unpin,
        mut to: impl AsyncWriteExt + Unpin,
        passes: impl Fn(Flow) -> bool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            self.until(&passes).await;
            to.write_all(&buffer[..count]).await?;
        }
    }

    async fn until(&mut self, is_it: impl Fn(Flow) -> bool) {
        // After the end of the test, nobody waits for this.
        let _ = self.flow.wait_for(|flow| is_it(*flow)).await;
    }
}
