//! What a worker asks of the server.

use agent_runner::{PageSize, RunHandle};
use agent_schemas::{Json, JsonObject};

use crate::message::{Call, Reply};

/// How many messages of the history a worker gets unless it asks for another number.
const HISTORY: i64 = 100;

/// Answers a call.
pub(crate) async fn answer(run: &RunHandle, call: Call) -> Reply {
    let (result, error) = match result(run, &call.method, call.arguments).await {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    Reply { call: call.call, result, error }
}

async fn result(run: &RunHandle, method: &str, mut arguments: JsonObject) -> Result<Json, String> {
    match method {
        "history" => {
            let limit = arguments.get("limit").and_then(Json::as_i64).unwrap_or(HISTORY);
            let size =
                PageSize::new(usize::try_from(limit).unwrap_or(0)).map_err(|error| error.to_string())?;
            let messages = run.history(size).await.map_err(|error| error.to_string())?;
            Json::from_serialize(&messages).map_err(|error| error.to_string())
        }
        "load_state" => {
            let state = run.state().load_json().await.map_err(|error| error.to_string())?;
            Ok(state.unwrap_or(Json::Null))
        }
        "save_state" => {
            let state = arguments.swap_remove("state").unwrap_or(Json::Null);
            run.state().save_json(&state).await.map_err(|error| error.to_string())?;
            Ok(Json::Null)
        }
        unknown => Err(format!("there is no method '{unknown}'")),
    }
}
