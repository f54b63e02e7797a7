//! Answers the calls that a worker makes for a run.

use std::fmt::Display;

use agent_runner::{ChildSpec, MemoryQuery, PageSize, RunHandle};
use agent_schemas::{Json, JsonObject, Message};
use serde::Serialize;

use crate::message::{Call, Reply};

/// How many messages of the history a worker gets unless it asks for another number.
const HISTORY: usize = 100;

/// How many memories a worker gets unless it asks for another number.
const MEMORIES: usize = 10;

/// Answers a call.
pub(crate) async fn answer(run: &RunHandle, call: Call) -> Reply {
    let (result, error) = match result(run, &call.method, &call.arguments).await {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    Reply { call: call.call, result, error }
}

async fn result(run: &RunHandle, method: &str, arguments: &JsonObject) -> Result<Json, String> {
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
        unknown => Err(format!("there is no method '{unknown}'")),
    }
}

fn json(value: &impl Serialize) -> Result<Json, String> {
    Json::from_serialize(value).map_err(text)
}

fn number(arguments: &JsonObject, name: &str, default: usize) -> usize {
    let given = arguments.get(name).and_then(Json::as_i64);
    given.map_or(default, |given| usize::try_from(given).unwrap_or(0))
}

fn string<'a>(arguments: &'a JsonObject, name: &str) -> Result<&'a str, String> {
    arguments.get(name).and_then(Json::as_str).ok_or_else(|| format!("'{name}' should be a text"))
}

fn messages(arguments: &JsonObject, name: &str) -> Result<Vec<Message>, String> {
    let list = arguments.get(name).unwrap_or(&Json::Null).to_string();
    Message::list_from_slice(list.as_bytes()).map_err(|error| format!("'{name}': {error}"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}
