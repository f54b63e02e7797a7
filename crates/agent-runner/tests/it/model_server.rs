//! A model server with answers that a test determines byte for byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use agent_schemas::{Json, json};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The server's answer to one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
    /// How many bytes of the body go out at once.
    piece: usize,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection is closed in the middle of the body.
    Cut,
    /// Nothing more comes until the client disconnects.
    Silence,
    /// No status comes, and the connection is closed.
    Nothing,
    /// No status comes, and the connection stays open.
    NothingEver,
}

impl Reply {
    fn new(status: &'static str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = format!("content-type: {content_type}\r\n");
        Reply { status, headers, body: body.into(), piece: usize::MAX, end: End::Whole }
    }

    /// A stream with exactly this text.
    pub(crate) fn events(text: &str) -> Self {
        Reply::new("200 OK", "text/event-stream", text)
    }

    /// A stream of these chunks, each a JSON text, that ends normally.
    pub(crate) fn chunks(chunks: &[&str]) -> Self {
        let events: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        Reply::events(&format!("{events}data: [DONE]\n\n"))
    }

    /// A stream of these deltas, each a JSON text, that ends for this reason and with a usage of 10 and 5 tokens.
    pub(crate) fn deltas(deltas: &[&str], finish_reason: &str) -> Self {
        let mut chunks: Vec<String> = vec![delta_chunk(r#"{"role":"assistant","content":""}"#)];
        chunks.extend(deltas.iter().map(|delta| delta_chunk(delta)));
        chunks.push(format!(
            r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{finish_reason}"}}],"usage":null}}"#
        ));
        chunks.push(
            r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#
                .to_owned(),
        );
        Reply::chunks(&chunks.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A stream of this text, in these parts.
    pub(crate) fn text(parts: &[&str]) -> Self {
        let deltas: Vec<_> =
            parts.iter().map(|part| format!(r#"{{"content":{}}}"#, Json::from(*part))).collect();
        Reply::deltas(&deltas.iter().map(String::as_str).collect::<Vec<_>>(), "stop")
    }

    /// A stream of complete tool calls: id, name, arguments.
    pub(crate) fn calls(calls: &[(&str, &str, &str)]) -> Self {
        let deltas: Vec<_> = calls
            .iter()
            .enumerate()
            .map(|(index, (id, name, arguments))| {
                let arguments = Json::from(*arguments);
                format!(
                    r#"{{"tool_calls":[{{"index":{index},"id":"{id}","type":"function","function":{{"name":"{name}","arguments":{arguments}}}}}]}}"#
                )
            })
            .collect();
        Reply::deltas(&deltas.iter().map(String::as_str).collect::<Vec<_>>(), "tool_calls")
    }

    /// An answer that is not a stream.
    pub(crate) fn json(status: &'static str, body: &str) -> Self {
        Reply::new(status, "application/json", body)
    }

    /// The connection is closed without an answer.
    pub(crate) fn nothing() -> Self {
        Reply { end: End::Nothing, ..Reply::events("") }
    }

    /// No answer ever comes.
    pub(crate) fn nothing_ever() -> Self {
        Reply { end: End::NothingEver, ..Reply::events("") }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// The body is sent in pieces of this many bytes.
    pub(crate) fn in_pieces(mut self, bytes: usize) -> Self {
        self.piece = bytes;
        self
    }

    /// The connection breaks after the body.
    pub(crate) fn then_cut(mut self) -> Self {
        self.end = End::Cut;
        self
    }

    /// Nothing more comes after the body.
    pub(crate) fn then_silent(mut self) -> Self {
        self.end = End::Silence;
        self
    }
}

fn delta_chunk(delta: &str) -> String {
    format!(
        r#"{{"object":"chat.completion.chunk","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
    )
}

/// A request that the server got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The request line and the headers, as received.
    pub(crate) head: String,
    pub(crate) body: Json,
}

impl Received {
    /// A header's value; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The JSON text of one message of the conversation.
    pub(crate) fn message(&self, index: usize) -> String {
        self.body.get("messages").and_then(Json::as_array).expect("messages")[index].to_string()
    }
}

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    gone: Notify,
}

impl ModelServer {
    /// Starts a server with these answers, one per request, and then `418`.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            replies: Mutex::new(replies.into_iter().collect()),
            received: Mutex::default(),
            arrived: Notify::new(),
            gone: Notify::new(),
        });
        let of_server = Arc::clone(&shared);
        let tasks = accept(listener, move |socket| Arc::clone(&of_server).serve(socket));
        ModelServer { address, shared, _tasks: tasks }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    /// Waits for a request.
    pub(crate) async fn arrived(&self) {
        self.shared.arrived.notified().await;
    }

    /// Waits until a client has disconnected from a reply that ends in silence.
    pub(crate) async fn left(&self) {
        self.shared.gone.notified().await;
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        let Some(received) = read_request(&mut socket).await else { return };
        self.received.lock().push(received);
        self.arrived.notify_one();
        let none_left = || Reply::json("418 I'm a teapot", r#"{"error":"the test has no reply left"}"#);
        let reply = self.replies.lock().pop_front().unwrap_or_else(none_left);
        // Writing fails if a client disconnects during the answer, which it may.
        let _ = write_reply(socket.get_mut(), &reply).await;
        if matches!(reply.end, End::Silence | End::NothingEver) {
            let _ = socket.read_to_end(&mut Vec::new()).await;
            self.gone.notify_one();
        }
    }
}

/// Serves each connection in a task of its own, until the result is dropped.
pub(crate) fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            connections.spawn(serve(socket));
        }
    });
    tasks
}

async fn read_request(socket: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let mut received = Received { head, body: Json::Null };
    let length = received.header("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    received.body = json::parse(std::str::from_utf8(&body).ok()?).ok()?;
    Some(received)
}

async fn write_reply(socket: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    if matches!(reply.end, End::Nothing | End::NothingEver) {
        return Ok(());
    }
    socket.set_nodelay(true)?;
    let Reply { status, headers, body, piece, end } = reply;
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    for part in body.chunks(*piece) {
        let framed = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        socket.write_all(&framed).await?;
    }
    if *end == End::Whole {
        socket.write_all(b"0\r\n\r\n").await?;
    }
    socket.flush().await
}
