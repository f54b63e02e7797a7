//! Tools of MCP servers: a program that does what can go wrong, and the agent that uses it.

mod auth;
mod auth_server;
mod faults;
mod http;
mod http_server;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use agent_runner::agents::ChatConfig;
use agent_runner::mcp::{McpServerConfig, McpServerStatus, McpServers};
use agent_runner::testing::{FakeModel, FakeReply, ToolTest, collect};
use agent_runner::tools::{OfferedTool, ToolError, call_offered_tool};
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{AgentRequest, ContentBody, Json, JsonObject, Message, MessageType, object};
use tokio::time::timeout;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(arguments: &[&str]) -> McpServerConfig {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp_server.py");
    let script = script.to_str().expect("UTF-8");
    McpServerConfig::stdio("test", "python3", [script].iter().chain(arguments).copied())
}

/// What programs need.
fn environment() -> Vec<(OsString, OsString)> {
    vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]
}

async fn start(config: McpServerConfig) -> McpServers {
    let servers = McpServers::start_with(vec![config], environment()).expect("good settings");
    servers.first_lists(PATIENCE).await;
    servers
}

fn status(servers: &McpServers) -> McpServerStatus {
    servers.status().pop().expect("a server")
}

fn names(servers: &McpServers) -> Vec<String> {
    servers.tools().iter().map(|tool| tool.tool.name().to_owned()).collect()
}

fn tool(servers: &McpServers, name: &str) -> OfferedTool {
    servers.tools().iter().find(|tool| tool.tool.name() == name).expect(name).clone()
}

async fn call(servers: &McpServers, name: &str) -> Result<Json, ToolError> {
    call_with(&ToolTest::new(), servers, name, JsonObject::new()).await
}

async fn call_with(
    test: &ToolTest,
    servers: &McpServers,
    name: &str,
    arguments: JsonObject,
) -> Result<Json, ToolError> {
    let tool = tool(servers, name).tool;
    timeout(PATIENCE, test.call(&*tool, arguments)).await.expect("an answer")
}

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited for {what}"));
}

/// How many processes this one has started that are still there.
fn children() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    children.map(|ids| ids.split_whitespace().count()).sum()
}

fn text_of(answer: Result<Json, ToolError>) -> String {
    answer.expect("an answer").as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn server__of_many_pages__offers_the_tools_that_models_can_take() {
    let servers = start(config(&["banner"])).await;
    assert_eq!(status(&servers).problem, None);
    let names = names(&servers);
    assert_eq!(names.len(), 12, "{names:?}");
    assert!(!names.contains(&"odd".to_owned()));
    let echo = tool(&servers, "echo");
    assert_eq!(echo.tool.description(), "Does echo.");
    assert_eq!(echo.tool.parameters().to_string(), r#"{"type":"object","properties":{}}"#);
    servers.close().await;
}

#[tokio::test]
async fn server__with_tools_that_are_none__offers_the_others() {
    let servers = start(config(&["strange"])).await;
    assert_eq!(status(&servers).problem, None);
    assert_eq!(names(&servers).len(), 12);
}

#[tokio::test]
async fn result__that_is_too_large__ends_its_call_only() {
    let servers = start(config(&[])).await;
    let error = call(&servers, "large").await.expect_err("too large").to_string();
    assert_eq!(error, "the answer is larger than 16 MiB");
    assert_eq!(status(&servers).problem, None);
    assert_eq!(call(&servers, "structured").await, Ok(object! { "sum" => 3 }.into()));
}

#[tokio::test]
async fn names__with_a_prefix_and_a_list__are_only_these() {
    let mut config = config(&[]);
    config.prefix = "my_".to_owned();
    config.allowed_tools = Some(vec!["echo".to_owned()]);
    let servers = start(config).await;
    assert_eq!(names(&servers), ["my_echo"]);
    let echo = object! { "text" => "hi" };
    assert_eq!(text_of(call_with(&ToolTest::new(), &servers, "my_echo", echo).await), "hi");
}

#[tokio::test]
async fn results__of_every_kind__reach_the_caller() {
    let servers = start(config(&[])).await;
    assert_eq!(call(&servers, "structured").await, Ok(object! { "sum" => 3 }.into()));
    assert_eq!(call(&servers, "fails").await, Err(ToolError::new("no such city")));
    let test = ToolTest::new();
    assert_eq!(
        text_of(call_with(&test, &servers, "image", JsonObject::new()).await),
        "The result is attached."
    );
    let image = ContentBody::Image { image_url: Some("data:image/png;base64,iVBORw0KGgo=".to_owned()) };
    assert_eq!(test.attached(), [image]);
    assert_eq!(text_of(call(&servers, "garbage").await), "still here");
    // Only what the settings say.
    let environment = text_of(call(&servers, "environment").await);
    assert!(environment.split(' ').all(|name| ["PATH", "LC_CTYPE"].contains(&name)), "{environment}");
}

#[tokio::test]
async fn progress__of_a_long_call__is_reported_and_keeps_it_alive() {
    let mut config = config(&[]);
    config.idle_timeout = Duration::from_millis(400);
    let servers = start(config).await;
    let test = ToolTest::new();
    assert_eq!(text_of(call_with(&test, &servers, "reports", JsonObject::new()).await), "done");
    let messages: Vec<String> = test
        .progress()
        .iter()
        .filter_map(|report| Some(report.get("message")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(messages, ["step 0", "step 1", "step 2"]);
}

#[tokio::test]
async fn call__that_nobody_waits_for__is_cancelled() {
    let mut config = config(&[]);
    config.idle_timeout = Duration::from_millis(50);
    let servers = start(config).await;
    let error = call(&servers, "hangs").await.expect_err("a time-out").to_string();
    assert!(error.contains("not answered"), "{error}");
    let hangs = tool(&servers, "hangs").tool;
    let test = ToolTest::new();
    assert!(timeout(Duration::from_millis(1), test.call(&*hangs, JsonObject::new())).await.is_err());
    until("two cancellations", async || call(&servers, "cancelled").await == Ok("2".into())).await;
}

#[tokio::test]
async fn server__that_dies__costs_its_calls_and_comes_back() {
    let servers = start(config(&[])).await;
    let error = call(&servers, "dies").await.expect_err("it is gone").to_string();
    assert!(error.contains("try again later"), "{error}");
    let is_back = async || names(&servers).len() == 12 && call(&servers, "cancelled").await == Ok("0".into());
    until("the new process", is_back).await;
}

#[tokio::test]
async fn result__that_is_too_large__is_an_error() {
    let mut config = config(&[]);
    config.idle_timeout = Duration::from_secs(5);
    let servers = start(config).await;
    call(&servers, "large").await.expect_err("too large");
    until("a server", async || names(&servers).len() == 12).await;
}

#[tokio::test]
async fn tools__that_change__are_listed_anew() {
    let servers = start(config(&[])).await;
    assert_eq!(text_of(call(&servers, "grows").await), "grown");
    until("the new tool", async || names(&servers).contains(&"new".to_owned())).await;
}

#[tokio::test]
async fn modern_server__whose_tools_change__says_so_to_us() {
    let servers = start(config(&["modern"])).await;
    assert_eq!(text_of(call(&servers, "grows").await), "grown");
    until("the new tool", async || names(&servers).contains(&"new".to_owned())).await;
}

#[tokio::test]
async fn modern_server__that_asks_the_user__reads_that_the_user_declines() {
    let servers = start(config(&["modern"])).await;
    let read = text_of(call(&servers, "asks").await);
    assert_eq!(read, r#"[{"size": {"action": "decline"}}, "half"]"#);
}

#[tokio::test]
async fn program__that_does_not_exist__is_a_problem_of_its_own() {
    let servers = start(McpServerConfig::stdio("none", "no-such-program", [""; 0])).await;
    let problem = status(&servers).problem.expect("a problem");
    assert!(problem.contains("the program 'no-such-program' could not be started"), "{problem}");
    assert!(names(&servers).is_empty());
    servers.close().await;
    let script = ["-c", "import sys; sys.exit('no license')"];
    let servers = start(McpServerConfig::stdio("ends", "python3", script)).await;
    let says_why = || {
        let problem = status(&servers).problem.unwrap_or_default();
        problem.contains("its last line on standard error: no license")
    };
    until("the reason", async || says_why()).await;
}

#[tokio::test]
async fn processes__of_closed_or_dropped_servers__are_gone() {
    let servers = start(config(&["stubborn"])).await;
    assert_eq!(children(), 1);
    servers.close().await;
    assert_eq!(children(), 0);
    drop(start(config(&["stubborn"])).await);
    until("the end of the process", async || children() == 0).await;
}

#[tokio::test]
async fn agent__of_its_own_kind__calls_tools_too() {
    let servers = start(config(&[])).await;
    let echo = tool(&servers, "echo");
    let agent = agent_fn(move |run: RunHandle| {
        let echo = echo.clone();
        async move {
            let answer = call_offered_tool(&run, &echo, object! { "text" => "hi" }).await?;
            run.say(&answer.to_string());
            Ok(())
        }
    });
    let run = collect(agent, AgentRequest::new(vec![Message::user("Go.")])).await;
    let kinds: Vec<String> = run.response.messages().iter().map(|message| message.kind.to_string()).collect();
    assert_eq!(kinds, ["mcp_call", "mcp_call_output", "message"]);
    assert_eq!(run.text(), "\"hi\"");
}

#[tokio::test]
async fn agent__calls_tools__as_calls_of_mcp() {
    let servers = start(config(&[])).await;
    let model = FakeModel::new([
        FakeReply::tool_call("echo", object! { "text" => "hi" }),
        FakeReply::tool_call("fails", JsonObject::new()),
        FakeReply::tool_call("image", JsonObject::new()),
        FakeReply::text("Done."),
    ]);
    let chat = model.chat(ChatConfig::new("fake"), Vec::new()).expect("good settings");
    let chat = chat.with_tools_of(servers.tools_of(None).expect("all"));
    let run = collect(chat, AgentRequest::new(vec![Message::user("Go.")])).await;
    assert_eq!(run.text(), "Done.");
    let response = &run.response;
    let shown: Vec<(String, Option<String>, Option<String>)> = response
        .messages()
        .iter()
        .filter(|message| message.kind != MessageType::Message)
        .map(|message| {
            let data = message.contents()[0].as_data().expect("data");
            let text = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
            (message.kind.to_string(), text("server_label"), text("output"))
        })
        .collect();
    let (label, output) = (|| Some("test".to_owned()), |text: &str| Some(text.to_owned()));
    assert_eq!(
        shown,
        [
            ("mcp_list_tools".to_owned(), label(), None),
            ("mcp_call".to_owned(), label(), None),
            ("mcp_call_output".to_owned(), None, output(r#""hi""#)),
            ("mcp_call".to_owned(), label(), None),
            ("mcp_call_output".to_owned(), None, output(r#"{"error":"no such city"}"#)),
            ("mcp_call".to_owned(), label(), None),
            ("mcp_call_output".to_owned(), None, output(r#""The result is attached.""#)),
        ]
    );
    let failed = &response.messages()[4];
    assert_eq!(failed.error.as_ref().map(|error| &*error.message), Some("no such city"));
    // The model sees the image as one, and never as text.
    let last = model.requests().pop().expect("a request").body.to_string();
    assert_eq!(last.matches("iVBORw0KGgo=").count(), 1, "{last}");
    assert!(
        last.contains(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}"#),
        "{last}"
    );
}
