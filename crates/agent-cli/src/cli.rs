//! The command line.

#[cfg(feature = "client")]
pub(crate) mod runs;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use crate::config::{ConfigError, Flag};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};

/// Serves an agent over HTTP.
///
/// Without any argument it serves on http://127.0.0.1:8080: a model, if the environment has OPENAI_API_KEY,
/// DASHSCOPE_API_KEY or OPENAI_BASE_URL, else a small offline demo.
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
    /// Serve (what happens without a command, too)
    Serve(ServeOptions),
    /// Talk to an agent in the terminal
    ///
    /// The agent's answer goes to standard output; its reasoning, its tool calls and everything else to standard
    /// error. Ctrl-C cancels the answer that is being written. Exits with 1 if the question failed and with 130 if it
    /// was cancelled. If AGENT_SERVER_TOKEN is set, the server is sent it as a bearer token.
    #[cfg(feature = "client")]
    Chat(ChatOptions),
    /// Print the JSON Schemas of the wire types, for programs in other languages
    ///
    /// Without an option, all of them as one document (JSON Schema 2020-12, the types under $defs).
    Schema(SchemaOptions),
    /// List, show, delete, export and import sessions
    ///
    /// Reading looks at the data folder or at Redis beside a running server. What changes something goes through the
    /// running server, whose address is given with --server; without it, no server may be running on the data folder.
    Sessions(SessionsOptions),
    /// List, show, follow and cancel the runs of a running server
    ///
    /// If AGENT_SERVER_TOKEN is set, the server is sent it as a bearer token.
    #[cfg(feature = "client")]
    Runs(runs::RunsOptions),
}

impl Default for Command {
    fn default() -> Self {
        Command::Serve(ServeOptions::default())
    }
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeOptions {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: 8080]
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
    /// Keep sessions, states, memories and runs in memory only: nothing is left after the end
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Where to keep them: redis://HOST:PORT, rediss://…, redis-cluster://…, redis-sentinel://…, sqlite:DIR or memory:
    /// [default: sqlite: in the data folder]
    #[arg(long, value_name = "URL", conflicts_with = "ephemeral")]
    pub(crate) store: Option<String>,
    /// Let other machines reach the server, which cannot tell who they are
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
    /// Web origin besides loopback ones that may call from a browser; * allows all; may be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub(crate) cors_origins: Vec<String>,
    /// How log lines are written: human or json [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What is logged: error, warn, info, debug, trace, or directives [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Print the configuration that is in force, as TOML, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[cfg(feature = "client")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChatOptions {
    /// Address of a running server, such as http://127.0.0.1:8080; without it, the agent runs in this process
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Ask this and exit; - reads it from standard input
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,
    /// Agent to talk to: echo, demo, chat, or a name from the configuration
    #[arg(long, value_name = "AGENT", conflicts_with = "url")]
    pub(crate) agent: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) config: Option<PathBuf>,
    /// Model to ask for, or name of an agent of the server
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Id of the conversation [default: a fresh one]
    #[arg(long, value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// Id of the user
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// Print the events as they come, one JSON a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Hide the agent's reasoning
    #[arg(long)]
    pub(crate) no_reasoning: bool,
    /// Show ids, usage, and whole tool outputs
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SchemaOptions {
    /// Only this type, with what it is made of
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Write files into this folder instead: one for each type, and one with all
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; fail if the files in this folder are not those of this version, and say what the difference
    /// breaks
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "out"])]
    pub(crate) check: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SessionsOptions {
    #[command(subcommand)]
    pub(crate) command: SessionsCommand,
    /// Folder that holds the data [default: agent-server in the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where sessions are kept, if not in the data folder, such as redis://HOST:PORT
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) store: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List a user's sessions, the newest first
    List {
        /// Whose sessions
        #[arg(long, value_name = "ID")]
        user_id: String,
    },
    /// Show what was said in a session
    Show(SessionName),
    /// Forget a session
    Delete {
        #[command(flatten)]
        name: SessionName,
        /// Address of the running server, such as http://127.0.0.1:8080
        #[cfg(feature = "client")]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Print sessions as JSON lines: of each session a line, then a line for each of its messages
    Export {
        /// Whose sessions
        #[arg(long, value_name = "ID")]
        user_id: String,
        /// Only this session
        #[arg(value_name = "SESSION")]
        id: Option<String>,
    },
    /// Read such lines from standard input, and add the messages; a line that was read before adds nothing
    Import {
        /// Address of the running server, such as http://127.0.0.1:8080
        #[cfg(feature = "client")]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SessionName {
    /// The session
    #[arg(value_name = "SESSION")]
    pub(crate) id: String,
    /// Whose session it is [default: the session's own id, as requests without a user have it]
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
}

impl ServeOptions {
    /// These options, or the ones without a subcommand: clap lets only one of the two be given.
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

/// Writes to standard output. A reader that has seen enough, such as `head`, is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to standard output"),
    }
}

/// A text on one line, without what could move a terminal's cursor.
pub(crate) fn shown(text: &str) -> String {
    let escaped = |character: char| match character {
        '\n' => " ".to_owned(),
        character if character.is_control() => character.escape_default().to_string(),
        character => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Says on standard error what went wrong, and why.
pub(crate) fn print_error(error: &anyhow::Error) {
    #[expect(clippy::print_stderr, reason = "this is the program's last word")]
    {
        eprintln!("agent-server: {error:#}");
    }
}

/// 2 for a wrong call or configuration, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<ConfigError>() { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, load};

    #[test]
    fn every_flag_of_serve_is_a_setting() {
        let line = "agent-server --host 127.0.0.2 --port 7 --agent echo --data-dir /data --store redis://h \
                    --allow-unauthenticated --cors-origin https://a.example --cors-origin https://b.example \
                    --log-format json --log-level debug";
        let flags = Arguments::parse_from(line.split_whitespace()).serve.flags();
        assert_eq!(flags.len(), 9);
        let config = load(None, &Environment::default(), &flags).expect("valid");
        assert_eq!((config.host.as_str(), config.port, config.log.level.as_str()), ("127.0.0.2", 7, "debug"));
        assert_eq!(config.http.cors_origins, ["https://a.example", "https://b.example"]);
        let flags = Arguments::parse_from(["agent-server", "--ephemeral"]).serve.flags();
        assert!(load(None, &Environment::default(), &flags).expect("valid").ephemeral);
    }
}
