//! Converts `functions` and `function_call`, the predecessors of tools, to tools.

use agent_schemas::{Json, JsonObject, object};
use agent_server::protocol::{ApiError, ErrorInfo};

/// Replaces the deprecated members of a request with `tools`, `tool_choice` and the messages that belong to them.
/// Returns whether the client declares functions, and so expects its answer in that form.
pub(super) fn replace(body: &mut JsonObject) -> Result<bool, ApiError> {
    let functions = body.shift_remove("functions").filter(|value| !value.is_null());
    let choice = body.shift_remove("function_call").filter(|value| !value.is_null());
    if let Some(Json::Array(messages)) = body.get_mut("messages") {
        replace_in_messages(messages)?;
    }
    let uses_functions = functions.is_some();
    if let Some(functions) = functions {
        if body.get("tools").is_some_and(|tools| !tools.is_null()) {
            return Err(refused("functions", "functions and tools exclude each other; use tools"));
        }
        body.insert("tools".to_owned(), tools(functions)?.into());
        // Such an answer has one call at most.
        body.insert("parallel_tool_calls".to_owned(), Json::Bool(false));
    }
    if let Some(choice) = choice {
        if !uses_functions {
            return Err(refused("function_call", "function_call requires functions"));
        }
        body.insert("tool_choice".to_owned(), tool_choice(choice)?);
    }
    Ok(uses_functions)
}

fn tools(functions: Json) -> Result<Vec<Json>, ApiError> {
    let Json::Array(functions) = functions else {
        return Err(refused("functions", "expected an array of functions"));
    };
    let tool = |(index, function): (usize, Json)| {
        let at = |key: &str| format!("functions[{index}].{key}");
        if function.as_object().is_none() {
            return Err(refused(format!("functions[{index}]"), "expected an object"));
        }
        if function.get("name").and_then(Json::as_str).is_none_or(str::is_empty) {
            return Err(refused(at("name"), "a function needs a name"));
        }
        let is_set = |key| function.get(key).filter(|value| !value.is_null());
        if is_set("description").is_some_and(|value| value.as_str().is_none()) {
            return Err(refused(at("description"), "expected a string"));
        }
        if is_set("parameters").is_some_and(|value| value.as_object().is_none()) {
            return Err(refused(at("parameters"), "expected a JSON Schema"));
        }
        Ok(object! { "type" => "function", "function" => function }.into())
    };
    functions.into_iter().enumerate().map(tool).collect()
}

fn tool_choice(choice: Json) -> Result<Json, ApiError> {
    match &choice {
        Json::String(mode) if mode == "none" || mode == "auto" => Ok(choice),
        Json::Object(_) if choice.get("name").and_then(Json::as_str).is_some() => {
            Ok(object! { "type" => "function", "function" => choice }.into())
        }
        _ => Err(refused("function_call", "expected 'none', 'auto', or {\"name\": …}")),
    }
}

/// Assigns an id to each call, and to each output the id of the first call of its function that has no output yet.
fn replace_in_messages(messages: &mut [Json]) -> Result<(), ApiError> {
    let mut unanswered: Vec<(String, String)> = Vec::new();
    for (index, message) in messages.iter_mut().enumerate() {
        let Json::Object(members) = message else { continue };
        let call = members.shift_remove("function_call").filter(|call| !call.is_null());
        let has_calls = members.get("tool_calls").is_some_and(|calls| !calls.is_null());
        if let Some(call) = call.filter(|_| !has_calls) {
            let text = |key| call.get(key).and_then(Json::as_str);
            let (Some(name), Some(_)) = (text("name"), text("arguments")) else {
                let place = format!("messages[{index}].function_call");
                return Err(refused(place, "expected a name and arguments, both strings"));
            };
            let id = format!("call_function_{index}");
            unanswered.push((name.to_owned(), id.clone()));
            let call = Json::from(object! { "id" => id, "type" => "function", "function" => call });
            members.insert("tool_calls".to_owned(), vec![call].into());
        } else if members.get("role").and_then(Json::as_str) == Some("function") {
            let name = members.shift_remove("name").unwrap_or_default();
            let position = unanswered.iter().position(|(called, _)| Some(called.as_str()) == name.as_str());
            let Some(position) = position else {
                let message = format!(
                    "no earlier message has a function_call of {name} without an output; if a session has it, use tools, \
                     whose calls have ids"
                );
                return Err(refused(format!("messages[{index}].name"), message));
            };
            let (_, id) = unanswered.remove(position);
            members.insert("role".to_owned(), "tool".into());
            members.insert("tool_call_id".to_owned(), id.into());
        }
    }
    Ok(())
}

fn refused(parameter: impl Into<String>, message: impl Into<String>) -> ApiError {
    ErrorInfo::at_parameter(parameter, message).into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What a request becomes, or the place and the message of its fault.
    fn replaced(body: &Value) -> Result<Value, String> {
        let Ok(Json::Object(mut body)) = agent_schemas::json::parse(&body.to_string()) else {
            panic!("{body}")
        };
        let uses = replace(&mut body).map_err(|error| {
            let info = error.info();
            format!("{}: {}", info.parameter.unwrap_or_default(), info.message)
        })?;
        assert_eq!(uses, body.contains_key("tools"));
        Ok(serde_json::from_str(&Json::from(body).to_string()).expect("JSON"))
    }

    #[test]
    fn functions__request__becomes_one_with_tools() {
        let body = json!({
            "functions": [{ "name": "f", "parameters": { "type": "object" } }],
            "function_call": { "name": "f" },
            "messages": [
                { "role": "user", "content": "hi" },
                { "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } },
                { "role": "function", "name": "f", "content": "1" },
                { "role": "assistant", "content": "so", "function_call": null }
            ]
        });
        let call = json!({ "id": "call_function_1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let expected = json!({
            "messages": [
                { "role": "user", "content": "hi" },
                { "role": "assistant", "content": null, "tool_calls": [call] },
                { "role": "tool", "content": "1", "tool_call_id": "call_function_1" },
                { "role": "assistant", "content": "so" }
            ],
            "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }],
            "tool_choice": { "type": "function", "function": { "name": "f" } },
            "parallel_tool_calls": false
        });
        assert_eq!(replaced(&body), Ok(expected));
    }

    #[test]
    fn functions__same_function_twice__outputs_belong_to_their_calls() {
        let call = json!({ "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } });
        let output = json!({ "role": "function", "name": "f", "content": "1" });
        let body = replaced(&json!({ "messages": [call, output, call, output] })).expect("read");
        let id = |index: usize| body["messages"][index]["tool_call_id"].clone();
        assert_eq!((id(1), id(3)), (json!("call_function_0"), json!("call_function_2")));
    }

    #[test]
    fn functions__invalid__are_refused_where_they_are() {
        let output = json!([{ "role": "function", "name": "f", "content": "1" }]);
        let call = json!([{ "role": "assistant", "function_call": { "name": "f" } }]);
        for (body, expected) in [
            (json!({ "functions": {} }), "functions: expected an array"),
            (json!({ "functions": [1] }), "functions[0]: expected an object"),
            (json!({ "functions": [{}] }), "functions[0].name: a function needs a name"),
            (json!({ "functions": [{ "name": "f", "parameters": 1 }] }), "functions[0].parameters: "),
            (json!({ "functions": [{ "name": "f", "description": 1 }] }), "functions[0].description: "),
            (json!({ "functions": [], "tools": [] }), "functions: functions and tools exclude"),
            (json!({ "function_call": "auto" }), "function_call: function_call requires functions"),
            (json!({ "functions": [], "function_call": "required" }), "function_call: expected 'none'"),
            (
                json!({ "messages": output }),
                "messages[0].name: no earlier message has a function_call of \"f\"",
            ),
            (json!({ "messages": call }), "messages[0].function_call: expected a name"),
        ] {
            let found = replaced(&body).expect_err("refused");
            assert!(found.starts_with(expected), "{body}: {found}");
        }
        assert!(replaced(&json!({ "functions": null, "function_call": null, "messages": [1] })).is_ok());
    }
}
