//! What servers send: the relevant parts of `chat.completion.chunk` and `chat.completion`.
//!
//! Lenient: unknown members are ignored, `null` and absence are the same, and a text may be a list of parts.

use std::fmt;

use agent_schemas::Json;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    index: Json,
    #[serde(deserialize_with = "null_is_default")]
    delta: Delta,
    /// The counterpart of `delta` in an answer that is not streamed.
    message: Option<Delta>,
    pub(super) finish_reason: Text,
}

/// The increment in a chunk.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta {
    pub(super) content: Text,
    pub(super) refusal: Text,
    pub(super) reasoning_content: Text,
    pub(super) reasoning: Text,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) tool_calls: Vec<CallDelta>,
}

/// The increment of a tool call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CallDelta {
    index: Json,
    pub(super) id: Text,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) function: FunctionDelta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionDelta {
    pub(super) name: Text,
    arguments: Json,
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
        let mut chunk: Chunk = serde_json::from_str(text).ok()?;
        if chunk.error.is_null() && chunk.object.0 == "error" {
            chunk.error = agent_schemas::json::parse(text).unwrap_or_default();
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

    /// Whether it contains more than the notice that the server has started.
    pub(super) fn is_significant(&self) -> bool {
        if !self.error.is_null() {
            return true;
        }
        self.choice().is_some_and(|choice| {
            let finished = !choice.finish_reason.0.is_empty();
            let Delta { content, refusal, reasoning_content, reasoning, tool_calls } = choice.delta();
            let texts = [content, refusal, reasoning_content, reasoning];
            finished || texts.iter().any(|text| !text.0.is_empty()) || !tool_calls.is_empty()
        })
    }
}

impl Choice {
    pub(super) fn delta(&self) -> &Delta {
        self.message.as_ref().unwrap_or(&self.delta)
    }
}

impl CallDelta {
    pub(super) fn index(&self) -> Option<i64> {
        self.index.as_i64()
    }
}

impl FunctionDelta {
    /// The arguments' text. Some servers send the object itself.
    pub(super) fn arguments(&self) -> String {
        match &self.arguments {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_unit<E>(self) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E>(self, _: f64) -> Result<String, E> {
        Ok(String::new())
    }

    /// Parts: their texts, joined.
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<String, A::Error> {
        let mut joined = String::new();
        while let Some(Text(part)) = parts.next_element()? {
            joined.push_str(&part);
        }
        Ok(joined)
    }

    /// A part: its `text`.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<String, A::Error> {
        let mut found = String::new();
        while let Some(key) = members.next_key::<String>()? {
            if key == "text" {
                found = members.next_value::<Text>()?.0;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(delta: &str, content: &str, significant: bool) {
        let chunk = Chunk::parse(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).expect(delta);
        assert_eq!(chunk.is_significant(), significant, "{delta}");
        assert_eq!(chunk.choice().expect("a choice").delta().content.0, content, "{delta}");
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
        let read = |text: &str| {
            serde_json::from_str::<FunctionDelta>(text).map(|function| function.arguments()).ok()
        };
        assert_eq!(read(r#"{"arguments":"{\"a\""}"#).as_deref(), Some("{\"a\""));
        assert_eq!(read(r#"{"arguments":{"a":1}}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read(r#"{"arguments":null}"#).as_deref(), Some(""));
    }

    #[test]
    fn chunk_error__wrapped_or_bare__is_found() {
        let wrapped = Chunk::parse(r#"{"error":{"message":"no"}}"#).expect("a chunk");
        assert_eq!(wrapped.error.get("message").and_then(Json::as_str), Some("no"));
        let bare = Chunk::parse(r#"{"object":"error","message":"no","code":400}"#).expect("a chunk");
        assert_eq!(bare.error.get("message").and_then(Json::as_str), Some("no"));
    }
}
