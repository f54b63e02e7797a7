//! `agent-server tools`: shows and calls the tools of the configured MCP servers, and logs in to those servers.

mod login;

use std::process::ExitCode;
use std::time::Duration;

use agent_runner::mcp::McpServers;
use agent_runner::tools::OfferedTool;
use agent_schemas::{ContentBody, Json, json, object};

use crate::agents::mcp;
use crate::cli::print;
use crate::cli::tools::{ToolsCommand, ToolsOptions};
use crate::config::{Config, ConfigError, Environment, Flag, load};

/// What a server may take to list its tools when it is connected.
const LISTING: Duration = Duration::from_secs(30);

/// How much of a description is shown.
const DESCRIPTION: usize = 80;

/// Executes the command on a runtime of its own.
pub(crate) fn run(options: &ToolsOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let data_dir = options.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
    let flags: Vec<Flag> = Flag::given("--data-dir", "data_dir", data_dir).into_iter().collect();
    let mut config = load(options.config.as_deref(), environment, &flags)?;
    config.place_logins(environment);
    if config.tools.mcp.is_empty() {
        let message = "the configuration has no MCP server; add one as [[tools.mcp]]";
        return Err(ConfigError::from_message(message).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &options.command {
            ToolsCommand::List { json } => {
                with_servers(&config, environment, async |servers| list(servers, *json)).await
            }
            ToolsCommand::Call { name, arguments } => {
                with_servers(&config, environment, async |servers| call(servers, name, arguments).await).await
            }
            ToolsCommand::Login { name } => log_in(&config, environment, name).await,
        }
    })
}

/// Does something with the servers when they are connected.
async fn with_servers(
    config: &Config,
    environment: &Environment,
    work: impl AsyncFnOnce(&McpServers) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let longest = config.tools.mcp.iter().map(|server| server.connect_timeout).max();
    let servers = mcp::start(config, environment, longest.unwrap_or_default() + LISTING).await?;
    let done = work(&servers).await;
    servers.close().await;
    done
}

async fn log_in(config: &Config, environment: &Environment, name: &str) -> anyhow::Result<ExitCode> {
    let servers = mcp::configured(config, environment)?;
    let Some(server) = servers.iter().find(|server| server.name == name) else {
        let known: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
        let message = format!("there is no MCP server '{name}'; there are {}", known.join(", "));
        return Err(ConfigError::from_message(message).into());
    };
    login::login(server).await
}

fn list(servers: &McpServers, as_json: bool) -> anyhow::Result<ExitCode> {
    let (status, tools) = (servers.status(), servers.tools());
    if as_json {
        let tools: Vec<Json> = tools.iter().map(described).collect();
        print(&format!("{}\n", Json::from(tools)))?;
    }
    for server in &status {
        if let Some(problem) = &server.problem {
            complain(&format!("{}: not available: {problem}", server.name));
        } else if !as_json {
            print(&format!("{} ({} tools)\n", server.name, server.tools))?;
            for tool in tools.iter().filter(|tool| label(tool) == server.name) {
                let description = tool.tool.description().lines().next().unwrap_or_default();
                print(&format!("  {:<32} {}\n", tool.tool.name(), shortened(description)))?;
            }
        }
    }
    let is_whole = status.iter().all(|server| server.problem.is_none());
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn label(tool: &OfferedTool) -> &str {
    tool.mcp.as_ref().map_or("", |mcp| &mcp.server_label)
}

fn described(tool: &OfferedTool) -> Json {
    object! {
        "server" => label(tool),
        "name" => tool.tool.name(),
        "description" => tool.tool.description(),
        "parameters" => tool.tool.parameters()
    }
    .into()
}

async fn call(servers: &McpServers, name: &str, arguments: &str) -> anyhow::Result<ExitCode> {
    let Ok(Json::Object(arguments)) = json::parse(arguments) else {
        return Err(ConfigError::from_message("--arguments should be a JSON object").into());
    };
    match servers.call(name, arguments).await {
        Ok((answer, attached)) => {
            let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
            print(&format!("{text}\n"))?;
            for content in attached {
                complain(&format!("attached: {}", shown(&content)));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            complain(&error.to_string());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A content in a few words.
fn shown(content: &ContentBody) -> String {
    let (kind, place) = match content {
        ContentBody::Image { image_url } => ("image", image_url.clone()),
        ContentBody::Audio { format, .. } => ("audio", format.clone()),
        ContentBody::File { file_url, filename, .. } => {
            ("file", file_url.clone().or_else(|| filename.clone()))
        }
        ContentBody::Data { data } => ("data", data.clone().map(|data| Json::from(data).to_string())),
        _ => ("content", None),
    };
    format!("{kind} {}", shortened(&place.unwrap_or_default()))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(DESCRIPTION) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[expect(clippy::print_stderr, reason = "what is no answer goes to standard error")]
fn complain(text: &str) {
    eprintln!("{text}");
}
