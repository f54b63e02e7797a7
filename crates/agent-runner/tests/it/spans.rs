//! Spans: log lines of different runs can be distinguished.

use std::fmt::{Debug, Write};
use std::sync::Arc;

use agent_runner::{RunHandle, agent_fn};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::support::{runner, start};

/// Records each log line of the tests, and each new span, after the spans that contain it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Listens to this thread, on which a test's tasks run.
    pub(crate) fn listen() -> (Lines, DefaultGuard) {
        let lines = Lines::default();
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
        (lines, guard)
    }

    pub(crate) fn containing(&self, text: &str) -> Vec<String> {
        self.0.lock().iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut shown = Shown(span.name().to_owned());
        attributes.record(&mut shown);
        span.extensions_mut().insert(shown);
        let line: Vec<String> = span.scope().from_root().filter_map(|span| shown_of(&span)).collect();
        self.0.lock().push(line.join(" > "));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut shown = Shown(String::new());
        event.record(&mut shown);
        let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let line: Vec<String> = scope.filter_map(|span| shown_of(&span)).chain([shown.0]).collect();
        self.0.lock().push(line.join(" > "));
    }
}

fn shown_of<'a, S: Subscriber + LookupSpan<'a>>(
    span: &tracing_subscriber::registry::SpanRef<'a, S>,
) -> Option<String> {
    span.extensions().get::<Shown>().map(|shown| shown.0.clone())
}

/// A name and its fields.
struct Shown(String);

impl Visit for Shown {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }
}

#[tokio::test]
async fn agent_log_line__is_in_the_run_span() {
    let (lines, _guard) = Lines::listen();
    let agent = agent_fn(|run: RunHandle| async move {
        for _ in 0..3 {
            tracing::info!(said = run.request().last_user_text(), "agent line");
            tokio::task::yield_now().await;
        }
        Ok(())
    });
    let runner = runner(agent);
    let (first, second) = (start(&runner, "one").await, start(&runner, "two").await);
    for run in [&first, &second] {
        run.response().await.expect("readable");
    }
    for (run, text) in [(&first, "one"), (&second, "two")] {
        let response = run.response().await.expect("readable");
        let session = response.session_id.expect("a session");
        let expected = format!(
            "run run.id={} session.id={session} agent.name=test >  message=agent line said={text}",
            run.id()
        );
        assert_eq!(lines.containing(&format!("said={text}")), vec![expected; 3]);
    }
}

#[tokio::test]
async fn run_span__has_the_starting_span_as_parent() {
    use tracing::Instrument;
    let (lines, _guard) = Lines::listen();
    let runner = runner(agent_fn(|_| async {
        tokio::task::yield_now().await;
        tracing::info!("agent line");
        Ok(())
    }));
    let run = start(&runner, "").instrument(tracing::info_span!("request")).await;
    run.response().await.expect("readable");
    tracing::info!("test line");
    let expected = format!("request > run run.id={} ", run.id());
    let agents = lines.containing("agent line");
    assert!(agents.len() == 1 && agents[0].starts_with(&expected), "{agents:?}");
    assert_eq!(lines.containing("test line"), [" message=test line"]);
    assert_eq!(lines.containing("run.id").len(), 2, "the span and the line in it");
}

#[cfg(feature = "chat")]
#[tokio::test]
async fn model_and_tool_calls__are_in_the_run_span() {
    use agent_runner::Runner;
    use agent_runner::agents::ChatConfig;
    use agent_runner::testing::{FakeModel, FakeReply, collect_from};
    use agent_runner::tools::Calculator;
    use agent_schemas::{AgentRequest, Message, object};
    let (lines, _guard) = Lines::listen();
    let call = FakeReply::tool_call("calculator", object! { "expression" => "1" });
    let model = FakeModel::new([call, FakeReply::text("1")]);
    let chat = model.chat(ChatConfig::new("m"), vec![Arc::new(Calculator)]).expect("good settings");
    let runner = Runner::builder().agent("chat", chat).build().expect("built");
    let run = collect_from(&runner, AgentRequest::new(vec![Message::user("hi")])).await;
    let run_span = &lines.containing(&format!("run run.id={}", run.id))[0];
    let in_run = |name: &str| format!("{run_span} > {name}");
    assert_eq!(lines.containing("model call"), vec![in_run("model call model.name=m"); 2]);
    assert_eq!(lines.containing("tool call"), [in_run("tool call tool.name=calculator")]);
}
