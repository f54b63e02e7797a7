//! MCP servers over HTTP.

use std::time::Duration;

use agent_runner::mcp::{McpServerConfig, McpServers};
use agent_runner::testing::ToolTest;
use agent_schemas::{JsonObject, object};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::http_server::{FLOOD, McpHttpServer, TOOLS};
use super::{PATIENCE, call, call_with, names, status, text_of, tool, until};

async fn start(server: &McpHttpServer) -> McpServers {
    let servers =
        McpServers::start(vec![McpServerConfig::http("test", server.url())]).expect("good settings");
    servers.first_lists(PATIENCE).await;
    assert_eq!(status(&servers).problem, None);
    servers
}

#[tokio::test]
async fn session__of_closed_servers__is_deleted() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    assert_eq!(names(&servers), TOOLS);
    let echo = object! { "text" => "hi" };
    assert_eq!(text_of(call_with(&ToolTest::new(), &servers, "echo", echo).await), "hi");
    servers.close().await;
    assert_eq!(server.count("DELETE"), 1);
}

#[tokio::test]
async fn connections__of_calls_one_after_the_other__are_used_again() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    for _ in 0..50 {
        call(&servers, "echo").await.expect("an answer");
    }
    assert!(server.connections() < 10, "{}", server.connections());
}

#[tokio::test]
async fn session__that_the_server_has_forgotten__is_replaced_once() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    server.forget();
    let calls = join_all((0..10).map(|_| call(&servers, "echo"))).await;
    assert!(calls.iter().all(Result::is_ok), "{calls:?}");
    assert_eq!(server.count("initialize"), 2);
}

#[tokio::test]
async fn call__whose_answer_is_broken__is_an_error_of_its_own() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    let hangs = tool(&servers, "hangs").tool;
    let test = ToolTest::new();
    let hanging = test.call(&*hangs, JsonObject::new());
    let others = async {
        for name in ["closes", "cuts", "garbage", "fails", "large", "streams"] {
            let error = call(&servers, name).await.expect_err(name).to_string();
            let expected = if name == "large" { "is larger than 16 MiB" } else { "try again later" };
            assert!(error.contains(expected), "{name}: {error}");
            assert_eq!(text_of(call(&servers, "echo").await), "", "after {name}");
        }
    };
    tokio::select! {
        answer = hanging => panic!("it hangs: {answer:?}"),
        () = others => {}
    }
    assert_eq!(status(&servers).problem, None);
    assert_eq!(server.count("initialize"), 1);
    until("the cancellation", async || server.count("notifications/cancelled") > 0).await;
}

#[tokio::test]
async fn flood__of_reports_and_records__is_cut_down() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    let test = ToolTest::new();
    assert_eq!(text_of(call_with(&test, &servers, "floods", JsonObject::new()).await), "done");
    let steps: Vec<i64> = test
        .progress()
        .iter()
        .filter_map(|report| report.get("progress")?.to_string().parse::<f64>().ok())
        .map(|step| step as i64)
        .collect();
    assert!(!steps.is_empty() && steps.len() < FLOOD / 10, "{}", steps.len());
    assert!(steps.is_sorted(), "{steps:?}");
}

#[tokio::test]
async fn server__that_is_replaced__is_found_again_with_its_tools() {
    let server = McpHttpServer::start().await;
    let servers = start(&server).await;
    let (address, echo) = (server.address(), tool(&servers, "echo").tool);
    drop(server);
    let test = ToolTest::new();
    until("an error", async || test.call(&*echo, JsonObject::new()).await.is_err()).await;
    until("no tools", async || names(&servers).is_empty()).await;
    let other = McpHttpServer::start_at(address).await;
    other.set_tools(vec!["echo", "new"]);
    until("the new tools", async || names(&servers) == ["echo", "new"]).await;
    assert_eq!(text_of(call(&servers, "echo").await), "");
}

#[tokio::test]
async fn calls__above_the_limit__wait_no_longer_than_a_call_may_take() {
    let server = McpHttpServer::start().await;
    let mut config = McpServerConfig::http("test", server.url());
    config.max_calls = 1;
    config.call_timeout = Duration::from_millis(300);
    let servers = McpServers::start(vec![config]).expect("good settings");
    servers.first_lists(PATIENCE).await;
    let calls =
        timeout(PATIENCE, join_all((0..3).map(|_| call(&servers, "hangs")))).await.expect("time-outs");
    assert!(calls.iter().all(Result::is_err), "{calls:?}");
    // The time is up for all of them when the first one's is; then there may be room for one that cannot use it.
    assert!(server.count("tools/call") < 3, "{}", server.count("tools/call"));
}
