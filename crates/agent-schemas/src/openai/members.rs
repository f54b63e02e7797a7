//! The members that a model server attached to a message or a call beyond the members of chat completions, such as the signature of
//! a thought. Such servers expect it back.

use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::object;

/// The member of a message's metadata, and of a call's data, that keeps what the model server attached to the message
/// or the call: an object, by the names that the server used.
///
/// [`to_openai_messages`](super::to_openai_messages) sends it back.
pub const EXTRA_MEMBERS: &str = "extra_members";

/// The member of a call's data that keeps what the model server attached to the message that made the call.
pub const MESSAGE_MEMBERS: &str = "message_members";

/// The member of a call's data that says which calls a model made in one message, if the outputs of some precede others:
/// an object with the same `id` for all of them, and the `index` of the call.
///
/// [`to_openai_messages`](super::to_openai_messages) joins such calls again.
pub const MESSAGE_PART: &str = "message_part";

/// The member of a reasoning message's metadata that keeps the name under which a model server sent the reasoning, if
/// that is not [`REASONING_CONTENT`].
pub const REASONING_MEMBER: &str = "reasoning_member";

/// The usual name of reasoning in chat completions.
pub const REASONING_CONTENT: &str = "reasoning_content";

/// The value of [`REASONING_MEMBER`] if the reasoning came as parts of the content, which are among the attached members.
pub const REASONING_IN_CONTENT: &str = "content";

/// The member with which such parts go to a client of chat completions and come back, because the client's own type of
/// the content does not have them.
pub const REASONING_PARTS: &str = "reasoning_parts";

/// The names under which model servers send reasoning as text. The first one that a message has counts.
pub const REASONING_MEMBERS: [&str; 4] = [REASONING_CONTENT, "reasoning", "reasoning_text", "thinking"];

/// Members of an assistant's message that are read elsewhere, or that servers do not take back.
const KNOWN_OF_MESSAGE: [&str; 9] =
    ["role", "content", "refusal", "name", "tool_calls", "function_call", "annotations", "audio", "type"];

/// The members of a call in chat completions; a model server attached all others.
pub const KNOWN_OF_CALL: [&str; 4] = ["index", "id", "type", "function"];

/// Members of a call's function that are read elsewhere.
const KNOWN_OF_FUNCTION: [&str; 2] = ["name", "arguments"];

/// What is attached to an assistant's message in chat completions, apart from its reasoning.
pub fn extra_members_of_message(message: &JsonObject) -> JsonObject {
    let is_known = |key: &str| KNOWN_OF_MESSAGE.contains(&key) || REASONING_MEMBERS.contains(&key);
    others(message, is_known)
}

/// What is attached to a call in chat completions. What is attached to its function is in the member `function`.
pub fn extra_members_of_call(call: &JsonObject) -> JsonObject {
    let mut extra = others(call, |key| KNOWN_OF_CALL.contains(&key));
    let function = call.get("function").and_then(Json::as_object);
    let of_function = function.map(|function| others(function, |key| KNOWN_OF_FUNCTION.contains(&key)));
    if let Some(function) = of_function.filter(|function| !function.is_empty()) {
        extra.insert("function".to_owned(), function.into());
    }
    extra
}

/// The members that are not known and not null.
fn others(members: &JsonObject, is_known: impl Fn(&str) -> bool) -> JsonObject {
    let others = members.iter().filter(|(key, value)| !value.is_null() && !is_known(key));
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Whether a part of a message's content is reasoning, as some servers send it.
pub fn is_thinking(part: &Json) -> bool {
    let kind = part.get("type").and_then(Json::as_str).unwrap_or_default();
    matches!(kind, "thinking" | "redacted_thinking" | "reasoning" | "reasoning_text")
}

/// The text of such a part: a string, or a list of text parts.
pub fn thinking_text(part: &Json) -> String {
    let member = ["thinking", "text", "reasoning", "summary"].into_iter().find_map(|key| part.get(key));
    let text = |part: &Json| part.get("text").and_then(Json::as_str).map(str::to_owned);
    match member {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(parts)) => parts.iter().filter_map(text).collect(),
        _ => String::new(),
    }
}

/// The attached members that a message's metadata, or a call's data, keeps.
pub fn extra_members(kept_in: &JsonObject) -> Option<&JsonObject> {
    kept_in.get(EXTRA_MEMBERS)?.as_object().filter(|members| !members.is_empty())
}

/// Keeps attached members in a message's metadata or a call's data.
pub fn keep_extra_members(kept_in: &mut JsonObject, extra: JsonObject) {
    if !extra.is_empty() {
        kept_in.insert(EXTRA_MEMBERS.to_owned(), extra.into());
    }
}

/// The value of [`MESSAGE_PART`].
pub fn new_message_part(id: &str, index: usize) -> Json {
    object! { "id" => id, "index" => i64::try_from(index).unwrap_or(i64::MAX) }.into()
}

/// The id and the index in a call's [`MESSAGE_PART`].
pub fn message_part(call: &JsonObject) -> Option<(&str, usize)> {
    let part = call.get(MESSAGE_PART)?;
    let index = part.get("index").and_then(Json::as_i64).unwrap_or_default();
    Some((part.get("id")?.as_str()?, usize::try_from(index).unwrap_or_default()))
}

/// The metadata of reasoning that came under this name; `None` for the usual name.
pub fn reasoning_metadata(name: &str) -> Option<JsonObject> {
    (name != REASONING_CONTENT).then(|| object! { REASONING_MEMBER => name })
}

/// The name under which the reasoning in a message goes back.
pub(super) fn reasoning_member(message: &Message) -> &'static str {
    let kept = message.metadata.as_ref().and_then(|metadata| metadata.get(REASONING_MEMBER)?.as_str());
    kept.map_or(REASONING_CONTENT, reasoning_name)
}

/// The name of reasoning, or the usual one if this is none: it may come from a client.
pub(super) fn reasoning_name(name: &str) -> &'static str {
    let mut names = REASONING_MEMBERS.into_iter().chain([REASONING_IN_CONTENT]);
    names.find(|known| *known == name).unwrap_or(REASONING_CONTENT)
}

/// Adds attached members to a call in chat completions.
pub fn attach_to_call(call: &mut JsonObject, extra: &JsonObject) {
    for (key, value) in extra {
        match (call.get_mut(key), value) {
            (Some(Json::Object(function)), Json::Object(of_function)) => {
                for (key, value) in of_function {
                    function.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
            _ if KNOWN_OF_CALL.contains(&key.as_str()) => {}
            _ => {
                call.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Adds attached members to an assistant's message in chat completions. Parts of its content precede its text.
pub fn attach_to_message(message: &mut JsonObject, extra: JsonObject) {
    for (key, value) in extra {
        match (key.as_str(), value) {
            ("content", Json::Array(mut parts)) => {
                parts.retain(is_thinking);
                if parts.is_empty() {
                    continue;
                }
                if let Some(Json::String(text)) = message.get("content") {
                    parts.push(object! { "type" => "text", "text" => text.as_str() }.into());
                }
                message.insert(key, parts.into());
            }
            (known, _) if KNOWN_OF_MESSAGE.contains(&known) => {}
            (_, value) => {
                message.entry(key).or_insert(value);
            }
        }
    }
}
