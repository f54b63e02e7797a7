//! Maps a request for a completion to a run.

use std::collections::HashSet;
use std::time::Duration;

use agent_schemas::id::IdSource;
use agent_schemas::openai::chat::{ChatCompletionRequest, ResponseFormat};
use agent_schemas::{
    AgentRequest, Json, JsonObject, Message, RequestTool, RunOptions, Step, ValidationError,
};

use super::functions;
use agent_server::protocol::ApiError;
use agent_server::protocol::{ErrorInfo, RunSpec};

/// The member of the request, and of its metadata, that names a session.
const SESSION_ID: &str = "session_id";

/// The result of mapping a request.
#[derive(Debug)]
pub(super) struct CompletionSpec {
    pub(super) spec: RunSpec,
    /// Whether the response is streamed in chunks.
    pub(super) is_stream: bool,
    /// Whether a stream ends with its usage.
    pub(super) wants_usage: bool,
    /// Whether the client declares functions instead of tools.
    pub(super) uses_functions: bool,
}

/// Reads and checks a request; `options` are the defaults.
///
/// Members that only agents interpret (`tool_choice`, `response_format`, `reasoning_effort`, …) are passed on
/// unchanged, but apart from the native members: those may have the same names and other meanings.
pub(super) fn read(mut body: JsonObject, mut options: RunOptions) -> Result<CompletionSpec, ApiError> {
    let uses_functions = functions::replace(&mut body)?;
    let kept = kept_as_it_came(&body);
    let request = ChatCompletionRequest::from_json(Json::Object(body))?;
    check(&request)?;
    let is_stream = request.stream.unwrap_or_default();
    let wants_usage = request.stream_options.as_ref().and_then(|options| options.include_usage);
    let session_id = session_of(&request);
    if session_id.is_none() {
        check_answers(&request.messages)?;
    }
    let mut agent = AgentRequest::new(messages(request.messages)?);
    agent.stream = is_stream;
    agent.model = request.model;
    agent.temperature = request.temperature;
    agent.top_p = request.top_p;
    agent.frequency_penalty = request.frequency_penalty;
    agent.presence_penalty = request.presence_penalty;
    agent.max_tokens = request.max_completion_tokens.or(request.max_tokens);
    agent.stop = request.stop;
    agent.seed = request.seed;
    agent.tools = request.tools;
    agent.user_id = request.user;
    let mut foreign = request.extra;
    read_options(&mut options, &mut foreign)?;
    options.keep_history = session_id.is_some();
    foreign.extend(kept);
    agent.foreign = Some(foreign).filter(|members| !members.is_empty());
    agent.session_id = session_id;
    let spec = RunSpec::new(agent, options);
    Ok(CompletionSpec { spec, is_stream, wants_usage: wants_usage.unwrap_or_default(), uses_functions })
}

/// Reads the options of a completion. The client always waits for it, so `background` is not one of them.
fn read_options(options: &mut RunOptions, members: &mut JsonObject) -> Result<(), ApiError> {
    let background = members.shift_remove("background");
    // `cancel` means at once here, because a completion cannot be resumed.
    if members.get("on_disconnect").and_then(Json::as_str) == Some("cancel") {
        options.disconnect_grace = Duration::ZERO;
    }
    options.read_from(members)?;
    options.background = false;
    members.extend(background.map(|value| ("background".to_owned(), value)));
    Ok(())
}

fn kept_as_it_came(body: &JsonObject) -> JsonObject {
    const KEPT: [&str; 4] = ["tool_choice", "parallel_tool_calls", "response_format", "metadata"];
    let kept = KEPT.iter().filter_map(|key| Some(((*key).to_owned(), body.get(*key)?.clone())));
    kept.filter(|(_, value)| !value.is_null()).collect()
}

/// The session that the request names. Without one, the client keeps the conversation.
fn session_of(request: &ChatCompletionRequest) -> Option<String> {
    let given = |id: &str| (!id.is_empty()).then(|| id.to_owned());
    if let Some(id) = &request.session_id {
        return given(id);
    }
    request.metadata.as_ref().and_then(|metadata| metadata.get(SESSION_ID)).and_then(|id| given(id))
}

/// Rejects options whose result would differ from what the client expects.
fn check(request: &ChatCompletionRequest) -> Result<(), ApiError> {
    if request.messages.is_empty() {
        return Err(refused("messages", "expected at least one message"));
    }
    if request.n.is_some_and(|n| n != 1) {
        return Err(refused("n", "only one choice is supported; omit n, or set it to 1"));
    }
    if request.logprobs == Some(true) {
        return Err(refused("logprobs", "log probabilities are not supported"));
    }
    if request.modalities.iter().flatten().any(|form| form != "text") {
        return Err(refused("modalities", "only text output is supported; omit modalities"));
    }
    if request.stream_options.is_some() && request.stream != Some(true) {
        return Err(refused("stream_options", "stream_options requires stream: true"));
    }
    for (index, tool) in request.tools.iter().flatten().enumerate() {
        check_tool(index, tool)?;
    }
    if let Some(choice) = &request.tool_choice {
        check_choice(choice)?;
    }
    if let Some(format) = request.response_format.as_ref().filter(|format| !format.is_null()) {
        check_format(format)?;
    }
    Ok(())
}

/// Rejects outputs of calls that are not in the conversation, because agents could not use them.
fn check_answers(messages: &[Json]) -> Result<(), ApiError> {
    let mut called: HashSet<&str> = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        let calls = message.get("tool_calls").and_then(Json::as_array).unwrap_or_default();
        called.extend(calls.iter().filter_map(|call| call.get("id")?.as_str()));
        let answered = message.get("tool_call_id").and_then(Json::as_str);
        let is_answer = message.get("role").and_then(Json::as_str) == Some("tool");
        if let Some(id) = answered.filter(|id| is_answer && !called.contains(id)) {
            let place = format!("messages[{index}].tool_call_id");
            let message = format!("no earlier message has a call '{id}' in its tool_calls");
            return Err(refused(place, message));
        }
    }
    Ok(())
}

fn check_tool(index: usize, tool: &RequestTool) -> Result<(), ApiError> {
    let kind = match tool {
        RequestTool::Other(members) => members.get("type").and_then(Json::as_str).unwrap_or_default(),
        _ => "function",
    };
    if kind != "function" {
        let place = format!("tools[{index}].type");
        return Err(refused(place, "only tools of type 'function' are supported"));
    }
    if tool.function().is_none_or(|(name, _, _)| name.is_empty()) {
        return Err(refused(format!("tools[{index}].function.name"), "a function needs a name"));
    }
    let RequestTool::Other(members) = tool else { return Ok(()) };
    let member = |key| members.get("function")?.get(key).filter(|value| !value.is_null());
    let faults = [
        ("description", "a string", member("description").is_some_and(|value| value.as_str().is_none())),
        (
            "parameters",
            "a JSON Schema",
            member("parameters").is_some_and(|value| value.as_object().is_none()),
        ),
        ("strict", "true or false", member("strict").is_some_and(|value| !matches!(value, Json::Bool(_)))),
    ];
    match faults.into_iter().find(|(_, _, is_there)| *is_there) {
        None => Ok(()),
        Some((key, expected, _)) => {
            Err(refused(format!("tools[{index}].function.{key}"), format!("expected {expected}")))
        }
    }
}

fn check_choice(choice: &Json) -> Result<(), ApiError> {
    const EXPECTED: &str =
        "expected 'none', 'auto', 'required', or {\"type\": \"function\", \"function\": {\"name\": …}}";
    let named = || choice.get("function")?.get("name")?.as_str();
    match choice {
        Json::Null => Ok(()),
        Json::String(mode) if ["none", "auto", "required"].contains(&mode.as_str()) => Ok(()),
        Json::Object(_)
            if choice.get("type").and_then(Json::as_str) == Some("function") && named().is_some() =>
        {
            Ok(())
        }
        _ => Err(refused("tool_choice", EXPECTED)),
    }
}

fn check_format(format: &Json) -> Result<(), ApiError> {
    if format.get("type").is_none() {
        return Err(refused("response_format.type", "expected 'text', 'json_object' or 'json_schema'"));
    }
    let strict = format.get("json_schema").and_then(|schema| schema.get("strict"));
    if strict.is_some_and(|strict| !matches!(strict, Json::Null | Json::Bool(_))) {
        return Err(refused("response_format.json_schema.strict", "expected true or false"));
    }
    let checked: Result<ResponseFormat, _> = serde_json::from_str(&format.to_string());
    checked.map(|_| ()).map_err(|fault| refused("response_format", fault.to_string()))
}

fn messages(messages: Vec<Json>) -> Result<Vec<Message>, ApiError> {
    let mut read = Vec::with_capacity(messages.len());
    for (index, message) in messages.into_iter().enumerate() {
        read.extend(read_message(message).map_err(|fault| at_message(fault, index))?);
    }
    Ok(read)
}

/// Without ids, which the runner assigns.
fn read_message(mut message: Json) -> Result<Vec<Message>, ValidationError> {
    if let Json::Object(members) = &mut message {
        // A `type` would make it a native message, which is not valid here.
        members.shift_remove("type");
    }
    let mut messages = Message::from_openai_message(&message, &NoIds)?;
    messages.iter_mut().for_each(|message| message.id.clear());
    Ok(messages)
}

fn at_message(mut fault: ValidationError, index: usize) -> ApiError {
    fault.location.splice(0..0, [Step::Key("messages".to_owned()), Step::Index(index)]);
    fault.into()
}

fn refused(parameter: impl Into<String>, message: impl Into<String>) -> ApiError {
    ErrorInfo::at_parameter(parameter, message).into()
}

/// A source of ids that is never used.
#[derive(Debug)]
struct NoIds;

impl IdSource for NoIds {
    fn uuid(&self) -> String {
        String::new()
    }

    fn random(&self) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests;
