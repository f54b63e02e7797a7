//! Helpers of the tests.

use std::time::Duration;

use agent_runner::{Agent, Cursor, Run, RunOptions, Runner};
use agent_schemas::{AgentRequest, AgentResponse, Event, Message};

pub(crate) use agent_runner::testing::outline;

pub(crate) fn runner(agent: impl Agent) -> Runner {
    Runner::builder().agent("test", agent).build().expect("a runner with one agent")
}

/// Starts a run that is cancelled as soon as it has no reader.
pub(crate) async fn start(runner: &Runner, text: &str) -> Run {
    start_with(runner, text, RunOptions::default().with_cancel_after(Duration::ZERO)).await
}

pub(crate) async fn start_with(runner: &Runner, text: &str, options: RunOptions) -> Run {
    let request = AgentRequest::new(vec![Message::user(text)]);
    runner.start(request, options).await.expect("the run starts")
}

/// Reads a log from a cursor's position to its end.
pub(crate) async fn collect(mut cursor: Cursor) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(more) = cursor.next_events().await {
        events.extend(more.expect("the log is readable"));
    }
    events
}

/// The last event of a log.
pub(crate) fn final_response(events: &[Event]) -> &AgentResponse {
    match events.last() {
        Some(Event::Response(response)) => response,
        other => panic!("the log ends with {other:?}"),
    }
}

/// The whole log of one run.
pub(crate) async fn log_of(agent: impl Agent, text: &str) -> Vec<Event> {
    let runner = runner(agent);
    let run = start(&runner, text).await;
    collect(run.cursor(0)).await
}
