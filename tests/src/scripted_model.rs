//! A model endpoint that follows the conversation's last message, so that clients in any language can test tool calls,
//! refusals, errors and truncated answers without a model.

mod reply;
mod rules;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Answers Chat Completions as a stream. A request that a strict model server would reject gets 400; see
/// [`Self::rejected`]. The reply to any other depends on the last message:
///
/// * `say ` and JSON from a user: these deltas and this finish reason: `{"deltas": […], "finish_reason": "…"}`;
/// * `write ` and a JSON array of texts: these frames as they are;
/// * `refuse with ` and JSON: `{"status": 400, "error": {…}}`;
/// * the output of a tool: a text that repeats the outputs after the last user message;
/// * `call` or `parallel` from a user with tools: a call of the first tool that is not the server's, or of each one;
/// * `calculate`: a call of the server's tool `calculator` with `6*7`;
/// * `shell: COMMAND`: a call of the client's tool for shell commands;
/// * `patch: FILE`: a call of `apply_patch` that adds the file;
/// * a tool forced by `tool_choice`: a call of it;
/// * `refuse` or `long`: a refusal, or an answer that ends with `length`;
/// * `fail KIND`: an error, where `KIND` is an HTTP status or `context`;
/// * JSON requested with `response_format`: a value of its schema;
/// * anything else: `You said: ` and the text.
///
/// In the arguments of calls and in JSON, every text is `Rome` and every number 42.
#[derive(Debug)]
pub struct ScriptedModel {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

/// The requests so far.
#[derive(Debug, Default)]
struct Log {
    received: Vec<Value>,
    rejected: Vec<String>,
}

impl ScriptedModel {
    /// Starts to listen on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let log = Arc::new(Mutex::new(Log::default()));
        let kept = Arc::clone(&log);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&kept)));
            }
        });
        ScriptedModel { address, log }
    }

    /// The configuration of the default agent, `scripted`, which uses this model.
    pub fn config(&self) -> String {
        self.config_with_tools(&[])
    }

    /// The same for an agent with these tools of the server.
    pub fn config_with_tools(&self, tools: &[&str]) -> String {
        format!(
            "agent = \"scripted\"\n[agents.scripted]\nkind = \"chat\"\nmodel = \"m\"\nmax_retries = 0\ntools = {tools:?}\n\
             base_url = \"http://{}/v1\"\n",
            self.address
        )
    }

    /// The bodies of the requests so far.
    ///
    /// # Panics
    /// If handling a request panicked.
    pub fn received(&self) -> Vec<Value> {
        self.log.lock().expect("no panic").received.clone()
    }

    /// Why requests were rejected, one reason for each rejected request.
    ///
    /// # Panics
    /// If handling a request panicked.
    pub fn rejected(&self) -> Vec<String> {
        self.log.lock().expect("no panic").rejected.clone()
    }
}

async fn answer(stream: TcpStream, log: Arc<Mutex<Log>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let request: Value = serde_json::from_slice(&body)?;
    let reply = {
        let mut log = log.lock().expect("no panic");
        let reply = match rules::check(&request) {
            Ok(()) => reply::to(&request),
            Err(broken) => {
                log.rejected.push(broken.clone());
                Reply::error(400, json!({ "message": broken }))
            }
        };
        log.received.push(request);
        reply
    };
    stream.write_all(reply.to_http().as_bytes()).await?;
    stream.shutdown().await
}

/// A response of the model server.
enum Reply {
    /// A stream of these frames, each of them the JSON of a chunk.
    Frames(Vec<String>),
    Error {
        status: u16,
        body: Value,
    },
}

impl Reply {
    fn error(status: u16, error: Value) -> Self {
        Reply::Error { status, body: json!({ "error": error }) }
    }

    fn to_http(&self) -> String {
        match self {
            Reply::Frames(frames) => {
                let frames: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{frames}data: [DONE]\n\n"
                )
            }
            Reply::Error { status, body } => {
                let body = body.to_string();
                format!(
                    "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\nretry-after: 7\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        }
    }
}
