//! What servers send: the relevant parts of `chat.completion.chunk` and `chat.completion`.
//!
//! Lenient: `null` and absence are the same, a text may be a list of parts, and the JSON may have faults. Unknown members
//! of messages and calls are kept, because some servers expect them back.

use agent_schemas::openai::{
    REASONING_IN_CONTENT, REASONING_MEMBERS, extra_members_of_call, extra_members_of_message, is_thinking,
    thinking_text,
};
use agent_schemas::{Json, JsonObject, object};
use serde::{Deserialize, Deserializer};

use super::finish::{self, Finish};
use super::lenient::repaired;

/// One chunk of a stream, or a whole answer that is not streamed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    #[serde(deserialize_with = "null_is_default")]
    choices: Vec<Choice>,
    pub(super) usage: Json,
    pub(super) error: Json,
    /// `error`, if a server sends an error without wrapping it.
    object: Text,
    /// Whether its JSON had faults, so that its texts may have halves of characters.
    #[serde(skip)]
    pub(super) is_repaired: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    index: Json,
    #[serde(deserialize_with = "null_is_default")]
    delta: Delta,
    /// The counterpart of `delta` in an answer that is not streamed.
    message: Option<Delta>,
    /// The answer in the form of the older completions API, which some servers keep.
    text: Text,
    pub(super) finish_reason: Text,
    error: Json,
}

/// The increment in a chunk.
#[derive(Debug, Default)]
pub(super) struct Delta {
    pub(super) content: String,
    pub(super) refusal: String,
    /// The reasoning, by the name of the member in which it arrived. Some servers send the same under several names.
    pub(super) reasoning: Option<(&'static str, String)>,
    pub(super) tool_calls: Vec<CallDelta>,
    /// What else the server attached to the message.
    pub(super) extra: JsonObject,
}

/// The increment of a tool call.
#[derive(Debug, Default)]
pub(super) struct CallDelta {
    index: Json,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// What else the server attached to the call.
    pub(super) extra: JsonObject,
}

/// A string; empty if the server sent something else.
#[derive(Debug, Default)]
pub(super) struct Text(pub(super) String);

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Chunk {
    /// Reads a chunk's JSON text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut chunk = match serde_json::from_str::<Chunk>(text) {
            Ok(chunk) => chunk,
            Err(_) => {
                let mut chunk: Chunk = serde_json::from_str(&repaired(text)).ok()?;
                chunk.is_repaired = true;
                chunk
            }
        };
        chunk.choices.iter_mut().for_each(Choice::take_text);
        if is_empty(&chunk.error) {
            chunk.error = Json::Null;
        }
        if chunk.error.is_null() && chunk.object.0 == "error" {
            chunk.error = agent_schemas::json::parse(text).unwrap_or_default();
        }
        if chunk.error.is_null() {
            chunk.error = chunk.choice().map(Choice::failure).unwrap_or_default();
        }
        Some(chunk)
    }

    /// Whether it can be a complete answer.
    pub(super) fn is_answer(&self) -> bool {
        self.choice().is_some() || !self.error.is_null()
    }

    /// The only requested choice.
    pub(super) fn choice(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.index.as_i64().unwrap_or(0) == 0)
    }

    /// Takes that choice.
    pub(super) fn into_choice(self) -> Option<Choice> {
        self.choices.into_iter().find(|choice| choice.index.as_i64().unwrap_or(0) == 0)
    }

    /// Whether it contains more than the notice that the server has started.
    ///
    /// The end of an answer counts, even of an empty one: models often say nothing after the output of a tool (`stop`), or
    /// spend all tokens on hidden reasoning (`length`). But an answer that ends for a call has lost it if there is none.
    pub(super) fn is_significant(&self) -> bool {
        let is_end = |choice: &Choice| {
            let reason = choice.finish_reason.0.as_str();
            !reason.is_empty() && !finish::is_for_call(reason)
        };
        !self.error.is_null()
            || self.choice().is_some_and(|choice| is_end(choice) || choice.delta().says_anything())
    }
}

/// Whether a member `error` reports no error. Some servers send one with every chunk.
fn is_empty(error: &Json) -> bool {
    match error {
        Json::Null => true,
        Json::Bool(failed) => !failed,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        number => number.as_f64() == Some(0.0),
    }
}

impl Choice {
    fn delta(&self) -> &Delta {
        self.message.as_ref().unwrap_or(&self.delta)
    }

    pub(super) fn into_delta(self) -> Delta {
        self.message.unwrap_or(self.delta)
    }

    fn take_text(&mut self) {
        let delta = self.message.as_mut().unwrap_or(&mut self.delta);
        if !delta.says_anything() {
            delta.content = std::mem::take(&mut self.text.0);
        }
    }

    /// The error with which the answer broke off; null if it did not.
    fn failure(&self) -> Json {
        let reason = self.finish_reason.0.as_str();
        if !is_empty(&self.error) {
            self.error.clone()
        } else if Finish::of(reason) == Finish::Failed {
            object! { "message" => format!("the answer broke off with finish_reason '{reason}'") }.into()
        } else {
            Json::Null
        }
    }
}

impl Delta {
    fn read(mut members: JsonObject) -> Self {
        let mut extra = extra_members_of_message(&members);
        let mut texts = REASONING_MEMBERS.iter().map(|name| (*name, text_of(members.shift_remove(*name))));
        let mut reasoning = texts.find(|(_, text)| !text.is_empty());
        let mut content = members.shift_remove("content").unwrap_or_default();
        if let Json::Array(parts) = &mut content {
            let thinking: Vec<Json> = parts.extract_if(.., |part| is_thinking(part)).collect();
            if !thinking.is_empty() {
                let text: String = thinking.iter().map(thinking_text).collect();
                reasoning =
                    reasoning.or(Some((REASONING_IN_CONTENT, text)).filter(|(_, text)| !text.is_empty()));
                extra.insert("content".to_owned(), thinking.into());
            }
        }
        let calls = match members.shift_remove("tool_calls") {
            Some(Json::Array(calls)) => calls.into_iter().filter_map(CallDelta::read).collect(),
            _ => Vec::new(),
        };
        let legacy = members.shift_remove("function_call").filter(|_| calls.is_empty());
        Delta {
            content: text_of(Some(content)),
            refusal: text_of(members.shift_remove("refusal")),
            reasoning,
            tool_calls: calls.into_iter().chain(legacy.and_then(CallDelta::read_function)).collect(),
            extra,
        }
    }

    /// Whether it contains any part of an answer.
    fn says_anything(&self) -> bool {
        let has_text = !self.content.is_empty() || !self.refusal.is_empty();
        has_text || self.reasoning.is_some() || !self.tool_calls.is_empty()
    }
}

impl CallDelta {
    pub(super) fn read(call: Json) -> Option<Self> {
        let Json::Object(mut members) = call else { return None };
        let extra = extra_members_of_call(&members);
        let mut function = match members.shift_remove("function") {
            Some(Json::Object(function)) => function,
            _ => JsonObject::new(),
        };
        Some(CallDelta {
            index: members.shift_remove("index").unwrap_or_default(),
            id: text_of(members.shift_remove("id")),
            name: text_of(function.shift_remove("name")),
            // Some servers send the object itself.
            arguments: match function.shift_remove("arguments") {
                None | Some(Json::Null) => String::new(),
                Some(Json::String(text)) => text,
                Some(other) => other.to_string(),
            },
            extra,
        })
    }

    /// Reads the deprecated `function_call`, of which an answer has at most one.
    fn read_function(function: Json) -> Option<Self> {
        let call = CallDelta::read(object! { "index" => 0_i64, "function" => function }.into())?;
        // Some servers have an empty one in every message.
        (!call.name.is_empty() || !call.arguments.is_empty()).then_some(call)
    }

    pub(super) fn index(&self) -> Option<i64> {
        self.index.as_i64()
    }
}

/// A text, an integer as a text, or the joined texts of parts; empty for anything else.
fn text_of(value: Option<Json>) -> String {
    match value {
        Some(Json::String(text)) => text,
        Some(Json::Number(number)) => number.as_i64().map(|number| number.to_string()).unwrap_or_default(),
        Some(Json::Array(parts)) => parts.into_iter().map(|part| text_of(Some(part))).collect(),
        Some(Json::Object(mut part)) => text_of(part.shift_remove("text")),
        None | Some(Json::Null | Json::Bool(_)) => String::new(),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Text(text_of(Some(Json::deserialize(deserializer)?))))
    }
}

impl<'de> Deserialize<'de> for Delta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        JsonObject::deserialize(deserializer).map(Delta::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(delta: &str, content: &str, significant: bool) {
        let chunk = Chunk::parse(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).expect(delta);
        assert_eq!(chunk.is_significant(), significant, "{delta}");
        assert_eq!(chunk.choice().expect("a choice").delta().content, content, "{delta}");
    }

    #[test]
    fn delta__unusual_forms__are_read() {
        check("null", "", false);
        check("{}", "", false);
        check(r#"{"role":"assistant","content":null,"tool_calls":null}"#, "", false);
        check(r#"{"role":"assistant","content":""}"#, "", false);
        check(r#"{"content":"hi","extra":{"deep":[1,2]}}"#, "hi", true);
        check(r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, "ab", true);
        check(r#"{"content":7}"#, "7", true);
        check(r#"{"reasoning":"hm"}"#, "", true);
        check(r#"{"tool_calls":[{"function":null}]}"#, "", true);
    }

    #[test]
    fn chunk__without_choices__is_read() {
        for text in
            [r#"{"choices":[],"usage":{"total_tokens":3}}"#, r#"{"choices":null,"usage":{"total_tokens":3}}"#]
        {
            let chunk = Chunk::parse(text).expect(text);
            assert!(chunk.choice().is_none() && !chunk.is_significant());
            assert_eq!(chunk.usage.get("total_tokens").and_then(Json::as_i64), Some(3));
        }
        assert!(Chunk::parse("{").is_none());
    }

    #[test]
    fn function_arguments__object__becomes_text() {
        let read = |arguments: &str| {
            let call = format!(r#"{{"function":{{"arguments":{arguments}}}}}"#);
            CallDelta::read(agent_schemas::json::parse(&call).expect(&call)).map(|call| call.arguments)
        };
        assert_eq!(read(r#""{\"a\"""#).as_deref(), Some("{\"a\""));
        assert_eq!(read(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read("null").as_deref(), Some(""));
    }

    #[test]
    fn function_call__deprecated_form__is_a_call() {
        let read = |delta: &str| {
            let chunk = Chunk::parse(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).expect(delta);
            let calls = chunk.into_choice().expect("a choice").into_delta().tool_calls;
            let shown =
                calls.iter().map(|call| format!("{:?} {} {}", call.index(), call.name, call.arguments));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(read(r#"{"function_call":{"name":"f","arguments":""}}"#), ["Some(0) f "]);
        assert_eq!(read(r#"{"function_call":{"arguments":"{"}}"#), ["Some(0)  {"]);
        for nothing in ["null", "{}", r#"{"name":"","arguments":""}"#, r#""f""#] {
            assert!(read(&format!(r#"{{"function_call":{nothing}}}"#)).is_empty(), "{nothing}");
        }
        let both = r#"{"function_call":{"name":"f"},"tool_calls":[{"index":1,"function":{"name":"f"}}]}"#;
        assert_eq!(read(both), ["Some(1) f "]);
    }

    #[test]
    fn choice__text_of_older_api__is_content() {
        let content = |choice: &str| {
            let chunk = Chunk::parse(&format!(r#"{{"choices":[{choice}]}}"#)).expect(choice);
            chunk.into_choice().expect("a choice").into_delta().content
        };
        assert_eq!(content(r#"{"text":"hi"}"#), "hi");
        assert_eq!(content(r#"{"message":{"role":"assistant"},"text":"hi"}"#), "hi");
        assert_eq!(content(r#"{"delta":{"content":"hi"},"text":"hi"}"#), "hi");
        assert_eq!(content(r#"{"delta":{"reasoning":"hm"},"text":"hi"}"#), "");
    }

    #[test]
    fn empty_answer__end_that_explains_it__is_significant() {
        for (reason, expected) in [
            ("stop", true),
            ("length", true),
            ("SAFETY", true),
            ("tool_calls", false),
            ("function_call", false),
        ] {
            let text = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
            assert_eq!(Chunk::parse(&text).expect("a chunk").is_significant(), expected, "{reason}");
        }
    }

    /// Checks the reasoning, its name, and the text of a delta.
    #[track_caller]
    fn check_reasoning(delta: &str, expected: Option<(&str, &str)>, content: &str) {
        let chunk = Chunk::parse(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).expect(delta);
        let delta = chunk.into_choice().expect("a choice").into_delta();
        let reasoning = delta.reasoning.as_ref().map(|(name, text)| (*name, text.as_str()));
        assert_eq!((reasoning, delta.content.as_str()), (expected, content));
    }

    #[test]
    fn reasoning__any_form__is_found() {
        check_reasoning(
            r#"{"reasoning":"hm","reasoning_content":"hm"}"#,
            Some(("reasoning_content", "hm")),
            "",
        );
        check_reasoning(r#"{"reasoning":"hm","reasoning_content":""}"#, Some(("reasoning", "hm")), "");
        check_reasoning(r#"{"reasoning_text":"hm","content":"a"}"#, Some(("reasoning_text", "hm")), "a");
        let mistral = r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]}"#;
        check_reasoning(mistral, Some(("content", "hm")), "a");
        let anthropic = r#"{"content":[{"type":"thinking","thinking":"hm","signature":"S"}]}"#;
        check_reasoning(anthropic, Some(("content", "hm")), "");
    }

    #[test]
    fn chunk__broken_off__is_an_error() {
        for choice in [
            r#"{"delta":{},"finish_reason":"error"}"#,
            r#"{"delta":{"content":"x"},"finish_reason":"insufficient_system_resource"}"#,
            r#"{"delta":{},"finish_reason":null,"error":{"message":"no"}}"#,
        ] {
            let chunk = Chunk::parse(&format!(r#"{{"choices":[{choice}]}}"#)).expect(choice);
            assert!(chunk.error.get("message").is_some(), "{choice}");
        }
    }

    #[test]
    fn chunk__faulty_json__is_read() {
        let text = r#"{"choices":[{"delta":{"content":"a \ud83d"},"logprobs":NaN}],"x":-Infinity}"#;
        let chunk = Chunk::parse(text).expect(text);
        assert!(chunk.is_repaired && chunk.is_significant());
        assert!(Chunk::parse(r#"{"choices":[nan]}"#).is_none());
    }

    #[test]
    fn chunk_error__wrapped_or_bare__is_found() {
        let wrapped = Chunk::parse(r#"{"error":{"message":"no"}}"#).expect("a chunk");
        assert_eq!(wrapped.error.get("message").and_then(Json::as_str), Some("no"));
        let bare = Chunk::parse(r#"{"object":"error","message":"no","code":400}"#).expect("a chunk");
        assert_eq!(bare.error.get("message").and_then(Json::as_str), Some("no"));
    }
}
