//! Servers that want OAuth.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agent_runner::mcp::{McpAuthConfig, McpLogin, McpServerConfig, McpServers};

use super::auth_server::{AuthServer, SECRET};
use super::{call, names, start, status, text_of};

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("agent-mcp-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("logins/test.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn with_auth(server: &AuthServer, auth: McpAuthConfig) -> McpServerConfig {
    let mut config = McpServerConfig::http("test", server.url());
    config.auth = Some(auth);
    config
}

fn with_login(server: &AuthServer, file: &Path) -> McpServerConfig {
    with_auth(server, McpAuthConfig::login(file))
}

const BACK: &str = "http://127.0.0.1:1/callback";

/// Does what a browser does; returns the address that it was given.
async fn log_in(config: &McpServerConfig) -> String {
    let login = McpLogin::begin(config, BACK).await.expect("a login");
    let url = login.url().to_owned();
    let state = url.split("&state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state");
    login.finish(&format!("{BACK}?code=good&state={state}")).await.expect("logged in");
    url
}

async fn echo(servers: &McpServers) -> String {
    text_of(call(servers, "echo").await)
}

#[tokio::test]
async fn client_credentials__token_refused__fetches_another_one() {
    let server = AuthServer::start().await;
    let servers = start(with_auth(&server, McpAuthConfig::client_credentials("client", SECRET))).await;
    assert_eq!(echo(&servers).await, "hi");
    assert_eq!(echo(&servers).await, "hi");
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    for part in ["grant_type=client_credentials", "scope=read", "resource=http", "client_secret=geheim"] {
        assert!(asked[0].contains(part), "{part}: {asked:?}");
    }
    server.revoke();
    assert_eq!(echo(&servers).await, "hi");
    assert_eq!(server.asked().len(), 2);
    assert_eq!(status(&servers).problem, None);
}

#[tokio::test]
async fn client_credentials__at_another_authorization_server__are_not_sent() {
    let server = AuthServer::start().await;
    let mut auth = McpAuthConfig::client_credentials("client", SECRET);
    auth.issuer = Some("https://login.example.com".to_owned());
    let servers = start(with_auth(&server, auth)).await;
    let problem = status(&servers).problem.expect("a problem");
    assert!(problem.contains("expected https://login.example.com, received http://127.0.0.1"), "{problem}");
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn server__without_settings_for_oauth__says_what_to_set() {
    let server = AuthServer::start().await;
    let servers = start(McpServerConfig::http("test", server.url())).await;
    let problem = status(&servers).problem.expect("a problem");
    assert!(problem.contains("asks for authorization: set auth"), "{problem}");
}

#[tokio::test]
async fn login__once_made__is_renewed_and_kept() {
    let (server, folder) = (AuthServer::start().await, Folder::new("login"));
    let config = with_login(&server, &folder.file());
    let servers = start(config.clone()).await;
    let problem = status(&servers).problem.expect("a problem");
    assert_eq!(problem, "it needs a login: run agent-server tools login test");
    servers.close().await;

    let url = log_in(&config).await;
    assert!(url.contains("scope=read&") && url.contains("code_challenge_method=S256"), "{url}");
    assert_eq!(fs::metadata(folder.file()).expect("a file").permissions().mode() & 0o777, 0o600);
    let servers = start(config.clone()).await;
    assert_eq!(echo(&servers).await, "hi");
    server.revoke();
    assert_eq!(echo(&servers).await, "hi");
    let asked = server.asked().pop().expect("a request");
    assert!(
        asked.contains("grant_type=refresh_token") && asked.contains("refresh_token=refresh-1"),
        "{asked}"
    );
    let others = start(config).await;
    assert_eq!(echo(&others).await, "hi");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn login__that_cannot_be_renewed__costs_the_tools_until_the_next_one() {
    let (server, folder) = (AuthServer::start().await, Folder::new("lost"));
    let mut config = with_login(&server, &folder.file());
    "test_".clone_into(&mut config.prefix);
    log_in(&config).await;
    let mut other = super::config(&[]);
    "other".clone_into(&mut other.name);
    let servers =
        McpServers::start_with(vec![other, config.clone()], super::environment()).expect("settings");
    servers.first_lists(super::PATIENCE).await;
    assert!(names(&servers).contains(&"test_echo".to_owned()), "{:?}", names(&servers));
    server.revoke();
    server.refuse_refresh();
    let error = call(&servers, "test_echo").await.expect_err("refused").to_string();
    assert_eq!(error, "the MCP server 'test' needs a login: run agent-server tools login test");
    super::until("the loss of the tools", async || !names(&servers).contains(&"test_echo".to_owned())).await;
    assert!(names(&servers).contains(&"echo".to_owned()));
    log_in(&config).await;
    super::until("the next login", async || names(&servers).contains(&"test_echo".to_owned())).await;
    assert_eq!(text_of(call(&servers, "test_echo").await), "hi");
}

#[tokio::test]
async fn login__that_lacks_a_scope__asks_for_it_the_next_time() {
    let (server, folder) = (AuthServer::start().await, Folder::new("scope"));
    let config = with_login(&server, &folder.file());
    log_in(&config).await;
    let servers = start(config.clone()).await;
    server.need("write");
    let error = call(&servers, "echo").await.expect_err("refused").to_string();
    assert!(error.contains("asks for a scope 'write'") && error.contains("tools login test"), "{error}");
    let url = log_in(&config).await;
    assert!(url.contains("scope=read+write&"), "{url}");
}

#[tokio::test]
async fn login__with_a_foreign_redirect__is_refused_and_shows_no_secret() {
    let (server, folder) = (AuthServer::start().await, Folder::new("foreign"));
    let config = with_login(&server, &folder.file());
    let begin = async || McpLogin::begin(&config, BACK).await.expect("a login");
    let login = begin().await;
    assert!(!format!("{login:?}").contains(SECRET));
    let error =
        login.finish(&format!("{BACK}?code=good&state=other")).await.expect_err("foreign").to_string();
    assert!(error.contains("the login failed"), "{error}");
    let refused = begin().await.finish(&format!("{BACK}?error=access_denied")).await.expect_err("refused");
    assert!(refused.to_string().ends_with("refused the login: access_denied"), "{refused}");
    assert!(!folder.file().exists());
}
