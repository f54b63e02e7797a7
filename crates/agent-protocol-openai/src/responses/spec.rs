//! Maps a request of the Responses API to a run.

use std::time::Duration;

use agent_runner::RunContext;
use agent_schemas::responses::ResponseSettings;
use agent_schemas::{AgentRequest, Json, JsonObject, RequestTool, RunOptions, SessionPolicy, Stop, object};
use axum::http::StatusCode;

use super::echoed::EchoedSettings;
use super::input;
use super::references::References;
use agent_server::protocol::{ErrorInfo, Fields, RunSpec};

/// Members of requests that are not settings: they are read here, or have no meaning.
const READ_HERE: [&str; 12] = [
    "input",
    "stream",
    "stream_options",
    "include",
    "max_tokens",
    "seed",
    "stop",
    "session_id",
    "user_id",
    "prompt",
    "type",
    "generate",
];

/// Reads the settings and rejects contradictory ones. If the client names no model, the model is the name of the agent
/// that answers.
pub(super) fn settings(body: &JsonObject, agent: &str) -> Result<ResponseSettings, ErrorInfo> {
    let mut settings = ResponseSettings::from_request(body)?;
    if settings.model.is_empty() {
        agent.clone_into(&mut settings.model);
    }
    let request = Fields::new(body);
    if settings.conversation.is_some() {
        if settings.conversation_id().is_none_or(str::is_empty) {
            return Err(request.fault("conversation", "expected the id of a conversation"));
        }
        if settings.previous_response_id.is_some() {
            return Err(request.fault(
                "previous_response_id",
                "previous_response_id and conversation both name a context to continue; send only one of them",
            ));
        }
    }
    if settings.background && !settings.store {
        return Err(request.fault("store", "a background response must be stored"));
    }
    if request.get("prompt").is_some() {
        let message = "stored prompts are not supported; send instructions and input instead";
        let error = ErrorInfo::new(StatusCode::BAD_REQUEST, "unsupported_parameter", message);
        return Err(error.with_parameter("prompt"));
    }
    Ok(settings)
}

/// The run for a request, and the settings that its response echoes. `options` are the defaults.
pub(super) fn spec(
    body: &JsonObject,
    settings: ResponseSettings,
    previous: Option<RunContext>,
    mut options: RunOptions,
    references: &References,
) -> Result<(RunSpec, EchoedSettings), ErrorInfo> {
    let request = Fields::new(body);
    let input = input::messages(&request, references)?;
    let echoed = EchoedSettings::new(&settings);
    options.protocol = Some(EchoedSettings::to_record(body));
    options.background = settings.background;
    if settings.store {
        // As long as the server allows.
        options.response_ttl = Duration::MAX;
    }
    let mut agent = AgentRequest::new(input);
    let settings = &settings;
    agent.model = named(&request, "model")?;
    agent.stream = request.optional_flag("stream")?.unwrap_or(false);
    let given = |key: &str, value: f64| request.get(key).map(|_| value);
    agent.temperature = given("temperature", settings.temperature);
    agent.top_p = given("top_p", settings.top_p);
    agent.presence_penalty = given("presence_penalty", settings.presence_penalty);
    agent.frequency_penalty = given("frequency_penalty", settings.frequency_penalty);
    agent.max_tokens =
        settings.max_output_tokens.or_else(|| request.get("max_tokens").and_then(Json::as_i64));
    agent.seed = request.get("seed").and_then(Json::as_i64);
    agent.stop = stop(&request);
    agent.tools = tools(&request, settings)?;
    let session = settings.conversation_id().map(str::to_owned);
    agent.session_id = session.or(named(&request, "session_id")?);
    let user = named(&request, "user_id")?;
    agent.user_id = match &agent.session_id {
        // A conversation is shared by all users who take part in it.
        Some(_) => user,
        None => user
            .or(settings.user.clone())
            .or(previous.as_ref().map(|previous| previous.previous().user_id.to_string())),
    };
    agent.foreign = Some(for_the_agent(body, settings)).filter(|members| !members.is_empty());
    // Responses outside of a conversation do not wait for each other: several may continue the same one. Their whole
    // context precedes the input of each.
    if agent.session_id.is_none() {
        options.session_policy = SessionPolicy::Concurrent;
        options.keep_history = false;
    }
    let mut spec = RunSpec::new(agent, options);
    spec.context = previous;
    spec.is_stream = spec.request.stream;
    Ok((spec, echoed))
}

fn named(request: &Fields<'_>, key: &str) -> Result<Option<String>, ErrorInfo> {
    Ok(request.optional_text(key)?.filter(|id| !id.is_empty()).map(str::to_owned))
}

fn stop(request: &Fields<'_>) -> Option<Stop> {
    match request.get("stop")? {
        Json::String(text) => Some(Stop::One(text.clone())),
        Json::Array(texts) => {
            let texts: Option<Vec<_>> = texts.iter().map(|text| text.as_str().map(str::to_owned)).collect();
            texts.map(Stop::Many)
        }
        _ => None,
    }
}

/// Function tools in the form that agents expect; others are unchanged, for agents that understand them.
fn tools(request: &Fields<'_>, settings: &ResponseSettings) -> Result<Option<Vec<RequestTool>>, ErrorInfo> {
    let allowed = allowed_tools(&settings.tool_choice);
    let mut tools = Vec::new();
    for (tool, place) in request.items("tools")? {
        let tool = Fields::of(tool, place)?;
        let kind = tool.text("type")?;
        if kind != "function" {
            if allowed.as_ref().is_some_and(|allowed| !is_allowed(&tool, kind, allowed)) {
                continue;
            }
            tools.push(RequestTool::Other(tool.members().clone()));
            continue;
        }
        let name = tool.text("name")?;
        if allowed.as_ref().is_some_and(|allowed| !is_allowed(&tool, kind, allowed)) {
            continue;
        }
        let parameters = match tool.get("parameters") {
            None => Json::from(object! { "type" => "object", "properties" => JsonObject::new() }),
            Some(parameters @ Json::Object(_)) => parameters.clone(),
            Some(_) => return Err(tool.fault("parameters", "expected a JSON Schema")),
        };
        let mut function = object! {
            "name" => name,
            "description" => tool.optional_text("description")?.unwrap_or_default(),
            "parameters" => parameters,
        };
        if let Some(strict) = tool.optional_flag("strict")? {
            function.insert("strict".to_owned(), strict.into());
        }
        tools.push(RequestTool::Other(object! { "type" => "function", "function" => function }));
    }
    Ok(Some(tools).filter(|tools| !tools.is_empty()))
}

/// The only tools that may be called, if the request restricts them.
fn allowed_tools(choice: &Json) -> Option<&[Json]> {
    if choice.get("type")?.as_str()? != "allowed_tools" {
        return None;
    }
    choice.get("tools")?.as_array()
}

/// Whether a tool is among those that may be called: by its name, or by its type if tools of that type have no name. A
/// namespace is among them if one of its tools is.
fn is_allowed(tool: &Fields<'_>, kind: &str, allowed: &[Json]) -> bool {
    let names_of = |tool: &JsonObject, kind: &str| {
        let name = tool.get("name").and_then(Json::as_str);
        allowed.iter().any(|allowed| {
            let text = |key: &str| allowed.get(key).and_then(Json::as_str);
            // The type may be omitted next to a name.
            text("type").is_none_or(|allowed| allowed == kind) && text("name") == name
        })
    };
    let inner = tool.get("tools").and_then(Json::as_array).unwrap_or_default();
    let is_inner = |tool: &Json| tool.as_object().is_some_and(|tool| names_of(tool, "function"));
    names_of(tool.members(), kind) || (kind == "namespace" && inner.iter().any(is_inner))
}

/// The members that only agents interpret: those that OpenAI does not have, unchanged, and settings under their names
/// in chat completions, so that agents see the same with both of OpenAI's protocols.
fn for_the_agent(body: &JsonObject, settings: &ResponseSettings) -> JsonObject {
    let is_other = |key: &str| !EchoedSettings::is_setting(key) && !READ_HERE.contains(&key);
    let others = body.iter().filter(|(key, value)| is_other(key) && !value.is_null());
    let mut foreign: JsonObject = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            foreign.insert(key.to_owned(), value);
        }
    };
    put("instructions", settings.instructions.as_deref().map(Json::from));
    put("tool_choice", tool_choice(&settings.tool_choice));
    put("parallel_tool_calls", (!settings.parallel_tool_calls).then(|| Json::from(false)));
    put("response_format", response_format(&settings.text));
    put("reasoning_effort", settings.reasoning.get("effort").filter(|effort| !effort.is_null()).cloned());
    put("verbosity", settings.text.get("verbosity").filter(|verbosity| !verbosity.is_null()).cloned());
    foreign
}

fn tool_choice(choice: &Json) -> Option<Json> {
    match (choice, choice.get("type").and_then(Json::as_str)) {
        (Json::String(mode), _) if mode == "auto" => None,
        (_, Some("function")) => {
            let function = object! { "name" => choice.get("name").cloned().unwrap_or_default() };
            Some(object! { "type" => "function", "function" => function }.into())
        }
        (_, Some("allowed_tools")) => {
            choice.get("mode").filter(|mode| mode.as_str() != Some("auto")).cloned()
        }
        _ => Some(choice.clone()),
    }
}

fn response_format(text: &JsonObject) -> Option<Json> {
    let format = text.get("format")?.as_object()?;
    match format.get("type")?.as_str()? {
        "text" => None,
        "json_schema" => {
            let mut schema = format.clone();
            schema.shift_remove("type");
            schema.retain(|_, value| !value.is_null());
            Some(object! { "type" => "json_schema", "json_schema" => schema }.into())
        }
        _ => Some(format.clone().into()),
    }
}
