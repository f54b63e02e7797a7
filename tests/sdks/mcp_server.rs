//! Clients of MCP that others have written, and the official conformance suite, against the server.

use std::net::SocketAddr;

use agent_tests::Launch;
use agent_tests::mcp::{Tap, Version};
use serde_json::json;
use tokio::net::TcpListener;

use crate::environment::{NODE, environment, run_in_python};
use crate::mcp_agents;

/// Serves the agents of the conformance suite while the result lives.
async fn serve() -> (SocketAddr, impl Sized) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
    tokio::spawn(mcp_agents::app().serve(listener, async { stopped.await.unwrap_or_default() }));
    (address, stop)
}

async fn check_version(version: &str) {
    let (address, _guard) = serve().await;
    let url = format!("http://{address}/mcp");
    let packages = environment("javascript");
    let arguments = ["server", "--url", &url, "--suite", "all", "--spec-version", version];
    let program = [NODE, "node_modules/.bin/conformance"];
    let ended = packages.run(&program, &arguments, &[]).await;
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn server__scenarios_of_2025_11_25__pass() {
    check_version("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server__scenarios_of_2026_07_28__pass() {
    check_version("2026-07-28").await;
}

/// Runs the official Python SDK in one of its versions; what it says and hears has to follow the grammar.
async fn check_python(packages: &str, mode: &str, version: Version) {
    let (address, _guard) = serve().await;
    let tap = Tap::start(address).await;
    let binary = agent_tests::binary::agent_server();
    let program = [".venv/bin/python", "mcp_sdk.py"];
    let arguments = [&tap.url(), mode, binary.to_str().expect("UTF-8")];
    run_in_python(packages, &program, &arguments, &[]).await;
    let (calls, violations) = tap.violations(version);
    assert!(calls > 25, "{calls} messages");
    assert_eq!(violations, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sdk_2__of_2026_07_28__uses_everything() {
    check_python("agents", "auto", Version::Stateless).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sdk_2__with_sessions__uses_everything() {
    check_python("agents", "legacy", Version::Sessions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sdk_1__uses_everything() {
    check_python("upstream", "legacy", Version::Sessions).await;
}

/// The client of this project is rmcp, behind the commands and the agents.
#[tokio::test(flavor = "multi_thread")]
async fn rmcp__lists_and_calls() {
    let (address, _guard) = serve().await;
    let tap = Tap::start(address).await;
    let config = format!("[[tools.mcp]]\nname = \"agents\"\nurl = \"{}\"\n", tap.url());
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), config).expect("written");
    let tools = async |arguments: &[&str]| {
        let config = ["--config", file.path().to_str().expect("UTF-8")];
        Launch::bare(&[&["tools"], arguments, &config].concat()).run().await
    };
    let listed = tools(&["list"]).await;
    assert!(listed.stdout.contains("test_simple_text"), "{listed:?}");
    let called = tools(&["call", "test_simple_text"]).await;
    assert_eq!(called.stdout, "This is a simple text response for testing.\n", "{called:?}");
    let header = json!({ "region": "Köln" }).to_string();
    let called = tools(&["call", "test_custom_header", "--arguments", &header]).await;
    assert_eq!((called.code, &*called.stdout), (0, "Done.\n"), "{called:?}");
    let failed = tools(&["call", "test_error_handling"]).await;
    assert_eq!(failed.code, 1, "{failed:?}");
}
