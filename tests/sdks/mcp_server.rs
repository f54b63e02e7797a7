//! Clients of MCP that others have written, and the official conformance suite, against the server.

use tokio::net::TcpListener;

use crate::environment::{NODE, environment};
use crate::mcp_agents;

/// Serves the agents of the conformance suite while the result lives.
async fn serve() -> (String, impl Sized) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
    tokio::spawn(mcp_agents::app().serve(listener, async { stopped.await.unwrap_or_default() }));
    (format!("http://{address}/mcp"), stop)
}

async fn check_version(version: &str) {
    let (url, _guard) = serve().await;
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
