//! Answers the calls that a worker makes for a run.

use std::fmt::Display;

use agent_runner::tools::{ToolSource, call_with_approval};
use agent_runner::{AgentError, ChildSpec, MemoryQuery, PageSize, Question, RunHandle, StepEffect};
use agent_schemas::{Error, Json, JsonObject, Message, object};
use serde::Serialize;

use crate::message::{Call, CallError, CallErrorKind, Reply, RunError};

/// How many messages of the history a worker gets unless it asks for another number.
const HISTORY: usize = 100;

/// How many memories a worker gets unless it asks for another number.
const MEMORIES: usize = 10;

/// Answers a call.
pub(crate) async fn answer(run: &RunHandle, tools: Option<&dyn ToolSource>, call: Call) -> Reply {
    let result = match call.method.as_str() {
        "tools" => Ok(listed(tools)),
        "call_tool" => call_tool(run, tools, &call.arguments).await,
        method => result(run, method, &call.arguments).await,
    };
    let (result, error) = match result {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    Reply { call: call.call, result, error }
}

async fn result(run: &RunHandle, method: &str, arguments: &JsonObject) -> Result<Json, CallError> {
    match method {
        "history" => {
            let size = PageSize::new(number(arguments, "limit", HISTORY)).map_err(text)?;
            json(&run.history(size).await.map_err(text)?)
        }
        "steered" => json(&run.steered().await.map_err(text)?),
        "load_state" => Ok(run.state().load_json().await.map_err(text)?.unwrap_or(Json::Null)),
        "save_state" => {
            let state = arguments.get("state").unwrap_or(&Json::Null);
            run.state().save_json(state).await.map_err(text)?;
            Ok(Json::Null)
        }
        "remember" => json(&run.memory().add(messages(arguments, "messages")?).await.map_err(text)?),
        "recall" => {
            let mut query = MemoryQuery::new(string(arguments, "text")?);
            query.top_k = number(arguments, "limit", MEMORIES);
            let recalled = run.memory().query(&query).await.map_err(text)?;
            json(&recalled.into_iter().map(|recalled| recalled.memory.message).collect::<Vec<_>>())
        }
        "child" => {
            let spec = ChildSpec::with_input(string(arguments, "agent")?, messages(arguments, "input")?);
            let child = run.start_child(spec).await.map_err(text)?;
            json(&child.response().await.map_err(text)?)
        }
        "begin_step" => {
            let done = run.steps().begin(string(arguments, "key")?, effect(arguments)?).await;
            Ok(done.map_err(of_agent)?.map_or(Json::Null, |result| object! { "result" => result }.into()))
        }
        "end_step" => {
            let result = arguments.get("result").cloned().unwrap_or(Json::Null);
            run.steps().end(string(arguments, "key")?, result).await.map_err(of_agent)?;
            Ok(Json::Null)
        }
        "fail_step" => {
            let error = arguments.get("error").unwrap_or(&Json::Null).to_string();
            let error: RunError = serde_json::from_str(&error).map_err(text)?;
            let (key, effect) = (string(arguments, "key")?, effect(arguments)?);
            run.steps().fail(key, effect, &error.into_error()).await.map_err(of_agent)?;
            Ok(Json::Null)
        }
        "ask" => json(&run.ask(question(arguments)?).await.map_err(of_agent)?),
        unknown => Err(text(format_args!("there is no method '{unknown}'"))),
    }
}

/// The tools that the agent may call.
fn listed(tools: Option<&dyn ToolSource>) -> Json {
    let tools = tools.map(ToolSource::tools).unwrap_or_default();
    let tools = tools.iter().map(|offered| {
        let server = offered.mcp.as_ref().map(|mcp| &*mcp.server_label);
        Json::from(object! {
            "name" => offered.name(), "description" => offered.tool.description(),
            "parameters" => offered.tool.parameters(), "server" => server,
            "needs_approval" => offered.needs_approval,
        })
    });
    tools.collect::<Vec<Json>>().into()
}

async fn call_tool(
    run: &RunHandle,
    tools: Option<&dyn ToolSource>,
    arguments: &JsonObject,
) -> Result<Json, CallError> {
    let name = string(arguments, "name")?;
    let of_tool = |message: String| CallError { kind: CallErrorKind::Tool, ..text(message) };
    let tools = tools.map(ToolSource::tools).unwrap_or_default();
    let offered = tools.iter().find(|offered| offered.name() == name);
    let offered = offered.ok_or_else(|| of_tool(format!("there is no tool '{name}'")))?;
    let given = match arguments.get("arguments") {
        None | Some(Json::Null) => JsonObject::new(),
        Some(Json::Object(given)) => given.clone(),
        Some(_) => return Err(text("'arguments' should be an object")),
    };
    let called =
        call_with_approval(run, offered, string(arguments, "key")?, given).await.map_err(of_agent)?;
    called.map_err(|error| of_tool(error.to_string()))
}

fn json(value: &impl Serialize) -> Result<Json, CallError> {
    Json::from_serialize(value).map_err(text)
}

fn number(arguments: &JsonObject, name: &str, default: usize) -> usize {
    let given = arguments.get(name).and_then(Json::as_i64);
    given.map_or(default, |given| usize::try_from(given).unwrap_or(0))
}

fn string<'a>(arguments: &'a JsonObject, name: &str) -> Result<&'a str, CallError> {
    arguments.get(name).and_then(Json::as_str).ok_or_else(|| text(format_args!("'{name}' should be a text")))
}

fn effect(arguments: &JsonObject) -> Result<StepEffect, CallError> {
    match arguments.get("effect").and_then(Json::as_str) {
        None | Some("idempotent") => Ok(StepEffect::Idempotent),
        Some("pure") => Ok(StepEffect::Pure),
        Some("once") => Ok(StepEffect::Once),
        Some(unknown) => {
            Err(text(format_args!("'effect' should be pure, idempotent or once, not '{unknown}'")))
        }
    }
}

fn question(arguments: &JsonObject) -> Result<Question, CallError> {
    let question = Question::new(string(arguments, "key")?, string(arguments, "text")?);
    Ok(match arguments.get("tool").and_then(Json::as_str) {
        None => question,
        Some(tool) => {
            let arguments = arguments.get("arguments").cloned();
            question.for_approval(tool, arguments.unwrap_or_else(|| JsonObject::new().into()))
        }
    })
}

fn messages(arguments: &JsonObject, name: &str) -> Result<Vec<Message>, CallError> {
    let list = arguments.get(name).unwrap_or(&Json::Null).to_string();
    Message::list_from_slice(list.as_bytes()).map_err(|error| text(format_args!("'{name}': {error}")))
}

/// An error that has nothing but a text.
fn text(error: impl Display) -> CallError {
    CallError { message: error.to_string(), kind: CallErrorKind::Failed, code: None, status: None }
}

fn of_agent(error: AgentError) -> CallError {
    let kind = if error.is_waiting() {
        CallErrorKind::Waiting
    } else if matches!(error.as_error(), Error::RunInterrupted { .. }) {
        CallErrorKind::CutOff
    } else {
        CallErrorKind::Failed
    };
    match error.into_inner() {
        Error::UnknownAgent { message, .. } => CallError { kind, ..text(message) },
        Error::RunInterrupted { reason } => CallError { kind, ..text(reason) },
        error => {
            let (code, status) = (Some(error.code().to_owned()), Some(error.http_status()));
            CallError { kind, code, status, ..text(error) }
        }
    }
}
