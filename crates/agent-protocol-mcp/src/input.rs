//! What a server asks a client for in a result (2026-07-28, basic/patterns/mrtr).

use agent_runner::QuestionInput;
use agent_schemas::{Json, JsonObject, object};

use crate::rpc::RpcError;

/// A result that asks for more. The client repeats its request with the answers and the state.
pub(crate) fn required(requests: JsonObject, state: Option<&str>) -> JsonObject {
    let mut result = object! { "resultType" => "input_required", "inputRequests" => requests };
    if let Some(state) = state {
        result.insert("requestState".to_owned(), state.into());
    }
    result
}

/// A request that asks the user to fill in a form with these properties, all or some of which are required.
pub(crate) fn form_request(message: &str, properties: JsonObject, required: Vec<Json>) -> JsonObject {
    let schema = object! { "type" => "object", "properties" => properties, "required" => required };
    let form = QuestionInput::form(message, schema);
    object! { "method" => form.method, "params" => form.params }
}

/// The answers in a request.
pub(crate) fn responses(params: &JsonObject) -> Result<JsonObject, RpcError> {
    match params.get("inputResponses") {
        None => Ok(JsonObject::new()),
        Some(Json::Object(responses)) => Ok(responses.clone()),
        Some(_) => Err(RpcError::invalid_params("inputResponses should be an object")),
    }
}

/// The values of a form that was accepted; empty without one.
pub(crate) fn form(params: &JsonObject, key: &str) -> Result<JsonObject, RpcError> {
    let responses = responses(params)?;
    let Some(response) = responses.get(key).and_then(Json::as_object) else { return Ok(JsonObject::new()) };
    match response.get("action").and_then(Json::as_str) {
        Some("accept") => Ok(response.get("content").and_then(Json::as_object).cloned().unwrap_or_default()),
        Some("decline" | "cancel") => Err(RpcError::invalid_params("the user has declined to answer")),
        _ => Ok(JsonObject::new()),
    }
}

/// Whether a client's answer to a request has the form that its method prescribes.
pub(crate) fn is_answer(method: &str, answer: &Json) -> bool {
    let Some(answer) = answer.as_object() else { return false };
    match method {
        "elicitation/create" => match answer.get("action").and_then(Json::as_str) {
            Some("accept") => answer.get("content").is_none_or(|content| content.as_object().is_some()),
            Some("decline" | "cancel") => true,
            _ => false,
        },
        "sampling/createMessage" => answer.contains_key("role") && answer.contains_key("content"),
        "roots/list" => answer.get("roots").is_some_and(|roots| roots.as_array().is_some()),
        _ => true,
    }
}
