//! Many calls that fail, and what is left of them.

use std::fs;
use std::time::Duration;

use agent_runner::mcp::{McpServerConfig, McpServers};
use agent_runner::testing::ToolTest;
use agent_runner::tools::OfferedTool;
use agent_schemas::{Json, JsonObject};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::http_server::McpHttpServer;
use super::{PATIENCE, children, config, environment, text_of, until};

/// What happens over and over again.
const OFTEN: [&str; 9] = [
    "program/garbage",
    "program/fails",
    "program/hangs",
    "web/closes",
    "web/cuts",
    "web/garbage",
    "web/fails",
    "web/hangs",
    "web/forgets",
];

/// What takes long.
const SOMETIMES: [&str; 5] = ["program/dies", "program/large", "program/floods", "web/large", "web/floods"];

/// How long a call is waited for that may hang.
const SHORT: Duration = Duration::from_millis(20);

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").expect("Linux").count()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn find(tools: &[OfferedTool], place: &str) -> OfferedTool {
    let is_it = |tool: &&OfferedTool| {
        tool.mcp.as_ref().is_some_and(|mcp| format!("{}/{}", mcp.server_label, mcp.tool_name) == place)
    };
    tools.iter().find(is_it).expect(place).clone()
}

async fn call(tool: &OfferedTool, at_most: Duration) {
    // Most of them fail, and some hang.
    let _ = timeout(at_most, ToolTest::new().call(&*tool.tool, JsonObject::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_calls__that_fail__leave_nothing() {
    let before = (open_files(), tasks());
    let server = McpHttpServer::start().await;
    let mut program = config(&["floods"]);
    "program".clone_into(&mut program.name);
    let configs = vec![program, McpServerConfig::http("web", server.url())];
    let servers = McpServers::start_with(configs, environment()).expect("good settings");
    servers.first_lists(PATIENCE).await;
    let tools = servers.tools();
    let often: Vec<_> = OFTEN.iter().map(|place| find(&tools, place)).collect();
    let sometimes: Vec<_> = SOMETIMES.iter().map(|place| find(&tools, place)).collect();

    for round in 0..50 {
        join_all((0..20).map(|index| call(&often[(round + index) % often.len()], SHORT))).await;
        if round % 20 == 0 {
            join_all(sometimes.iter().map(|tool| call(tool, PATIENCE))).await;
        }
    }
    let works = async |place: &str| {
        let answer = ToolTest::new().call(&*find(&tools, place).tool, JsonObject::new()).await;
        answer == Ok(Json::from(""))
    };
    until("both servers", async || works("program/echo").await && works("web/echo").await).await;

    servers.close().await;
    assert_eq!(children(), 0);
    drop((servers, tools, often, sometimes, server));
    until("the end of everything", async || (open_files(), tasks()) == before).await;
}

#[tokio::test]
async fn flood__of_a_program__costs_only_itself() {
    let servers = super::start(config(&["floods"])).await;
    let test = ToolTest::new();
    let (echo, floods) = (super::tool(&servers, "echo").tool, super::tool(&servers, "floods").tool);
    let (flood, others) = tokio::join!(test.call(&*floods, JsonObject::new()), async {
        let quiet = ToolTest::new();
        join_all((0..20).map(|_| quiet.call(&*echo, JsonObject::new()))).await
    });
    assert_eq!(text_of(flood), "done");
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(test.progress().len() < 500, "{}", test.progress().len());
}
