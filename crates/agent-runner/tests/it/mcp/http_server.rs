//! An MCP server over HTTP (2025-11-25), whose tools do what can go wrong.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_schemas::{Json, json};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::model_server::accept;

/// The names of the tools.
pub(crate) const TOOLS: [&str; 10] =
    ["echo", "hangs", "closes", "cuts", "garbage", "fails", "large", "streams", "floods", "forgets"];

/// How many reports `floods` makes.
pub(crate) const FLOOD: usize = 5_000;

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct McpHttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    sessions: Mutex<HashSet<String>>,
    opened: AtomicU64,
    connections: AtomicU64,
    /// The methods of the requests: those of JSON-RPC, or of HTTP if there is no body.
    received: Mutex<Vec<String>>,
    /// The tools, instead of [`TOOLS`].
    tools: Mutex<Option<Vec<&'static str>>>,
}

impl McpHttpServer {
    pub(crate) async fn start() -> Self {
        McpHttpServer::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts at this address, after another one.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let of_server = Arc::clone(&shared);
        let tasks = accept(listener, move |socket| {
            of_server.connections.fetch_add(1, Ordering::Relaxed);
            Arc::clone(&of_server).serve(socket)
        });
        McpHttpServer { address, shared, _tasks: tasks }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How often a method has been received.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.shared.received.lock().iter().filter(|received| *received == method).count()
    }

    /// How many connections have been made.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Has other tools from now on, and tells nobody.
    pub(crate) fn set_tools(&self, tools: Vec<&'static str>) {
        *self.shared.tools.lock() = Some(tools);
    }

    /// Forgets all sessions, as a server does that is started again.
    pub(crate) fn forget(&self) {
        self.shared.sessions.lock().clear();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        // A client may disconnect at any time.
        while let Some(request) = read_request(&mut socket).await {
            if self.answer(&request, &mut socket).await.is_none() {
                return;
            }
        }
    }

    /// Answers one request; `None` if the connection is then closed.
    async fn answer(&self, request: &Request, socket: &mut BufReader<TcpStream>) -> Option<()> {
        let method = request.member("method").unwrap_or_else(|| request.method.clone());
        self.received.lock().push(method.clone());
        let id = request.body.get("id").cloned().unwrap_or_default();
        let known = request.header("mcp-session-id").map(str::to_owned);
        if method == "initialize" {
            let session = format!("session-{}", self.opened.fetch_add(1, Ordering::Relaxed));
            self.sessions.lock().insert(session.clone());
            let result = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"test","version":"1"}}"#;
            return reply(socket, "200 OK", &format!("mcp-session-id: {session}\r\n"), &success(&id, result))
                .await;
        }
        let Some(session) = known else {
            let error =
                r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: no session"},"id":null}"#;
            return reply(socket, "400 Bad Request", "", error).await;
        };
        if !self.sessions.lock().contains(&session) {
            return reply(socket, "404 Not Found", "", "").await;
        }
        match method.as_str() {
            "GET" => reply(socket, "405 Method Not Allowed", "", "").await,
            "DELETE" => {
                self.sessions.lock().remove(&session);
                reply(socket, "200 OK", "", "").await
            }
            "tools/list" => {
                let names = self.tools.lock().clone().unwrap_or_else(|| TOOLS.to_vec());
                let tools: Vec<String> = names
                    .iter()
                    .map(|name| format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#))
                    .collect();
                let result = format!(r#"{{"tools":[{}]}}"#, tools.join(","));
                reply(socket, "200 OK", "", &success(&id, &result)).await
            }
            "tools/call" => self.call(request, &id, socket).await,
            _ => reply(socket, "202 Accepted", "", "").await,
        }
    }

    async fn call(&self, request: &Request, id: &Json, socket: &mut BufReader<TcpStream>) -> Option<()> {
        let params = request.body.get("params")?;
        match params.get("name").and_then(Json::as_str)? {
            "echo" => {
                let text = params.get("arguments").and_then(|arguments| arguments.get("text")).cloned();
                let text = text.unwrap_or_else(|| "".into());
                reply(socket, "200 OK", "", &success(id, &content(&text.to_string()))).await
            }
            "hangs" => {
                let _ = socket.read(&mut [0]).await;
                None
            }
            "closes" => None,
            "cuts" => {
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: hi\n\n";
                socket.get_mut().write_all(head.as_bytes()).await.ok()?;
                None
            }
            "garbage" => reply(socket, "200 OK", "", "<html>this is no JSON</html>").await,
            "fails" => reply(socket, "503 Service Unavailable", "", "").await,
            "large" => {
                let text = Json::from("x".repeat(50_000_000)).to_string();
                reply(socket, "200 OK", "", &success(id, &content(&text))).await
            }
            "streams" => {
                let text = Json::from("x".repeat(17 * 1024 * 1024)).to_string();
                let event = format!("data: {}\n\n", success(id, &content(&text)));
                write(socket, "200 OK", "text/event-stream", "", &event).await
            }
            "floods" => {
                let token = params.get("_meta")?.get("progressToken")?;
                let mut events = String::new();
                for step in 1..=FLOOD {
                    let report = format!(r#"{{"progressToken":{token},"progress":{step}}}"#);
                    let record = format!(r#"{{"level":"info","data":"record {step}"}}"#);
                    events += &event(&format!(r#""method":"notifications/progress","params":{report}"#));
                    events += &event(&format!(r#""method":"notifications/message","params":{record}"#));
                }
                events += &format!("data: {}\n\n", success(id, &content(r#""done""#)));
                write(socket, "200 OK", "text/event-stream", "", &events).await
            }
            "forgets" => {
                self.sessions.lock().clear();
                reply(socket, "200 OK", "", &success(id, &content(r#""forgotten""#))).await
            }
            _ => reply(socket, "400 Bad Request", "", "").await,
        }
    }
}

pub(super) fn success(id: &Json, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

pub(super) fn content(text: &str) -> String {
    format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#)
}

fn event(members: &str) -> String {
    format!("data: {{\"jsonrpc\":\"2.0\",{members}}}\n\n")
}

pub(super) async fn reply(
    socket: &mut BufReader<TcpStream>,
    status: &str,
    headers: &str,
    body: &str,
) -> Option<()> {
    write(socket, status, "application/json", headers, body).await
}

async fn write(
    socket: &mut BufReader<TcpStream>,
    status: &str,
    kind: &str,
    headers: &str,
    body: &str,
) -> Option<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    socket.get_mut().write_all(answer.as_bytes()).await.ok()
}

pub(super) struct Request {
    method: String,
    pub(super) head: String,
    /// The body as text, and as JSON if it is that.
    pub(super) text: String,
    pub(super) body: Json,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn member(&self, key: &str) -> Option<String> {
        self.body.get(key).and_then(Json::as_str).map(str::to_owned)
    }
}

pub(super) async fn read_request(socket: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let method = head.split(' ').next()?.to_owned();
    let mut request = Request { method, head, text: String::new(), body: Json::Null };
    let length = request.header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    if length > 0 {
        request.text = String::from_utf8(body).ok()?;
        request.body = json::parse(&request.text).unwrap_or_default();
    }
    Some(request)
}
