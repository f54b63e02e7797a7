//! A person's login at the authorization server of an MCP server.

use std::time::Duration;

use reqwest::Url;
use rmcp::transport::auth::{
    AuthorizationRequest, CredentialStore, OAuthState, StoredCredentials, WWWAuthenticateParams,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::McpError;
use super::auth::{Login, McpAuth, manager};
use super::config::McpServerConfig;
use crate::error_chain::chain;
use crate::http_client;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long the server may take to say what it wants.
const PROBE: Duration = Duration::from_secs(10);

/// The request with which connections begin.
const DISCOVER: &str = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{
    "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},
    "io.modelcontextprotocol/clientInfo":{"name":"agent-server","version":"1"}}}}"#;

/// The longest first line of a request from a browser, in bytes.
const MAX_LINE: u64 = 16 * 1024;

const PAGE: &str = "<!doctype html><meta charset=utf-8><title>agent-server</title><p>";

/// Logs in at a server whose settings have [`McpAuth::Login`]: `show` gets the address that a person opens in a browser on
/// this machine, and the tokens are kept in the file of the settings. A server that is running finds them when it connects
/// again. `scopes` are asked for beside those of an earlier login.
///
/// # Errors
/// [`McpError`] if the settings have no login, the authorization server refuses it, or nobody comes within ten minutes.
pub async fn login(
    config: &McpServerConfig,
    scopes: &[String],
    show: impl FnOnce(&str),
) -> Result<(), McpError> {
    config.check()?;
    let fault = |reason: String| McpError::new(&config.name, reason);
    let (Some(McpAuth::Login(login)), Some(url)) = (&config.auth, &config.url) else {
        return Err(fault("its settings have no auth of the kind login".to_owned()));
    };
    let listener = TcpListener::bind(("127.0.0.1", login.redirect_port)).await;
    let listener = listener.map_err(|error| fault(format!("port {}: {error}", login.redirect_port)))?;
    let port = listener.local_addr().map_err(|error| fault(error.to_string()))?.port();
    let redirect = format!("http://127.0.0.1:{port}/callback");
    let parsed = Url::parse(url).map_err(|error| fault(error.to_string()))?;
    // Also chooses the cryptography for the library's own client.
    let client = http_client::build(&parsed, |builder| builder).map_err(|error| fault(chain(&error)))?;
    let refused = |error| fault(format!("the login failed: {}", chain(&error)));
    let mut manager = manager(url).await.map_err(refused)?;
    let earlier = login.tokens().load().await.map_err(refused)?;
    let challenge = challenge(&client, &parsed, earlier.as_ref()).await;
    manager.set_credential_store(login.tokens());
    let mut state = OAuthState::Unauthorized(manager);
    let mut request = request(login, &redirect);
    let mut wanted = scopes.to_vec();
    if let Some(challenge) = challenge {
        wanted.extend(missing(&challenge, &parsed));
        request = request.with_challenge(challenge);
    }
    if !wanted.is_empty() {
        wanted.extend(earlier.map(|earlier| earlier.granted_scopes).unwrap_or_default());
        wanted.sort();
        wanted.dedup();
        request = request.with_scopes(wanted);
    }
    state.start_authorization(request).await.map_err(refused)?;
    show(&state.get_authorization_url().await.map_err(refused)?);
    let (mut browser, target) = timeout(PATIENCE, callback(&listener))
        .await
        .map_err(|_| fault("nobody has logged in".to_owned()))?
        .map_err(|error| fault(error.to_string()))?;
    let done = state.handle_callback_url(&format!("http://127.0.0.1:{port}{target}")).await;
    let text = match &done {
        Ok(()) => "You are logged in. You can close this window.",
        Err(_) => "The login failed. The terminal says why.",
    };
    // The person may have closed the window already.
    let _ = answer(&mut browser, "200 OK", text).await;
    done.map_err(refused)
}

/// What the server says that it wants: to a request with the tokens of an earlier login, if there are any.
async fn challenge(
    client: &reqwest::Client,
    url: &Url,
    earlier: Option<&StoredCredentials>,
) -> Option<String> {
    let mut request = client.post(url.clone()).timeout(PROBE).body(DISCOVER);
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "server/discover"),
    ] {
        request = request.header(name, value);
    }
    let token = earlier.and_then(|earlier| serde_json::to_value(earlier.token_response.as_ref()?).ok());
    if let Some(token) = token.as_ref().and_then(|token| token.get("access_token")?.as_str()) {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.ok()?;
    Some(response.headers().get("www-authenticate")?.to_str().ok()?.to_owned())
}

/// The scopes that the tokens of an earlier login miss.
fn missing(challenge: &str, url: &Url) -> Vec<String> {
    let wanted = WWWAuthenticateParams::parse(challenge, url);
    let scope = wanted.scope.as_deref().filter(|_| wanted.is_insufficient_scope()).unwrap_or_default();
    scope.split_whitespace().map(str::to_owned).collect()
}

fn request(login: &Login, redirect: &str) -> AuthorizationRequest {
    let mut request =
        AuthorizationRequest::new(redirect).with_client_name("agent-server").with_application_type("native");
    request = match login.scopes.is_empty() {
        true => request.with_initial_scope_selection(),
        false => request.with_scopes(login.scopes.clone()),
    };
    if let Some(id) = &login.client_id {
        request = request.with_preregistered_client(id);
    }
    if let Some(secret) = login.client_secret() {
        request = request.with_client_secret(secret);
    }
    if let Some(url) = &login.client_metadata_url {
        request = request.with_client_metadata_url(url);
    }
    request
}

/// Waits for the browser; returns the connection, and the path and query that it asks for.
async fn callback(listener: &TcpListener) -> std::io::Result<(TcpStream, String)> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut line = String::new();
        let mut limited = BufReader::new(tokio::io::AsyncReadExt::take(&mut stream, MAX_LINE));
        // Others that connect to the port, and say nothing, must not keep the browser waiting.
        let read = timeout(Duration::from_secs(5), limited.read_line(&mut line)).await;
        let target = line.split(' ').nth(1).filter(|target| target.starts_with("/callback?"));
        match (read, target) {
            (Ok(Ok(_)), Some(target)) => return Ok((stream, target.to_owned())),
            _ => {
                let _ = answer(&mut stream, "404 Not Found", "There is nothing here.").await;
            }
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str, text: &str) -> std::io::Result<()> {
    let body = format!("{PAGE}{text}");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    stream.shutdown().await
}
