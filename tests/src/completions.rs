//! Checks streams of Chat Completions against OpenAI's API reference, independent of the server's implementation.
//!
//! - A stream ends with `[DONE]` or an error, and nothing follows.
//! - Only the first chunk has the role. Id, time, model and type are the same in all chunks.
//! - A call begins with its id, type and name, has the next index, and continues with arguments alone.
//! - One chunk has the finish reason. Only the usage may follow it, if requested.

use serde_json::{Map, Value, json};

/// The completion that a stream amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Completed {
    /// The message, as in an answer that is not streamed.
    pub message: Value,
    /// The finish reason.
    pub finish_reason: String,
    /// The usage, if any.
    pub usage: Option<Value>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Normally.
    Well(Completed),
    /// With this error.
    Badly(Value),
}

/// Checks a whole stream as received over the wire.
///
/// # Errors
/// The first broken rule.
pub fn check(stream: &str) -> Result<Ended, String> {
    let frames: Vec<&str> = stream.split_terminator("\n\n").filter(|frame| !frame.starts_with(':')).collect();
    let (last, chunks) = frames.split_last().ok_or("the stream is empty")?;
    let mut state = State::default();
    for frame in chunks {
        let data = data(frame).ok_or_else(|| format!("a frame is no line of data: {frame:?}"))?;
        let chunk = serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
        state.take(&chunk).map_err(|fault| format!("{fault}: {chunk}"))?;
    }
    match data(last) {
        Some("[DONE]") => state.end().map(Ended::Well),
        Some(data) => error(data).map(Ended::Badly),
        None => Err(format!("the last frame is no line of data: {last:?}")),
    }
}

/// The single data line of a frame.
fn data(frame: &str) -> Option<&str> {
    frame.strip_prefix("data: ").filter(|data| !data.contains('\n'))
}

fn error(data: &str) -> Result<Value, String> {
    let frame: Value = serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
    let is_text = |key: &str| frame["error"][key].is_string();
    let has_all = is_text("message") && is_text("type") && frame["error"].get("code").is_some();
    if has_all {
        Ok(frame["error"].clone())
    } else {
        Err(format!("it ends with neither [DONE] nor an error: {data}"))
    }
}

#[derive(Default)]
struct State {
    /// The common members of all chunks.
    head: Option<Value>,
    message: Map<String, Value>,
    calls: Vec<Value>,
    finish_reason: Option<String>,
    usage: Option<Value>,
}

impl State {
    fn take(&mut self, chunk: &Value) -> Result<(), String> {
        let head = json!([chunk["id"], chunk["object"], chunk["created"], chunk["model"]]);
        if !chunk["id"].is_string() || !chunk["created"].is_i64() || !chunk["model"].is_string() {
            return Err("a chunk lacks its id, time or model".to_owned());
        }
        if chunk["object"] != "chat.completion.chunk" {
            return Err("a chunk is none by its object".to_owned());
        }
        if self.head.get_or_insert_with(|| head.clone()) != &head {
            return Err("a chunk is of another completion".to_owned());
        }
        if self.usage.is_some() {
            return Err("something follows the usage".to_owned());
        }
        self.usage = chunk.get("usage").filter(|usage| !usage.is_null()).cloned();
        match chunk["choices"].as_array().map(Vec::as_slice) {
            Some([]) if self.usage.is_some() && self.finish_reason.is_some() => Ok(()),
            Some([]) => Err("a chunk is empty".to_owned()),
            Some([choice]) if choice["index"] == 0 => self.choice(choice),
            _ => Err("there are other choices than the first".to_owned()),
        }
    }

    fn choice(&mut self, choice: &Value) -> Result<(), String> {
        if self.finish_reason.is_some() {
            return Err("something is said after the end".to_owned());
        }
        if choice.get("finish_reason").is_none() {
            return Err("a choice lacks its finish_reason".to_owned());
        }
        self.finish_reason = choice["finish_reason"].as_str().map(str::to_owned);
        let delta = choice["delta"].as_object().ok_or("a choice lacks its delta")?;
        let is_first = self.message.is_empty();
        if is_first != delta.contains_key("role") {
            return Err("the role is said once, first".to_owned());
        }
        for (key, more) in delta {
            match (key.as_str(), more) {
                ("tool_calls", Value::Array(calls)) => {
                    calls.iter().try_for_each(|call| self.call(call))?;
                }
                ("images", Value::Array(images)) => {
                    let known = self.message.entry(key).or_insert_with(|| json!([]));
                    known.as_array_mut().ok_or("images are no list")?.extend(images.iter().cloned());
                }
                ("role" | "content" | "refusal" | "reasoning_content", Value::String(more)) => {
                    let known = self.message.get(key).and_then(Value::as_str).unwrap_or_default();
                    self.message.insert(key.clone(), (known.to_owned() + more).into());
                }
                ("content", Value::Null) if is_first => {}
                _ => return Err(format!("'{key}' is nothing that a delta adds")),
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Value) -> Result<(), String> {
        let index = call["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or("a call lacks its index")?;
        let arguments = call["function"]["arguments"].as_str().ok_or("a call lacks its arguments")?;
        let is_named =
            call["id"].is_string() && call["type"] == "function" && call["function"]["name"].is_string();
        let is_anonymous = ["id", "type"].iter().all(|key| call.get(key).is_none())
            && call["function"].get("name").is_none();
        if index == self.calls.len() && is_named {
            let mut call = call.clone();
            call.as_object_mut().map(|call| call.remove("index"));
            self.calls.push(call);
            return Ok(());
        }
        match self.calls.get_mut(index) {
            Some(known) if is_anonymous => {
                let before = known["function"]["arguments"].as_str().unwrap_or_default().to_owned();
                known["function"]["arguments"] = (before + arguments).into();
                Ok(())
            }
            _ => Err("a call has not begun, or begins again".to_owned()),
        }
    }

    fn end(mut self) -> Result<Completed, String> {
        let finish_reason = self.finish_reason.ok_or("nothing says why the completion ended")?;
        if !["stop", "length", "tool_calls", "content_filter"].contains(&finish_reason.as_str()) {
            return Err(format!("'{finish_reason}' is no reason"));
        }
        if (finish_reason == "tool_calls") == self.calls.is_empty() {
            return Err("the reason and the calls do not fit together".to_owned());
        }
        let says_nothing = self.message.get("content").is_none_or(|content| content == "");
        let has_other = !self.calls.is_empty() || self.message.contains_key("refusal");
        let content = if says_nothing && has_other { Value::Null } else { json!("") };
        if says_nothing {
            self.message.insert("content".to_owned(), content);
        }
        self.message.entry("refusal").or_insert(Value::Null);
        if !self.calls.is_empty() {
            self.message.insert("tool_calls".to_owned(), self.calls.into());
        }
        Ok(Completed { message: self.message.into(), finish_reason, usage: self.usage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = r#"{"role":"assistant","content":""}"#;
    const END: &str = r#"{}|"stop""#;

    /// A stream of these deltas, each followed by `|` and its finish reason, if any; other lines are used unchanged.
    fn stream(lines: &[&str]) -> String {
        let frame = |line: &&str| {
            let (delta, reason) = line.split_once('|').unwrap_or((line, "null"));
            if line.starts_with('[') || line.contains("\"id\":\"x\"") || line.contains("error") {
                return format!("data: {line}\n\n");
            }
            format!(
                "data: {{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
            )
        };
        lines.iter().map(frame).collect()
    }

    #[track_caller]
    fn bad(lines: &[&str], fault: &str) {
        let found = check(&stream(lines)).expect_err(fault);
        assert!(found.contains(fault), "{found} is not {fault}");
    }

    #[test]
    fn check__valid_stream__gives_its_message() {
        let lines = [
            ROLE,
            r#"{"reasoning_content":"Hm."}"#,
            r#"{"content":"a"}"#,
            r#"{"content":"b"}"#,
            r#"{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
            r#"{}|"tool_calls""#,
            "[DONE]",
        ];
        let Ok(Ended::Well(completed)) = check(&stream(&lines)) else { panic!("it is good") };
        let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        assert_eq!(
            completed.message,
            json!({
                "role": "assistant", "content": "ab", "refusal": null, "reasoning_content": "Hm.", "tool_calls": [call]
            })
        );
        let failed = check(&stream(&[ROLE, r#"{"error":{"message":"m","type":"t","code":null}}"#]));
        assert!(matches!(failed, Ok(Ended::Badly(error)) if error["message"] == "m"));
    }

    #[test]
    fn check__invalid_stream__is_detected() {
        bad(&[], "empty");
        bad(&[ROLE, END], "neither [DONE] nor an error");
        bad(&["[DONE]"], "nothing says why");
        bad(&[ROLE, "[DONE]"], "nothing says why");
        bad(&[r#"{"content":"a"}"#, END, "[DONE]"], "the role is said once");
        bad(&[ROLE, ROLE, END, "[DONE]"], "the role is said once");
        bad(&[ROLE, END, r#"{"content":"a"}"#, "[DONE]"], "after the end");
        bad(&[ROLE, END, END, "[DONE]"], "after the end");
        bad(&[ROLE, r#"{"smell":"x"}"#, END, "[DONE]"], "'smell'");
        bad(&[ROLE, r#"{}|"tool_calls""#, "[DONE]"], "do not fit");
        bad(&[ROLE, r#"{}|"tired""#, "[DONE]"], "no reason");
        bad(&[ROLE, END, "[DONE]", "[DONE]"], "expected");
        bad(&[ROLE, r#"{"error":{"message":"m"}}"#], "neither");
        let call = r#"{"tool_calls":[{"index":1,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}"#;
        bad(&[ROLE, call, r#"{}|"tool_calls""#, "[DONE]"], "has not begun");
        let nameless = r#"{"tool_calls":[{"index":0,"function":{"arguments":""}}]}"#;
        bad(&[ROLE, nameless, r#"{}|"tool_calls""#, "[DONE]"], "has not begun");
        let other = r#"{"id":"x","object":"chat.completion.chunk","created":2,"model":"m","choices":[]}"#;
        bad(&[ROLE, other, END, "[DONE]"], "another completion");
        let usage =
            r#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{}}"#;
        bad(&[ROLE, usage, END, "[DONE]"], "empty");
        bad(&[ROLE, END, usage, usage, "[DONE]"], "follows the usage");
        assert!(check(&stream(&[ROLE, END, usage, "[DONE]"])).is_ok());
        assert!(check(&stream(&[ROLE, END, "[DONE]"]).replace("data: {", "event: x\ndata: {")).is_err());
    }
}
