//! An MCP server over HTTP that wants OAuth, and its authorization server, which are one here.

use std::net::SocketAddr;
use std::sync::Arc;

use agent_schemas::Json;
use parking_lot::Mutex;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::http_server::{Request, content, read_request, reply, success};
use crate::model_server::accept;

/// The secret that a client gets when it is registered, and the one of `client`.
pub(crate) const SECRET: &str = "geheim";

/// Both servers; they stop when this is dropped.
#[derive(Debug)]
pub(crate) struct AuthServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    base: String,
    /// The token that is accepted.
    token: Mutex<Option<String>>,
    /// The requests for tokens, as they came.
    asked: Mutex<Vec<String>>,
    /// The scope that calls need.
    needed: Mutex<Option<&'static str>>,
    refuses_refresh: Mutex<bool>,
}

impl AuthServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { base: format!("http://{address}"), ..Shared::default() });
        let of_server = Arc::clone(&shared);
        let tasks = accept(listener, move |socket| Arc::clone(&of_server).serve(socket));
        AuthServer { address, shared, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The requests for tokens so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().clone()
    }

    /// Accepts no token that there is now.
    pub(crate) fn revoke(&self) {
        *self.shared.token.lock() = None;
    }

    /// Renews no token from now on.
    pub(crate) fn refuse_refresh(&self) {
        *self.shared.refuses_refresh.lock() = true;
    }

    /// Lets nobody call a tool without this scope.
    pub(crate) fn need(&self, scope: &'static str) {
        *self.shared.needed.lock() = Some(scope);
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        // A client may disconnect at any time.
        while let Some(request) = read_request(&mut socket).await {
            let (status, headers, body) = self.answer(&request);
            if reply(&mut socket, status, &headers, &body).await.is_none() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> (&'static str, String, String) {
        let base = &self.base;
        let ok = |body: String| ("200 OK", String::new(), body);
        match request.head.split(' ').nth(1).unwrap_or_default() {
            "/.well-known/oauth-protected-resource/mcp" => ok(format!(
                r#"{{"resource":"{base}/mcp","authorization_servers":["{base}"],"scopes_supported":["read"]}}"#
            )),
            "/.well-known/oauth-authorization-server" => ok(format!(
                r#"{{"issuer":"{base}","authorization_endpoint":"{base}/authorize","token_endpoint":"{base}/token",
                "registration_endpoint":"{base}/register","code_challenge_methods_supported":["S256"]}}"#
            )),
            "/register" => {
                ok(format!(r#"{{"client_id":"registered","client_secret":"{SECRET}","redirect_uris":[]}}"#))
            }
            "/token" => self.token(&request.text),
            "/mcp" => self.mcp(request),
            _ => ("404 Not Found", String::new(), String::new()),
        }
    }

    fn token(&self, asked: &str) -> (&'static str, String, String) {
        let number = self.asked.lock().len() + 1;
        self.asked.lock().push(asked.to_owned());
        if asked.contains("grant_type=refresh_token") && *self.refuses_refresh.lock() {
            return ("400 Bad Request", String::new(), r#"{"error":"invalid_grant"}"#.to_owned());
        }
        *self.token.lock() = Some(format!("token-{number}"));
        let refresh = if asked.contains("grant_type=client_credentials") {
            String::new()
        } else {
            format!(r#","refresh_token":"refresh-{number}""#)
        };
        let token = format!(
            r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":3600{refresh}}}"#
        );
        ("200 OK", String::new(), token)
    }

    fn mcp(&self, request: &Request) -> (&'static str, String, String) {
        let refused = |status, error: &str| {
            let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", self.base);
            (
                status,
                format!("www-authenticate: Bearer {error}resource_metadata=\"{metadata}\"\r\n"),
                String::new(),
            )
        };
        let token = self.token.lock().as_ref().map(|token| format!("Bearer {token}"));
        if token.is_none() || request.header("authorization") != token.as_deref() {
            return refused("401 Unauthorized", "");
        }
        let id = request.body.get("id").cloned().unwrap_or_default();
        let result = match request.body.get("method").and_then(Json::as_str).unwrap_or_default() {
            "initialize" => {
                r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"a","version":"1"}}"#
                    .to_owned()
            }
            "tools/list" => r#"{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}"#.to_owned(),
            "tools/call" => match *self.needed.lock() {
                Some(scope) => {
                    return refused("403 Forbidden", &format!("error=\"insufficient_scope\", scope=\"{scope}\", "));
                }
                None => content(r#""hi""#),
            },
            "server/discover" => return ("400 Bad Request", String::new(), String::new()),
            _ => return ("202 Accepted", String::new(), String::new()),
        };
        ("200 OK", String::new(), success(&id, &result))
    }
}
