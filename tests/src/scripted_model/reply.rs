//! What the model answers.

use serde_json::{Map, Value, json};

use super::Reply;

/// The tools for shell commands of popular coding agents, with the parameter that has the command.
const SHELLS: [(&str, &str); 3] =
    [("exec_command", "cmd"), ("shell_command", "command"), ("shell", "command")];

/// The reply to a request that keeps the rules.
pub(super) fn to(request: &Value) -> Reply {
    let empty = Vec::new();
    let messages = request["messages"].as_array().unwrap_or(&empty);
    let tools = request["tools"].as_array().unwrap_or(&empty);
    let last = messages.last().unwrap_or(&Value::Null);
    let said = text(last);
    if let Some(kind) = said.strip_prefix("fail ") {
        return failure(kind);
    }
    if let Some(error) = script(&said, "refuse with ") {
        let status = error["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        return Reply::error(status.unwrap_or(500), error["error"].clone());
    }
    if let Some(frames) = script(&said, "write ") {
        let frames = frames.as_array().into_iter().flatten().filter_map(Value::as_str);
        return Reply::Frames(frames.map(str::to_owned).collect());
    }
    let script = script(&said, "say ");
    let (deltas, reason) = if let Some(script) = &script {
        let deltas = script["deltas"].as_array().cloned().unwrap_or_default();
        (deltas, script["finish_reason"].as_str().unwrap_or("stop"))
    } else if last["role"] == "tool" {
        let outputs: Vec<String> =
            messages.iter().rev().take_while(|message| message["role"] == "tool").map(text).collect();
        let outputs: Vec<&str> = outputs.iter().rev().map(String::as_str).collect();
        (words(&format!("The tools say: {}", outputs.join(", "))), "stop")
    } else if let Some(calls) = calls(&said, tools, &request["tool_choice"]) {
        (calls, "tool_calls")
    } else if said.contains("refuse") {
        (vec![json!({ "refusal": "I would rather not." })], "stop")
    } else if said.contains("long") {
        (words("Once upon a"), "length")
    } else if request["response_format"]["type"] == "json_object" {
        (words("{\"answer\": 42}"), "stop")
    } else if request["response_format"]["type"] == "json_schema" {
        (words(&value_of(&request["response_format"]["json_schema"]["schema"]).to_string()), "stop")
    } else {
        (words(&format!("You said: {said}")), "stop")
    };
    let choice = |delta: Value, reason: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] });
    let mut chunks: Vec<Value> = deltas.into_iter().map(|delta| choice(delta, Value::Null)).collect();
    chunks.push(choice(json!({}), reason.into()));
    let details = json!({ "cached_tokens": 1 });
    let usage = json!({
        "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": details
    });
    chunks.push(json!({ "choices": [], "usage": usage }));
    Reply::Frames(chunks.iter().map(Value::to_string).collect())
}

/// The JSON after this word.
fn script(said: &str, word: &str) -> Option<Value> {
    serde_json::from_str(said.strip_prefix(word)?).ok()
}

fn failure(kind: &str) -> Reply {
    if kind == "context" {
        let message = "This model's maximum context length is 10 tokens.";
        return Reply::error(400, json!({ "message": message, "code": "context_length_exceeded" }));
    }
    let status = kind.trim().parse().unwrap_or(500);
    Reply::error(status, json!({ "message": format!("the model server answers {status}") }))
}

/// The calls that a message asks for, if any.
fn calls(said: &str, tools: &[Value], choice: &Value) -> Option<Vec<Value>> {
    let named = |name: &str| tools.iter().find(|tool| tool["function"]["name"] == name);
    let clients: Vec<&Value> = tools.iter().filter(|tool| tool["function"]["name"] != "calculator").collect();
    let default = |tool: &Value| value_of(&tool["function"]["parameters"]);
    if let Some(command) = said.strip_prefix("shell: ") {
        let (tool, parameter) = SHELLS.iter().find_map(|(name, key)| Some((named(name)?, key)))?;
        let is_list = tool["function"]["parameters"]["properties"][parameter]["type"] == "array";
        let command = if is_list { json!(["/bin/sh", "-c", command]) } else { json!(command) };
        return Some(vec![call(0, tool, &json!({ *parameter: command }))]);
    }
    if let Some(file) = said.strip_prefix("patch: ") {
        let patch = format!("*** Begin Patch\n*** Add File: {file}\n+patched\n*** End Patch\n");
        return Some(vec![call(0, named("apply_patch")?, &json!({ "input": patch }))]);
    }
    if said.contains("calculate") {
        return Some(vec![call(0, named("calculator")?, &json!({ "expression": "6*7" }))]);
    }
    if choice.is_object() {
        let tool = named(choice["function"]["name"].as_str()?)?;
        return Some(vec![call(0, tool, &default(tool))]);
    }
    let first = clients.first()?;
    if said.contains("call") || choice == "required" {
        return Some(vec![call(0, first, &default(first))]);
    }
    if !said.contains("parallel") {
        return None;
    }
    Some(clients.iter().enumerate().map(|(index, tool)| call(index, tool, &default(tool))).collect())
}

fn words(text: &str) -> Vec<Value> {
    text.split_inclusive(' ').map(|word| json!({ "content": word })).collect()
}

/// A call of a tool, in one piece.
fn call(index: usize, tool: &Value, arguments: &Value) -> Value {
    let function = json!({ "name": tool["function"]["name"], "arguments": arguments.to_string() });
    json!({ "tool_calls": [{
        "index": index, "id": format!("call_{index}"), "type": "function", "function": function
    }] })
}

/// A value that has the required members of a schema.
fn value_of(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("string") => json!("Rome"),
        Some("integer" | "number") => json!(42),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        _ => {
            let (empty, all) = (Map::new(), Vec::new());
            let properties = schema["properties"].as_object().unwrap_or(&empty);
            let required = schema["required"].as_array().unwrap_or(&all);
            let is_wanted = |name: &str| required.is_empty() || required.iter().any(|key| key == name);
            let wanted = properties.iter().filter(|(name, _)| is_wanted(name));
            wanted.map(|(name, schema)| (name.clone(), value_of(schema))).collect::<Map<_, _>>().into()
        }
    }
}

/// The text of a message, or of its text parts.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
