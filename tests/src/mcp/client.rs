//! An MCP client over HTTP that records everything for [`check`].

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Headers, Step, Transport, Version, check};
use crate::Connection;
use crate::client::Head;

/// A client of one server.
#[derive(Debug)]
pub struct McpClient {
    address: SocketAddr,
    version: Version,
    capabilities: Value,
    /// The session, once it has begun.
    pub session: Option<String>,
    steps: Vec<Step>,
    calls: usize,
    next_id: u64,
}

/// A stream of messages.
#[derive(Debug)]
pub struct McpStream {
    connection: Connection,
    unread: String,
    /// The call that it answers.
    pub call: Option<usize>,
    /// The id of its last event.
    pub last_event_id: Option<String>,
}

/// What the server has answered to a message.
#[derive(Debug)]
pub enum McpAnswer {
    /// One message, with the HTTP status.
    Message(u16, Value),
    /// A stream.
    Stream(McpStream),
    /// Nothing, with the HTTP status.
    Nothing(u16),
}

impl McpAnswer {
    /// The response, read from the stream if it is one.
    ///
    /// # Panics
    /// If there is none.
    pub async fn response(self, client: &mut McpClient) -> Value {
        match self {
            McpAnswer::Message(_, message) => message,
            McpAnswer::Nothing(status) => panic!("status {status} without a message"),
            McpAnswer::Stream(mut stream) => {
                while let Some(message) = stream.next(client).await {
                    if message.get("method").is_none() {
                        stream.end(client).await;
                        return message;
                    }
                }
                panic!("the stream has ended without a response")
            }
        }
    }

    /// The stream.
    ///
    /// # Panics
    /// If it is none.
    pub fn stream(self) -> McpStream {
        match self {
            McpAnswer::Stream(stream) => stream,
            other => panic!("no stream: {other:?}"),
        }
    }
}

impl McpClient {
    /// A client of 2026-07-28.
    pub fn stateless(address: SocketAddr, capabilities: Value) -> Self {
        McpClient {
            address,
            version: Version::Stateless,
            capabilities,
            session: None,
            steps: Vec::new(),
            calls: 0,
            next_id: 1,
        }
    }

    /// A client of 2025-11-25 that has begun a session.
    ///
    /// # Panics
    /// If that fails.
    pub async fn with_session(address: SocketAddr, capabilities: Value) -> Self {
        let mut client = McpClient::stateless(address, capabilities.clone());
        client.version = Version::Sessions;
        let info = json!({ "name": "test", "version": "1" });
        let params =
            json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": info });
        client.request("initialize", params).await.response(&mut client).await;
        client.notify("notifications/initialized", json!({})).await;
        client
    }

    /// Another address of the same server, such as after a restart.
    pub fn moved_to(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Sends a request.
    pub async fn request(&mut self, method: &str, params: Value) -> McpAnswer {
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await
    }

    /// Sends a request and returns its result.
    ///
    /// # Panics
    /// If it fails.
    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        let response = self.request(method, params).await.response(self).await;
        assert!(response["error"].is_null(), "{method}: {response}");
        response["result"].clone()
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) -> McpAnswer {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await
    }

    /// Sends any message.
    pub async fn send(&mut self, mut message: Value) -> McpAnswer {
        let mut headers = self.headers(&mut message);
        let recorded = headers.clone();
        headers.push(("accept".to_owned(), "application/json, text/event-stream".to_owned()));
        let call = self.calls;
        self.calls += 1;
        self.steps.push(Step::Sent { message: message.clone(), headers: recorded });
        let (mut connection, head) = self.open("POST", &headers, &message.to_string()).await;
        if let Some(session) = head.header("mcp-session-id") {
            self.session = Some(session.to_owned());
        }
        let is_stream = head.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let body = match is_stream {
            true => None,
            false => Some(connection.body(&head).await.expect("a body")).filter(|body| !body.is_empty()),
        };
        let body: Option<Value> = body.map(|body| serde_json::from_str(&body).expect("JSON"));
        let (status, headers) = (head.status, head.headers.clone());
        self.steps.push(Step::Answered { call, status, headers, body: body.clone() });
        match (is_stream, body) {
            (true, _) => McpAnswer::Stream(McpStream::new(connection, Some(call))),
            (false, Some(body)) => McpAnswer::Message(status, body),
            (false, None) => McpAnswer::Nothing(status),
        }
    }

    /// The headers of a message; a stateless client describes itself in it.
    fn headers(&self, message: &mut Value) -> Headers {
        if self.version == Version::Sessions {
            let session = self.session.iter().map(|id| ("mcp-session-id".to_owned(), id.clone()));
            let version = self.session.iter().map(|_| "2025-11-25".to_owned());
            return session
                .chain(version.map(|version| ("mcp-protocol-version".to_owned(), version)))
                .collect();
        }
        if message["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion").is_none() {
            let meta = &mut message["params"]["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        }
        let params = &message["params"];
        let mut headers = vec![("mcp-protocol-version".to_owned(), "2026-07-28".to_owned())];
        headers.extend(message["method"].as_str().map(|method| ("mcp-method".to_owned(), method.to_owned())));
        let name = match message["method"].as_str() {
            Some("resources/read") => params["uri"].as_str(),
            Some("tools/call" | "prompts/get") => params["name"].as_str(),
            _ => None,
        };
        headers.extend(name.map(|name| ("mcp-name".to_owned(), name.to_owned())));
        headers
    }

    async fn open(&self, method: &str, headers: &Headers, body: &str) -> (Connection, Head) {
        let mut connection = Connection::open(self.address).await;
        let mut request =
            format!("{method} /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let head = connection.send(request.as_bytes()).await.head().await;
        (connection, head)
    }

    /// Opens the stream of the session, or continues one after an event.
    pub async fn listen(&self, after: Option<&McpStream>) -> Result<McpStream, u16> {
        let mut headers = self.headers(&mut Value::Null);
        headers.push(("accept".to_owned(), "text/event-stream".to_owned()));
        let last = after.and_then(|stream| stream.last_event_id.clone());
        headers.extend(last.map(|last| ("last-event-id".to_owned(), last)));
        let (connection, head) = self.open("GET", &headers, "").await;
        if head.status != 200 {
            return Err(head.status);
        }
        Ok(McpStream::new(connection, after.and_then(|stream| stream.call)))
    }

    /// Ends the session; returns the status.
    pub async fn end_session(&self) -> u16 {
        self.open("DELETE", &self.headers(&mut Value::Null), "").await.1.status
    }

    /// Checks everything against the grammar.
    ///
    /// # Panics
    /// If a rule is broken.
    pub fn check(&self) {
        let violations = check(self.version, Transport::Http, &self.steps);
        assert!(violations.is_empty(), "{violations:#?}\n{:#?}", self.steps);
    }
}

impl McpStream {
    fn new(connection: Connection, call: Option<usize>) -> Self {
        McpStream { connection, unread: String::new(), call, last_event_id: None }
    }

    /// The next message; `None` at the end.
    pub async fn next(&mut self, client: &mut McpClient) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                if event.starts_with(':') {
                    continue;
                }
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let event_id = field("id: ");
                self.last_event_id = event_id.clone().or(self.last_event_id.take());
                let data = field("data: ").filter(|data| !data.is_empty());
                let message: Option<Value> = data.map(|data| serde_json::from_str(&data).expect("JSON"));
                client.steps.push(Step::Received { call: self.call, event_id, message: message.clone() });
                if message.is_some() {
                    return message;
                }
            }
            match self.connection.chunk().await {
                Ok(Some(chunk)) => self.unread += &chunk,
                _ => {
                    client.steps.push(Step::Ended { call: self.call, by_client: false });
                    return None;
                }
            }
        }
    }

    /// Reads to the end, which must come.
    ///
    /// # Panics
    /// If something comes before.
    pub async fn end(mut self, client: &mut McpClient) {
        assert_eq!(self.next(client).await, None);
    }

    /// Closes the connection; what comes later is lost, unless it is continued.
    pub fn close(self, client: &mut McpClient) -> McpStream {
        client.steps.push(Step::Ended { call: self.call, by_client: true });
        self
    }
}
