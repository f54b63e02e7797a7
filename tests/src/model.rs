//! Model endpoints for tests: one waits until it is released, so that a test decides when a run ends, and one records when
//! it writes each word.

mod marking;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub use marking::MarkingModel;

/// Answers Chat Completions with `Hello, ` and, once it is released, `world!`.
#[derive(Debug)]
pub struct WaitingModel {
    address: SocketAddr,
    released: Arc<Semaphore>,
}

impl WaitingModel {
    /// Starts to listen on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let released = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&released);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&gate)));
            }
        });
        WaitingModel { address, released }
    }

    /// The configuration of an agent that uses this model.
    pub fn config(&self) -> String {
        format!(
            "agent = \"held\"\n[agents.held]\nkind = \"chat\"\nmodel = \"m\"\nbase_url = \"http://{}/v1\"\n",
            self.address
        )
    }

    /// Lets every answer end, including later ones.
    pub fn release(&self) {
        self.released.close();
    }
}

async fn answer(mut stream: TcpStream, gate: Arc<Semaphore>) -> std::io::Result<()> {
    let mut request = Vec::new();
    // The request ends with its JSON, whose contents do not matter here.
    while !request.ends_with(b"}") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let chunk = |text: &str, end: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{end}}}]}}\n\n"
        )
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all((head.to_owned() + &chunk("Hello, ", "null")).as_bytes()).await?;
    // Released means closed.
    let _ = gate.acquire().await;
    stream.write_all((chunk("world!", "\"stop\"") + "data: [DONE]\n\n").as_bytes()).await?;
    stream.shutdown().await
}
