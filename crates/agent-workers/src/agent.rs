//! An agent that a worker executes.

use std::sync::Arc;

use agent_runner::tools::ToolSource;
use agent_runner::{Agent, AgentError, Recovery, RunHandle};
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::calls;
use crate::connection::Link;
use crate::error::crashed;
use crate::frame::{Frame, Kind};
use crate::message::{self, Done, DoneStatus, Http, RunError, StartRun};
use crate::parts::Parts;
use crate::workers::Workers;

/// How much is written to the log before the run's task may store it.
const STRETCH: usize = 64 * 1024;

/// An agent that a worker executes.
#[derive(Debug)]
pub struct WorkerAgent {
    workers: Arc<Workers>,
    /// Its name in the worker.
    name: String,
    recovery: Recovery,
    /// The tools that it may call.
    tools: Option<Arc<dyn ToolSource>>,
}

impl Workers {
    /// One of the agents.
    pub fn agent(self: &Arc<Self>, name: &str) -> Option<WorkerAgent> {
        let info = self.agents().iter().find(|info| info.name == name)?;
        let (workers, name) = (Arc::clone(self), info.name.clone());
        Some(WorkerAgent { workers, name, recovery: info.recovery(), tools: None })
    }
}

impl WorkerAgent {
    /// Lets the agent call these tools.
    #[must_use]
    pub fn with_tools_of(mut self, source: Arc<dyn ToolSource>) -> Self {
        self.tools = Some(source);
        self
    }
}

#[async_trait]
impl Agent for WorkerAgent {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let start = StartRun {
            id: run.id().as_str(),
            agent: &self.name,
            user_id: run.user_id().as_str(),
            session_id: run.session_id().as_str(),
            request: run.request(),
            earlier: run.earlier(),
            attempt: run.attempt(),
            http: run.http().map(|http| Http { headers: &http.headers, query: &http.query }),
        };
        let mut link = self.workers.start_run(&start).await?;
        follow(&run, self.tools.as_deref(), &mut link).await
    }

    fn recovery(&self) -> Recovery {
        self.recovery
    }
}

/// Writes to the log what the worker sends, until it ends the run.
async fn follow(run: &RunHandle, tools: Option<&dyn ToolSource>, link: &mut Link) -> Result<(), AgentError> {
    let (mut parts, mut frames) = (Parts::new(run), Vec::with_capacity(64));
    let (mut is_cancelled, mut written) = (false, 0);
    // A call may take as long as another run, so the others do not wait for it.
    let mut calls = FuturesUnordered::new();
    loop {
        let count = tokio::select! {
            biased;
            () = run.cancelled(), if !is_cancelled => {
                is_cancelled = true;
                link.cancel("canceled");
                continue;
            }
            Some(reply) = calls.next() => {
                link.reply(&reply);
                continue;
            }
            count = link.receive(&mut frames) => count,
        };
        if count == 0 {
            return Err(AgentError::interrupted(crashed()));
        }
        for frame in frames.drain(..) {
            match frame.kind {
                Kind::Done => {
                    return ended(run, &frame);
                }
                Kind::Call => {
                    let call = message::read(&frame).map_err(|error| broken(&error.to_string()))?;
                    calls.push(calls::answer(run, tools, call));
                }
                _ => parts.apply(&frame).map_err(|error| broken(&error))?,
            }
            link.took(frame.payload.len());
            written += frame.payload.len();
        }
        if written >= STRETCH {
            written = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// The end of a run, as the worker reports it.
fn ended(run: &RunHandle, frame: &Frame) -> Result<(), AgentError> {
    let done: Done = message::read(frame).map_err(|error| broken(&error.to_string()))?;
    match done.status {
        DoneStatus::Completed => Ok(()),
        DoneStatus::Canceled if run.is_cancelled() => Ok(()),
        DoneStatus::Canceled => Err(AgentError::message("the agent cancelled itself")),
        DoneStatus::Incomplete => Err(AgentError::incomplete(done.error.unwrap_or_default().message)),
        DoneStatus::Failed => Err(failure(run, done.error.unwrap_or_default())),
    }
}

/// The error of an agent. One without a code is for the server's log only.
fn failure(run: &RunHandle, error: RunError) -> AgentError {
    if error.code.is_none() && !error.traceback.is_empty() {
        tracing::error!(run.id = %run.id(), agent.name = run.agent_name(), "the agent failed\n{}", error.traceback.trim_end());
    }
    error.into_error().into()
}

/// The error of a worker that breaks the protocol.
fn broken(what: &str) -> AgentError {
    AgentError::message(format!("the worker broke the protocol: {what}"))
}
