//! Whatever an agent does, its stream is well-formed and agrees with the answer without a stream.

use std::sync::Arc;

use agent_runner::{Agent, AgentError, RunHandle, agent_fn};
use agent_schemas::{Error, MessageType, Role, object};
use agent_tests::responses::{check, check_resumed, parse};
use agent_tests::rounds;
use axum::http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use tokio::runtime::Builder;

use super::app::{Aging, LOG_TIME};
use super::trimmed::check_trimmed;

/// Something that an agent does. Messages may stay open while others are written.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Texts { kind: u8, texts: Vec<Vec<String>>, stays_open: bool },
    Call { own: bool, chunks: Vec<String>, stays_open: bool },
    Output(String),
    Mcp { arguments: String, output: Option<String> },
    Picture(String),
    Emit { kind: u8, text: String },
    Yield,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z \u{2028}\"\\\\é]{0,6}", Just(String::new())]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, vec(vec(text(), 0..4), 0..3), any::<bool>())
            .prop_map(|(kind, texts, stays_open)| Step::Texts { kind, texts, stays_open }),
        (any::<bool>(), vec(text(), 0..4), any::<bool>()).prop_map(|(own, chunks, stays_open)| Step::Call {
            own,
            chunks,
            stays_open
        }),
        text().prop_map(Step::Output),
        (text(), proptest::option::of(text()))
            .prop_map(|(arguments, output)| Step::Mcp { arguments, output }),
        text().prop_map(Step::Picture),
        (0..6_u8, text()).prop_map(|(kind, text)| Step::Emit { kind, text }),
        Just(Step::Yield),
    ]
}

async fn act(run: &RunHandle, number: usize, step: &Step, open: &mut Vec<Box<dyn std::any::Any + Send>>) {
    let call_id = format!("call_{number}");
    match step {
        Step::Texts { kind, texts, stays_open } => {
            let message = if *kind == 1 { run.reasoning() } else { run.message() };
            for chunks in texts {
                let mut text = if *kind == 2 { message.refusal() } else { message.text() };
                chunks.iter().for_each(|chunk| text.delta(chunk));
                if *stays_open {
                    open.push(Box::new(text));
                } else {
                    text.complete();
                }
            }
            if *stays_open {
                open.push(Box::new(message));
            } else {
                message.complete();
            }
        }
        Step::Call { own, chunks, stays_open } => {
            let mut call =
                if *own { run.tool_call(call_id, "f") } else { run.client_tool_call(call_id, "f") };
            chunks.iter().for_each(|chunk| call.arguments_delta(chunk));
            if *stays_open {
                open.push(Box::new(call));
            } else {
                call.complete(chunks.concat());
            }
        }
        Step::Output(output) => run.tool_output(format!("call_{}", number / 2), "f", output),
        Step::Mcp { arguments, output } => {
            let call = run.open(MessageType::McpCall, Role::Assistant);
            call.put_data(object! {
                "call_id" => call_id.as_str(), "name" => "f", "server_label" => "s", "arguments" => arguments.as_str()
            });
            call.complete();
            if let Some(output) = output {
                let answer = run.open(MessageType::McpCallOutput, Role::Tool);
                answer.put_data(object! { "call_id" => call_id.as_str(), "output" => output.as_str() });
                answer.complete();
            }
        }
        Step::Picture(data) => {
            let mut message = agent_schemas::Message::new("", MessageType::Message);
            message.status = agent_schemas::Status::Completed;
            message.role = Some(Role::Assistant);
            let data = format!("data:image/png;base64,{data}");
            message.content =
                Some(vec![agent_schemas::Content::image(data), agent_schemas::Content::text("x")]);
            run.emit(message);
        }
        Step::Emit { kind, text } => {
            let kinds = [
                "error",
                "heartbeat",
                "mcp_approval_request",
                "component_call",
                "a2ui_response",
                "unheard_of",
            ];
            let message = run.open(MessageType::from(kinds[usize::from(*kind)]), Role::Assistant);
            message.put_data(object! {
                "id" => text.as_str(), "name" => "n", "arguments" => "{}", "server_label" => "s"
            });
            message.complete();
        }
        Step::Yield => tokio::task::yield_now().await,
    }
}

/// An agent that does all this, and then returns or fails.
pub(crate) fn script(steps: Vec<Step>, fails: bool) -> impl Agent {
    let steps = Arc::new(steps);
    agent_fn(move |run: RunHandle| {
        let steps = Arc::clone(&steps);
        async move {
            let mut open = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                act(&run, number, step, &mut open).await;
            }
            if fails { Err(AgentError::from(Error::Agent { message: "it broke".into() })) } else { Ok(()) }
        }
    })
}

/// A response without its ids and times.
fn gist(response: &Value) -> Value {
    fn without_ids(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members
                    .iter()
                    .filter(|(key, _)| !matches!(key.as_str(), "id" | "created_at" | "completed_at"));
                Value::Object(kept.map(|(key, value)| (key.clone(), without_ids(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(without_ids).collect()),
            other => other.clone(),
        }
    }
    without_ids(response)
}

async fn check_script(steps: Vec<Step>, fails: bool, cut: usize) -> Result<(), String> {
    let aging = Aging::new(script(steps, fails));
    let client = aging.client();
    // Some calls are the agent's own, and some the client's.
    let tools = if cut.is_multiple_of(2) { "[]" } else { r#"[{"type":"function","name":"f"}]"# };
    let stream = client.stream(&format!(r#"{{"input":"hi","stream":true,"tools":{tools}}}"#)).await;
    if stream.contains("function_call_output") || (tools == "[]" && stream.contains("\"function_call\"")) {
        return Err("the client sees a call that it cannot answer".to_owned());
    }
    let response = check(&stream)?;
    let whole = client.create(&format!(r#"{{"input":"hi","tools":{tools}}}"#)).await;
    if gist(&whole) != gist(&response) {
        return Err(format!("without a stream it is {whole}, with one {response}"));
    }
    let id = response["id"].as_str().unwrap_or_default();
    let (_, kept) = client.json(Method::GET, &format!("/v1/responses/{id}"), "").await;
    if kept != response {
        return Err(format!("asked for later it is {kept}, and was {response}"));
    }
    // Cut anywhere, and resumed.
    let events = parse(&stream)?;
    let had = &events[..1 + cut % events.len()];
    let path = format!("/v1/responses/{id}?stream=true&starting_after={}", had.len() - 1);
    let (_, rest) = client.call(Method::GET, &path, "").await;
    check_resumed(had, &parse(&rest)?)?;
    aging.age(LOG_TIME).await;
    let (_, kept) = client.json(Method::GET, &format!("/v1/responses/{id}"), "").await;
    check_trimmed(&kept, &response)
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(u32::try_from(rounds(64)).expect("few")) })]

    #[test]
    fn stream__any_script__is_well_formed(
        steps in vec(step(), 0..8),
        fails in any::<bool>(),
        cut in any::<usize>(),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let checked = runtime.block_on(check_script(steps, fails, cut));
        prop_assert!(checked.is_ok(), "{}", checked.unwrap_err());
    }
}
