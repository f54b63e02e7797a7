//! `agent-server runs`: lists, shows, follows and cancels the runs of a running server.

mod lines;
mod tail;

use std::process::ExitCode;

use crate::config::Environment;
use agent_schemas::api::runs::{RunInfo, RunPage};
use agent_schemas::{Json, json};
use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, StatusCode};

use crate::cli::runs::{CancelOptions, ListOptions, RunsCommand, RunsOptions};
use crate::cli::{print, shown};
use crate::remote::{Remote, RemoteError};

/// The maximum number of runs in one response of a server.
const PAGE: usize = 1000;

/// Executes the command on a separate runtime.
pub(crate) fn run(options: &RunsOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    // Of a mistyped AGENT_SERVER_TOKEN a person would only hear that the server requires authentication.
    environment.check()?;
    let server = Remote::new(&options.server, environment.get("AGENT_SERVER_TOKEN"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &options.command {
            RunsCommand::List(options) => list(&server, options).await.map(|()| ExitCode::SUCCESS),
            RunsCommand::Show { id, json } => show(&server, id, *json).await.map(|()| ExitCode::SUCCESS),
            RunsCommand::Tail(options) => {
                let may_dim =
                    environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
                tail::run(&server, options, may_dim).await
            }
            RunsCommand::Cancel(options) => cancel(&server, options).await.map(|()| ExitCode::SUCCESS),
        }
    })
}

async fn list(server: &Remote, options: &ListOptions) -> anyhow::Result<()> {
    let (mut left, mut after) = (options.limit, None::<String>);
    while left > 0 {
        let limit = left.min(PAGE).to_string();
        let mut query = vec![("user_id", options.user_id.as_str()), ("limit", limit.as_str())];
        query.extend(options.session_id.as_deref().map(|id| ("session_id", id)));
        query.extend(options.status.as_deref().map(|status| ("status", status)));
        query.extend(after.as_deref().map(|after| ("after", after)));
        let body = server.text(server.request(Method::GET, &["runs"], &query)).await?;
        let page: RunPage =
            serde_json::from_str(&body).context("the server's response is not a list of runs")?;
        for run in page.data.iter().take(left) {
            let line =
                if options.json { format!("{}\n", Json::from_serialize(run)?) } else { lines::of_run(run) };
            print(&line)?;
        }
        left = left.saturating_sub(page.data.len());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

async fn show(server: &Remote, id: &str, as_json: bool) -> anyhow::Result<()> {
    let run = asked(server, id, server.request(Method::GET, &["runs", id], &[])).await?;
    let text = if as_json { format!("{}\n", Json::from_serialize(&run)?) } else { lines::about_run(&run) };
    print(&text)
}

async fn cancel(server: &Remote, options: &CancelOptions) -> anyhow::Result<()> {
    if let Some(id) = &options.id {
        let request = server.request(Method::POST, &["runs", id, "cancel"], &[]);
        let run = asked(server, id, request).await?;
        let is = if run.status.is_final() { run.status.as_str() } else { "asked to stop" };
        return print(&format!("{}\t{is}\n", shown(&run.id)));
    }
    let session = options.session_id.as_deref().unwrap_or_default();
    let user = options.user_id.as_deref().unwrap_or(session);
    let request = server.request(Method::POST, &["sessions", session, "cancel"], &[("user_id", user)]);
    let answer = json::parse(&server.text(request).await?).context("the server's response is not JSON")?;
    match answer.get("canceled").and_then(Json::as_i64) {
        Some(count) => print(&format!("asked {count} runs to stop\n")),
        None => bail!("the server's response does not say how many runs it cancelled: {answer}"),
    }
}

/// The run in the server's response.
async fn asked(server: &Remote, id: &str, request: RequestBuilder) -> anyhow::Result<RunInfo> {
    let body = server.text(request).await.map_err(|error| about(id, error))?;
    serde_json::from_str(&body).context("the server's response is not a run")
}

/// The error of a request for one run.
fn about(id: &str, error: RemoteError) -> anyhow::Error {
    match error.status() {
        Some(StatusCode::NOT_FOUND) => {
            anyhow::anyhow!("there is no run '{id}', or it is no longer kept")
        }
        Some(StatusCode::GONE) => anyhow::anyhow!(
            "the run's log has no such event because another process has taken over the run. Read it from the \
             beginning, without --after"
        ),
        _ => error.into(),
    }
}
