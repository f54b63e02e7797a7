//! Spans: log lines of different requests can be distinguished, whatever their protocol.

use std::fmt::Debug;
use std::sync::Arc;

use agent_protocol_openai::OpenAi;
use agent_runner::{AgentError, RunHandle, agent_fn};
use agent_server::AgentApp;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use parking_lot::Mutex;
use tower::ServiceExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// The spans around each line that the agent logged: their names and ids.
#[derive(Clone, Debug, Default)]
struct Scopes(Arc<Mutex<Vec<Vec<String>>>>);

/// A span's name with its ids.
struct Named(String);

impl Visit for Named {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), "request.id" | "run.id") {
            self.0.push_str(&format!(" {value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Scopes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut named = Named(span.name().to_owned());
        attributes.record(&mut named);
        span.extensions_mut().insert(named);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().name() == "agent line" {
            let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
            let names =
                scope.filter_map(|span| span.extensions().get::<Named>().map(|named| named.0.clone()));
            self.0.lock().push(names.collect());
        }
    }
}

#[tokio::test]
async fn agent_log_line__is_in_request_and_run_spans() {
    let scopes = Scopes::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(scopes.clone()));
    let agent = agent_fn(|_: RunHandle| async move {
        tokio::task::yield_now().await;
        tracing::info!(name: "agent line", "at work");
        Ok::<_, AgentError>(())
    });
    let router =
        AgentApp::builder("test").agent("logging", agent).protocol(OpenAi).build().expect("built").router();
    let requests = [
        ("/process", r#"{"input":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#),
        ("/v1/responses", r#"{"input":"hi"}"#),
        ("/v1/chat/completions", r#"{"messages":[{"role":"user","content":"hi"}],"stream":true}"#),
    ];
    for (number, (path, body)) in requests.into_iter().enumerate() {
        let request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        let request = request.header("x-request-id", format!("request-{number}"));
        let answer = router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await;
        let answer = answer.expect("routers answer");
        let run = answer.headers()["x-run-id"].to_str().expect("an id").to_owned();
        to_bytes(answer.into_body(), usize::MAX).await.expect("the answer ends well");
        let expected = [format!("http request request-{number}"), format!("run {run}")];
        assert_eq!(scopes.0.lock()[number], expected, "{path}");
    }
}
