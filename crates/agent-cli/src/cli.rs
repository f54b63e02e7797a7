//! The command line.

#[cfg(feature = "mcp")]
pub(crate) mod mcp;
#[cfg(feature = "client")]
pub(crate) mod runs;
pub(crate) mod store;
mod store_options;
#[cfg(feature = "mcp")]
pub(crate) mod tools;
pub(crate) mod users;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use crate::config::{ConfigError, Flag};
use anyhow::Context;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};

use self::store_options::StoreOptions;

/// Serves an agent over HTTP.
///
/// Without arguments, it listens on http://127.0.0.1:8080. It serves a model if OPENAI_API_KEY, DASHSCOPE_API_KEY or
/// OPENAI_BASE_URL is set, otherwise a small offline demo.
#[derive(Debug, Parser)]
#[command(version, about, long_about, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) serve: ServeOptions,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a server (the default command)
    ///
    /// SIGTERM or SIGINT (Ctrl-C) stops the server: runs in progress may finish within drain_seconds, and it exits with
    /// 0. A second signal ends it at once, with 143 (SIGTERM) or 130 (SIGINT). Exits with 2 if the configuration is
    /// invalid.
    #[command(visible_alias = "run")]
    Serve(ServeCommand),
    /// Talk to an agent in the terminal
    ///
    /// The agent's answer goes to standard output; its reasoning, its tool calls and everything else go to standard
    /// error. Ctrl-C cancels the current answer, and a second one quits. Exits with 1 if the run failed and with 130 if
    /// it was cancelled. Sends AGENT_SERVER_TOKEN, if it is set, to the server as a bearer token.
    #[cfg(feature = "client")]
    Chat(ChatOptions),
    /// Serve agents to the MCP client that starts this command
    ///
    /// Speaks the Model Context Protocol over standard input and output: each agent is a tool. A running server speaks it
    /// at /mcp. Ends with standard input.
    #[cfg(feature = "mcp")]
    Mcp(mcp::McpOptions),
    /// Print the JSON Schemas of the wire types, for programs in other languages
    ///
    /// Without options, prints all of them as one document (JSON Schema 2020-12, with the types under $defs).
    Schema(SchemaOptions),
    /// List, show, delete, export and import sessions
    ///
    /// Commands that only read open the data folder or Redis directly, even while a server is running. To change
    /// sessions while a server is running on the data folder, give its address with --server.
    Sessions(SessionsOptions),
    /// Delete all data of a user
    ///
    /// Opens the data folder or Redis directly. While a server is running on the data folder, give its address with
    /// --server.
    Users(users::UsersOptions),
    /// Back up the data of a server, while it is running or not
    Store(store::StoreCommandOptions),
    /// List and call the tools of the configured MCP servers, and log in to those servers
    #[cfg(feature = "mcp")]
    Tools(tools::ToolsOptions),
    /// List, show, follow and cancel the runs of a running server
    ///
    /// Sends AGENT_SERVER_TOKEN, if it is set, to the server as a bearer token.
    #[cfg(feature = "client")]
    Runs(runs::RunsOptions),
}

impl Default for Command {
    fn default() -> Self {
        Command::Serve(ServeCommand::default())
    }
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeCommand {
    /// Python script with the agent to serve, and optionally the agent's name
    #[cfg(feature = "python")]
    #[arg(value_name = "FILE[:AGENT]", conflicts_with = "agent")]
    pub(crate) script: Option<String>,
    /// Python interpreter for the script [default: of the virtual environment, else python3]
    #[cfg(feature = "python")]
    #[arg(long, value_name = "FILE", requires = "script")]
    pub(crate) python: Option<PathBuf>,
    /// Reload the script when a Python file in its folder or a subfolder changes
    #[cfg(feature = "python")]
    #[arg(long, requires = "script")]
    pub(crate) reload: bool,
    #[command(flatten)]
    pub(crate) options: ServeOptions,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeOptions {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port to listen on; 0 selects a free port [default: 8080]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Agent to serve by default: echo, demo, chat, or a name from the configuration
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for sessions, states, memories and runs [default: agent-server in the user's data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep sessions, states, memories and runs in memory only; they are lost when the server stops
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Where to keep sessions, states, memories and runs: redis://HOST:PORT, rediss://…, redis-cluster://…,
    /// redis-sentinel://…, sqlite:DIR or memory: [default: sqlite: in the data folder]
    #[arg(long, alias = "redis-url", value_name = "URL", conflicts_with = "ephemeral")]
    pub(crate) store: Option<String>,
    /// Accept connections from other machines without authentication
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
    /// Additional web origin that may call the server from a browser; * allows all; may be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) cors_origins: Vec<String>,
    /// Format of log lines: human or json [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Log level: error, warn, info, debug, trace, or directives [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Print the effective configuration as TOML, with defaults and paths but without secrets, and exit
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[cfg(feature = "client")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChatOptions {
    /// Address of a running server, such as http://127.0.0.1:8080, or a Python script or its folder; without it or with a
    /// script, the agent runs in this process, and its data is kept in memory
    #[arg(value_name = "URL|FILE[:AGENT]")]
    pub(crate) source: Option<String>,
    /// Ask this question and exit; - reads it from standard input
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,
    /// Agent to talk to: echo, demo, chat, or a name from the configuration
    #[arg(long, value_name = "AGENT", conflicts_with = "source")]
    pub(crate) agent: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    pub(crate) config: Option<PathBuf>,
    /// Model to request, or name of one of the server's agents
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Id of the conversation [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// Id of the user
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// Print the events as they arrive, one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
    /// Hide the agent's reasoning
    #[arg(long)]
    pub(crate) no_reasoning: bool,
    /// Show ids, usage, and complete tool outputs
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SchemaOptions {
    /// Print only this type and the types that it refers to
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Write files into this folder instead: one per type, and one with all types
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; fail if the files in this folder are out of date, and report which changes are breaking
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "out"])]
    pub(crate) check: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SessionsOptions {
    #[command(subcommand)]
    pub(crate) command: SessionsCommand,
    #[command(flatten)]
    pub(crate) data: StoreOptions,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List a user's sessions, newest first
    List {
        /// User who owns the sessions
        #[arg(long, value_name = "ID")]
        user_id: String,
    },
    /// Show a session's messages
    Show(SessionName),
    /// Delete a session
    Delete {
        #[command(flatten)]
        name: SessionName,
        /// Address of the running server, such as http://127.0.0.1:8080
        #[cfg(feature = "client")]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Print sessions as JSON lines: one line per session, each followed by one line per message
    Export {
        /// User who owns the sessions
        #[arg(long, value_name = "ID")]
        user_id: String,
        /// Export only this session
        #[arg(value_name = "SESSION")]
        id: Option<String>,
    },
    /// Read exported lines from standard input and add their messages; messages that exist already are skipped
    Import {
        /// Address of the running server, such as http://127.0.0.1:8080
        #[cfg(feature = "client")]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SessionName {
    /// Id of the session
    #[arg(value_name = "SESSION")]
    pub(crate) id: String,
    /// User who owns the session [default: the session's id, as for requests without a user]
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
}

impl ServeOptions {
    /// These options, or the ones given without a subcommand; clap allows only one of the two.
    pub(crate) fn over(self, outer: ServeOptions) -> ServeOptions {
        if self.flags().is_empty() && self.config.is_none() && !self.print_config { outer } else { self }
    }

    /// The settings that were given.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let port = self.port.map(|port| port.to_string());
        let origins = (!self.cors_origins.is_empty()).then(|| self.cors_origins.join(","));
        let data_dir = self.data_dir.as_ref().map(|path| path.to_string_lossy().into_owned());
        let ephemeral = self.ephemeral.then(|| "true".to_owned());
        let unauthenticated = self.allow_unauthenticated.then(|| "true".to_owned());
        [
            Flag::given("--host", "host", self.host.clone()),
            Flag::given("--port", "port", port),
            Flag::given("--agent", "agent", self.agent.clone()),
            Flag::given("--data-dir", "data_dir", data_dir),
            Flag::given("--ephemeral", "ephemeral", ephemeral),
            Flag::given("--store", "services.url", self.store.clone()),
            Flag::given("--allow-unauthenticated", "allow_unauthenticated", unauthenticated),
            Flag::given("--cors-origin", "http.cors_origins", origins),
            Flag::given("--log-format", "log.format", self.log_format.clone()),
            Flag::given("--log-level", "log.level", self.log_level.clone()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Writes to standard output. A reader that stops early, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("could not write to standard output"),
    }
}

/// A text on one line, with control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    let escaped = |character: char| match character {
        '\n' => " ".to_owned(),
        character if character.is_control() => character.escape_default().to_string(),
        character => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Reports an error and its causes on standard error.
pub(crate) fn print_error(error: &anyhow::Error) {
    #[expect(clippy::print_stderr, reason = "this is the program's last output")]
    {
        eprintln!("agent-server: {error:#}");
    }
}

/// 2 for invalid usage or configuration, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<ConfigError>() { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, load};

    #[test]
    fn serve_flags__each__set_a_setting() {
        let line = "agent-server --host 127.0.0.2 --port 7 --agent echo --data-dir /data --store redis://h \
                    --allow-unauthenticated --cors-origin https://a.example --cors-origin https://b.example \
                    --log-format json --log-level debug";
        let flags = Arguments::parse_from(line.split_whitespace()).serve.flags();
        assert_eq!(flags.len(), 9);
        let config = load(None, &Environment::default(), &flags).expect("valid");
        assert_eq!((config.host.as_str(), config.port, config.log.level.as_str()), ("127.0.0.2", 7, "debug"));
        assert_eq!(config.http.cors_origins, ["https://a.example", "https://b.example"]);
        let flags = Arguments::parse_from(["agent-server", "--redis-url", "redis://h"]).serve.flags();
        assert_eq!(flags.len(), 1, "the former name of --store");
        let flags = Arguments::parse_from(["agent-server", "--ephemeral"]).serve.flags();
        assert!(load(None, &Environment::default(), &flags).expect("valid").ephemeral);
    }
}
