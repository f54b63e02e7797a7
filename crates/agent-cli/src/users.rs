//! `agent-server users`: deletes all data of a user.

use std::process::ExitCode;

use agent_runner::{Deleted, delete_user};
use agent_schemas::UserId;
#[cfg(feature = "client")]
use agent_schemas::{Json, json};
#[cfg(feature = "client")]
use anyhow::Context;

use crate::cli::print;
use crate::cli::users::{UsersCommand, UsersOptions};
use crate::config::{Config, Environment};
#[cfg(feature = "client")]
use crate::remote::Remote;
use crate::sessions::with_services;

/// Executes the command on a runtime of its own.
pub(crate) fn run(options: &UsersOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let config = options.data.load(environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(&options.command, &config, environment))?;
    Ok(ExitCode::SUCCESS)
}

async fn dispatch(command: &UsersCommand, config: &Config, environment: &Environment) -> anyhow::Result<()> {
    match command {
        #[cfg(feature = "client")]
        UsersCommand::Forget { id, server: Some(address) } => {
            let server = Remote::new(address, environment.get("AGENT_SERVER_TOKEN"))?;
            let request = server.request(reqwest::Method::DELETE, &["users", id], &[("user_id", id)]);
            let answer =
                json::parse(&server.text(request).await?).context("the server's answer is not JSON")?;
            let count = |name: &str| answer.get(name).and_then(Json::as_i64).unwrap_or_default();
            report(count("runs"), count("sessions"), count("states"), count("memories"))
        }
        UsersCommand::Forget { id, .. } => {
            let grace = config.runs.limits().cancel_grace;
            with_services(config, environment, async |services| {
                let deleted = delete_user(services, &UserId::new(id.as_str()), grace).await?;
                let Deleted { runs, sessions, states, memories, .. } = deleted;
                report(runs, sessions, states, memories)
            })
            .await
        }
    }
}

fn report<T: std::fmt::Display>(runs: T, sessions: T, states: T, memories: T) -> anyhow::Result<()> {
    print(&format!("deleted {runs} runs, {sessions} sessions, {states} states, {memories} memories\n"))
}
