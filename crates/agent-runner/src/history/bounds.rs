//! Limits how much of a conversation a model receives.

use std::collections::{HashMap, HashSet};

use agent_schemas::openai::message_part;
use agent_schemas::{Content, ContentBody, Message, MessageType};

use super::calls::{call_ids, is_output, output_of};

/// The estimated cost of an image, audio, a video or a file.
const MEDIA_TOKENS: usize = 1000;

/// The limits on the history that a model receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The maximum number of tokens, as [`bounded`] estimates them.
    pub tokens: usize,
}

/// The part of a history that fits. The oldest tool rounds are dropped first, then the oldest messages. A call and its
/// outputs stay together.
///
/// A token is estimated as four ASCII characters or one other character; each message costs four more.
pub fn bounded(history: Vec<Message>, bounds: Bounds) -> Vec<Message> {
    let units = units(&history);
    let mut tokens: usize = units.iter().map(|unit| unit.tokens).sum();
    let mut dropped = HashSet::new();
    let oldest_first = |wanted: bool| units.iter().filter(move |unit| unit.is_tool_round == wanted);
    for unit in oldest_first(true).chain(oldest_first(false)) {
        if tokens <= bounds.tokens {
            break;
        }
        tokens -= unit.tokens;
        dropped.extend(unit.messages.iter().copied());
    }
    let kept = history.into_iter().enumerate().filter(|(position, _)| !dropped.contains(position));
    kept.map(|(_, message)| message).collect()
}

/// Messages that are kept or dropped together.
struct Unit {
    messages: Vec<usize>,
    tokens: usize,
    is_tool_round: bool,
}

fn units(history: &[Message]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    // The unit of each call and of each message with calls that are apart, and whether a further call may join the last
    // one.
    let (mut calls, mut parts) = (HashMap::new(), HashMap::new());
    let mut last_was_call = false;
    // Reasoning goes with the message that it led to.
    let mut reasoning = Vec::new();
    for (position, message) in history.iter().enumerate() {
        if message.kind == MessageType::Reasoning && position + 1 < history.len() {
            reasoning.push(position);
            last_was_call = false;
            continue;
        }
        let is_call = output_of(&message.kind).is_some();
        let ids: Vec<String> = call_ids(message).collect();
        let of_call =
            is_output(&message.kind).then(|| ids.iter().find_map(|id| calls.get(id).copied())).flatten();
        // Consecutive calls are one round of the model.
        let part_ids: Vec<String> = part_ids(message).collect();
        let of_part = || part_ids.iter().find_map(|id| parts.get(id).copied());
        let unit = of_call.or_else(of_part).or((is_call && last_was_call).then(|| units.len() - 1));
        let unit = unit.unwrap_or_else(|| {
            let is_tool_round = is_call || is_output(&message.kind);
            units.push(Unit { messages: Vec::new(), tokens: 0, is_tool_round });
            units.len() - 1
        });
        if is_call {
            calls.extend(ids.into_iter().map(|id| (id, unit)));
            parts.extend(part_ids.into_iter().map(|id| (id, unit)));
        }
        for position in reasoning.drain(..).chain([position]) {
            units[unit].messages.push(position);
            units[unit].tokens += tokens(&history[position]);
        }
        last_was_call = is_call;
    }
    units
}

/// The ids of the model's messages to which the calls belong.
fn part_ids(message: &Message) -> impl Iterator<Item = String> {
    let data = message.contents().iter().filter_map(Content::as_data);
    data.filter_map(|data| Some(message_part(data)?.0.to_owned()))
}

fn tokens(message: &Message) -> usize {
    4 + message.contents().iter().map(content_tokens).sum::<usize>()
}

fn content_tokens(content: &Content) -> usize {
    let of_text = |text: &str| {
        let others = text.chars().filter(|character| !character.is_ascii()).count();
        others + text.bytes().filter(u8::is_ascii).count().div_ceil(4)
    };
    match &content.body {
        ContentBody::Text { text } | ContentBody::Refusal { refusal: text } => {
            text.as_deref().map_or(0, of_text)
        }
        ContentBody::Data { data } => {
            data.as_ref().map_or(0, |data| of_text(&agent_schemas::Json::from(data.clone()).to_string()))
        }
        _ => MEDIA_TOKENS,
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;
    use agent_schemas::openai::{MESSAGE_PART, new_message_part};

    use super::*;

    fn tool(kind: MessageType, id: &str) -> Message {
        let mut message = Message::new(id, kind);
        message.content = Some(vec![Content::data(object! { "call_id" => id })]);
        message
    }

    fn history() -> Vec<Message> {
        use MessageType::{PluginCall, PluginCallOutput};
        vec![
            Message::user("first"),
            tool(PluginCall, "a"),
            tool(PluginCall, "b"),
            tool(PluginCallOutput, "b"),
            tool(PluginCallOutput, "a"),
            Message::user("second"),
            tool(PluginCall, "c"),
            tool(PluginCallOutput, "c"),
            Message::user("third"),
        ]
    }

    fn kept(tokens: usize) -> Vec<String> {
        let kept = bounded(history(), Bounds { tokens });
        kept.iter().map(|message| message.text_content().unwrap_or(&message.id).to_owned()).collect()
    }

    #[test]
    fn bounds__over_limit__drop_whole_tool_rounds_first() {
        let all = ["first", "a", "b", "b", "a", "second", "c", "c", "third"];
        assert_eq!(kept(1000), all);
        // Each user message costs 6, each tool message 8.
        assert_eq!(kept(66), all);
        assert_eq!(kept(65), ["first", "second", "c", "c", "third"]);
        assert_eq!(kept(33), ["first", "second", "third"]);
        assert_eq!(kept(17), ["second", "third"]);
        assert_eq!(kept(0), [""; 0]);
    }

    #[test]
    fn bounds__calls_of_one_message__are_one_round() {
        use MessageType::{FunctionCall, FunctionCallOutput, PluginCall, PluginCallOutput};
        let part = |kind, id: &str, index| {
            let data = object! { "call_id" => id, MESSAGE_PART => new_message_part("m", index) };
            let mut message = Message::new(id, kind);
            message.content = Some(vec![Content::data(data)]);
            message
        };
        let history = vec![
            part(PluginCall, "a", 0),
            tool(PluginCallOutput, "a"),
            part(FunctionCall, "b", 1),
            tool(FunctionCallOutput, "b"),
            tool(FunctionCall, "c"),
            tool(FunctionCallOutput, "c"),
        ];
        let kept = bounded(history, Bounds { tokens: 20 });
        assert_eq!(kept.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["c", "c"]);
    }

    #[test]
    fn bounds__reasoning__goes_with_what_it_led_to() {
        use MessageType::{PluginCall, PluginCallOutput, Reasoning};
        let reasoning = |id: &str| Message::new(id, Reasoning);
        let history = vec![
            Message::user("first"),
            reasoning("of a"),
            tool(PluginCall, "a"),
            tool(PluginCallOutput, "a"),
            reasoning("of the answer"),
            Message::user("second"),
            reasoning("of nothing"),
        ];
        let kept = |tokens: usize| -> Vec<String> {
            let kept = bounded(history.clone(), Bounds { tokens });
            kept.iter().map(|message| message.text_content().unwrap_or(&message.id).to_owned()).collect()
        };
        assert_eq!(kept(1000).len(), 7);
        assert_eq!(kept(20), ["first", "of the answer", "second", "of nothing"]);
        assert_eq!(kept(14), ["of the answer", "second", "of nothing"]);
    }
}
