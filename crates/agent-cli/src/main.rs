//! The `agent-server` binary: reads the configuration, builds the agents, and serves them.
#![cfg_attr(test, expect(non_snake_case, reason = "tests are named subject__condition__result"))]

mod agents;
mod cli;
mod config;
mod limits;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "client")]
mod remote;
#[cfg(feature = "client")]
mod runs;
mod schema;
mod serve;
mod sessions;
mod store;
mod telemetry;
#[cfg(feature = "client")]
mod terminal;
#[cfg(feature = "mcp")]
mod tools;
mod users;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Command};
use crate::config::Environment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
    let environment = Environment::new(std::env::vars_os());
    let done = match arguments.command.unwrap_or_default() {
        Command::Serve(mut command) => {
            command.options = command.options.over(arguments.serve);
            serve::run(&command, &environment)
        }
        #[cfg(feature = "client")]
        Command::Chat(options) => terminal::run(&options, &environment),
        #[cfg(feature = "mcp")]
        Command::Mcp(options) => mcp::run(&options, &environment),
        Command::Schema(options) => schema::run(&options),
        Command::Sessions(options) => sessions::run(&options, &environment),
        #[cfg(feature = "mcp")]
        Command::Tools(options) => tools::run(&options, &environment),
        Command::Users(options) => users::run(&options, &environment),
        Command::Store(options) => store::run(&options, &environment),
        #[cfg(feature = "client")]
        Command::Runs(options) => runs::run(&options, &environment),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            cli::print_error(&error);
            ExitCode::from(cli::exit_code(&error))
        }
    }
}
