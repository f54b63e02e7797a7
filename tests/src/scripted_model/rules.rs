//! The rules of strict model servers: each of them is one that a popular server enforces.

use serde_json::Value;

/// The members of a request that the server knows; the last two are vLLM's.
const MEMBERS: [&str; 20] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
    "verbosity",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "max_tokens",
    "seed",
    "stop",
    "n",
    "top_k",
    "chat_template_kwargs",
];

/// Checks a request, and says which rule it breaks.
pub(super) fn check(request: &Value) -> Result<(), String> {
    let members = request.as_object().ok_or("the request is not an object")?;
    if let Some(unknown) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        return Err(format!("'{unknown}' is not a parameter"));
    }
    let tools = request["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    tools.iter().try_for_each(tool)?;
    choice(&request["tool_choice"], tools)?;
    messages(request["messages"].as_array().ok_or("'messages' is not an array")?)
}

fn tool(tool: &Value) -> Result<(), String> {
    let (function, name) = (&tool["function"], tool["function"]["name"].as_str().unwrap_or_default());
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if tool["type"] != "function" || name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        return Err(format!("a tool is not a function with a name: {tool}"));
    }
    if function.get("parameters").is_some_and(|parameters| !parameters.is_object()) {
        return Err(format!("the parameters of '{name}' are not a schema"));
    }
    Ok(())
}

fn choice(choice: &Value, tools: &[Value]) -> Result<(), String> {
    let is_known = match choice {
        Value::Null => return Ok(()),
        Value::String(mode) => ["none", "auto", "required"].contains(&mode.as_str()),
        choice => {
            let name = &choice["function"]["name"];
            choice["type"] == "function" && tools.iter().any(|tool| &tool["function"]["name"] == name)
        }
    };
    if tools.is_empty() || !is_known { Err(format!("tool_choice is invalid: {choice}")) } else { Ok(()) }
}

fn messages(messages: &[Value]) -> Result<(), String> {
    // The ids of the last calls that have no output yet.
    let mut waiting: Vec<&str> = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let call = waiting.iter().position(|waiting| *waiting == id);
            waiting.remove(call.ok_or(format!("message {place} answers no call"))?);
        } else if !waiting.is_empty() {
            return Err(format!("calls without an output precede message {place}: {waiting:?}"));
        }
        match role {
            "system" if place > 0 => {
                return Err(format!("message {place} is a system message and not the first"));
            }
            "system" | "user" | "tool" => content(&message["content"], place)?,
            "assistant" => {
                waiting = calls(message, place)?;
                if waiting.is_empty() || !message["content"].is_null() {
                    content(&message["content"], place)?;
                }
            }
            _ => return Err(format!("message {place} has the role '{role}'")),
        }
    }
    if waiting.is_empty() { Ok(()) } else { Err(format!("calls have no output: {waiting:?}")) }
}

/// The ids of a message's calls.
fn calls(message: &Value, place: usize) -> Result<Vec<&str>, String> {
    let Some(calls) = message["tool_calls"].as_array() else { return Ok(Vec::new()) };
    let mut ids = Vec::new();
    for call in calls {
        let id = call["id"].as_str().unwrap_or_default();
        let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
        let is_object = serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object());
        if call["type"] != "function" || id.is_empty() || ids.contains(&id) || !is_object {
            return Err(format!("message {place} has an invalid call: {call}"));
        }
        ids.push(id);
    }
    if ids.is_empty() { Err(format!("message {place} has no calls in tool_calls")) } else { Ok(ids) }
}

fn content(content: &Value, place: usize) -> Result<(), String> {
    let is_known = |part: &Value| {
        let kind = part["type"].as_str().unwrap_or_default();
        // The last two are what a server that thinks in its content has sent itself.
        let member = if kind == "redacted_thinking" { "data" } else { kind };
        let kinds = ["text", "image_url", "input_audio", "file", "thinking", "redacted_thinking"];
        kinds.contains(&kind) && part.get(member).is_some()
    };
    match content {
        Value::String(_) => Ok(()),
        Value::Array(parts) if !parts.is_empty() && parts.iter().all(is_known) => Ok(()),
        _ => Err(format!("message {place} has an invalid content: {content}")),
    }
}
