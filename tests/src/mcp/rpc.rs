//! The form of single messages (JSON-RPC 2.0, and basic, "Messages").

use serde_json::Value;

/// What a message is.
pub(super) enum Kind<'a> {
    Request { id: &'a Value, method: &'a str },
    Notification { method: &'a str },
    Result { id: &'a Value, result: &'a Value },
    Error { id: Option<&'a Value>, code: i64 },
}

/// The kind of a message, or what is wrong with it.
pub(super) fn kind(message: &Value) -> Result<Kind<'_>, String> {
    let Some(members) = message.as_object() else { return Err(format!("{message} is no object")) };
    if members.get("jsonrpc") != Some(&Value::from("2.0")) {
        return Err("jsonrpc is not \"2.0\"".to_owned());
    }
    let id = members.get("id");
    if let Some(id) = id
        && !id.is_string()
        && !id.is_i64()
        && !id.is_u64()
    {
        return Err(format!("the id {id} is neither a string nor an integer"));
    }
    if let Some(params) = members.get("params")
        && !params.is_object()
    {
        return Err("params is no object".to_owned());
    }
    match (members.get("method"), id, members.get("result"), members.get("error")) {
        (Some(Value::String(method)), Some(id), None, None) => Ok(Kind::Request { id, method }),
        (Some(Value::String(method)), None, None, None) => Ok(Kind::Notification { method }),
        (None, Some(id), Some(result), None) if result.is_object() => Ok(Kind::Result { id, result }),
        (None, id, None, Some(error)) => {
            let code = error.get("code").and_then(Value::as_i64).ok_or("the error has no integer code")?;
            match error.get("message") {
                Some(Value::String(text)) if !text.is_empty() => Ok(Kind::Error { id, code }),
                _ => Err("the error has no message".to_owned()),
            }
        }
        _ => Err("it is neither a request, a notification nor a response".to_owned()),
    }
}
