//! Collects complete runs.

use agent_schemas::{AgentRequest, AgentResponse, Event, FunctionCall, Message, MessageType, RunId, Status};

use crate::{Agent, Run, Runner};

/// The output of one run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CollectedRun {
    /// The run's id.
    pub id: RunId,
    /// The log, from its first event to its last.
    pub events: Vec<Event>,
    /// The final response: the log's last event.
    pub response: AgentResponse,
}

/// Runs an agent for one request, with services in memory, and collects its output.
///
/// ```
/// use agent_runner::testing::collect;
/// use agent_runner::{RunHandle, agent_fn};
/// use agent_schemas::{AgentRequest, Message, Status};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let parrot = agent_fn(|run: RunHandle| async move {
///     run.say(&run.request().last_user_text());
///     Ok(())
/// });
/// let run = collect(parrot, AgentRequest::new(vec![Message::user("hi")])).await;
/// assert_eq!(run.text(), "hi");
/// assert_eq!(*run.status(), Status::Completed);
/// # }
/// ```
///
/// # Panics
/// If the run does not start or its log cannot be read.
pub async fn collect(agent: impl Agent, request: AgentRequest) -> CollectedRun {
    let runner = Runner::builder().agent("agent", agent).build().expect("one agent makes a runner");
    collect_from(&runner, request).await
}

/// The same with a runner, for tests of several turns, or with other services or limits.
///
/// # Panics
/// If the run does not start or its log cannot be read.
pub async fn collect_from(runner: &Runner, request: AgentRequest) -> CollectedRun {
    let run = runner.start(request, Default::default()).await.expect("the run starts");
    CollectedRun::read(&run).await
}

/// One short line per event, for readable comparisons: the kind, the text, `+` for a delta, and the status.
pub fn outline(events: &[Event]) -> Vec<String> {
    events.iter().map(line).collect()
}

impl CollectedRun {
    /// Reads a run to its end.
    ///
    /// # Panics
    /// If its log cannot be read to its end.
    pub async fn read(run: &Run) -> Self {
        let (mut cursor, mut events) = (run.cursor(0), Vec::new());
        while let Some(more) = cursor.next_events().await {
            events.extend(more.expect("the log is readable"));
        }
        let Some(Event::Response(response)) = events.last() else { panic!("the log has no end") };
        CollectedRun { id: run.id().clone(), response: response.clone(), events }
    }

    /// How the run ended.
    pub fn status(&self) -> &Status {
        &self.response.status
    }

    /// The code and the text of the error, if the run failed.
    pub fn error(&self) -> Option<(&str, &str)> {
        self.response.error.as_ref().map(|error| (error.code.as_str(), error.message.as_str()))
    }

    /// The texts of the answer's messages, one per line, without reasoning.
    pub fn text(&self) -> String {
        self.texts_of(&MessageType::Message)
    }

    /// The texts of the reasoning, one message per line.
    pub fn reasoning(&self) -> String {
        self.texts_of(&MessageType::Reasoning)
    }

    /// The tool calls, of the agent's own tools and of the client's, in order.
    pub fn tool_calls(&self) -> Vec<FunctionCall> {
        let is_call =
            |message: &&Message| matches!(message.kind, MessageType::PluginCall | MessageType::FunctionCall);
        let calls = self.response.messages().iter().filter(is_call).flat_map(Message::contents);
        calls.filter_map(|content| FunctionCall::from_data(content.as_data()?).ok()).collect()
    }

    /// One short line per event; see [`outline`].
    pub fn outline(&self) -> Vec<String> {
        outline(&self.events)
    }

    fn texts_of(&self, kind: &MessageType) -> String {
        let messages = self.response.messages().iter().filter(|message| message.kind == *kind);
        messages.map(Message::full_text).collect::<Vec<_>>().join("\n")
    }
}

fn line(event: &Event) -> String {
    let status = event.status().map(Status::to_string).unwrap_or_default();
    match event {
        Event::Response(_) => format!("response {status}"),
        Event::Message(message) => format!("{} {status}", message.kind),
        Event::Content(content) => {
            let value = content
                .as_text()
                .map_or_else(|| content.body.type_name().to_owned(), |text| format!("'{text}'"));
            let delta = if content.delta == Some(true) { " +" } else { "" };
            format!("  {value}{delta} {status}")
        }
        _ => "other".to_owned(),
    }
}
