//! What clients see of failures, and what is only in the server's log.

use std::io;

use agent_runner::tools::{Tool, ToolContext, ToolError, call_tool, tool_fn};
use agent_runner::{AgentError, RunHandle, RunOptions, Runner, StartError, agent_fn};
use agent_schemas::{AgentRequest, Error, Event, JsonObject, Status};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::spans::Lines;
use crate::support::{collect, final_response, runner, start};

const SECRET: &str = "postgres://admin:hunter2@db.internal";

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

fn leaking_tool() -> impl Tool {
    tool_fn("leak", "fails", |_: ToolContext, _: Nothing| async {
        Err::<(), ToolError>(io::Error::other(SECRET).into())
    })
}

async fn fail(kind: String, run: RunHandle) -> Result<(), AgentError> {
    match kind.as_str() {
        "panic" => panic!("{SECRET}"),
        "foreign" => Err(io::Error::other(SECRET))?,
        "message" => return Err(AgentError::message(SECRET)),
        "unknown" => Err(Error::unknown("ValueError", SECRET))?,
        "store" => {
            let kind = agent_services::ErrorKind::Unexpected;
            Err(agent_services::Error::new(kind, "read", "failed").with_source(io::Error::other(SECRET)))?;
        }
        "tool" => drop(call_tool(&run, &leaking_tool(), JsonObject::new()).await?),
        _ => {}
    }
    Ok(())
}

#[tokio::test]
async fn unexpected_failure__whatever_its_cause__shows_its_code_and_run_alone() {
    let (lines, _guard) = Lines::listen();
    let runner =
        runner(agent_fn(|run: RunHandle| async move { fail(run.request().last_user_text(), run).await }));
    for kind in ["panic", "foreign", "message", "unknown", "store", "tool"] {
        let run = start(&runner, kind).await;
        let mut cursor = run.cursor(0);
        let mut events: Vec<Event> = Vec::new();
        while let Some(more) = cursor.next_events().await {
            events.extend(more.expect("readable"));
        }
        assert_eq!(cursor.end().and_then(|end| end.http_status), Some(500), "{kind}");
        let error = final_response(&events).error.clone().expect("an error");
        assert_eq!(error.code, "AGENT_UNKNOWN_ERROR", "{kind}");
        assert!(error.message.contains(run.id().as_str()), "{kind}: {}", error.message);
        let shown = serde_json::to_string(&events).expect("JSON");
        assert!(!shown.contains("hunter2"), "{kind}: {shown}");
        let logged = lines.containing(run.id().as_str());
        assert!(logged.iter().any(|line| line.contains(SECRET)), "{kind}: {logged:?}");
    }
}

#[tokio::test]
async fn tool_error__made_of_a_foreign_one__has_no_text_of_it() {
    let runner = runner(agent_fn(|run: RunHandle| async move {
        let _ = call_tool(&run, &leaking_tool(), JsonObject::new()).await;
        Ok(())
    }));
    let events = collect(start(&runner, "").await.cursor(0)).await;
    assert_eq!(final_response(&events).status, Status::Completed);
    let shown = serde_json::to_string(&events).expect("JSON");
    assert!(shown.contains("the tool failed unexpectedly") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn agent_error__store_unavailable__is_503() {
    let runner = runner(agent_fn(|_| async {
        Err(agent_services::Error::new(agent_services::ErrorKind::Unavailable, "read", SECRET))?;
        Ok(())
    }));
    let events = collect(start(&runner, "").await.cursor(0)).await;
    let error = final_response(&events).error.clone().expect("an error");
    assert_eq!(error, Error::StoreUnavailable {}.to_body());
    assert_eq!(agent_schemas::error::http_status_of_code(&error.code), Some(503));
}

fn named(name: &'static str) -> impl agent_runner::Agent {
    agent_fn(move |run: RunHandle| async move {
        run.say(name);
        Ok(())
    })
}

async fn answered_by(runner: &Runner, model: Option<&str>) -> Result<String, StartError> {
    let mut request = AgentRequest::new(Vec::new());
    request.model = model.map(str::to_owned);
    let run = runner.start(request, RunOptions::default()).await?;
    Ok(run.agent_name().to_owned())
}

#[tokio::test]
async fn model__unknown_name__reaches_the_only_agent_or_the_default_one() {
    let one = Runner::builder().agent("a", named("a")).build().expect("built");
    let several = || Runner::builder().agent("a", named("a")).agent("b", named("b"));
    let models = several().models("b", ["m".to_owned()]).build().expect("built");
    let default = several().default_agent("b").build().expect("built");
    for (runner, model, expected) in [
        (&one, Some("other"), Some("a")),
        (&models, None, Some("a")),
        (&models, Some(""), Some("a")),
        (&models, Some("b"), Some("b")),
        (&models, Some("m"), Some("b")),
        (&models, Some("other"), None),
        (&default, None, Some("b")),
        (&default, Some("a"), Some("a")),
        (&default, Some("other"), Some("b")),
    ] {
        let answered = answered_by(runner, model).await;
        match (answered, expected) {
            (Ok(name), Some(expected)) => assert_eq!(name, expected, "{model:?}"),
            (Err(StartError::UnknownAgent { name, known }), None) => {
                assert_eq!((name.as_str(), known.as_str()), ("other", "a, b"));
            }
            (other, expected) => panic!("{model:?}: {other:?} instead of {expected:?}"),
        }
    }
    assert!(several().default_agent("c").build().is_err());
}
