//! Turns of a conversation, and their messages in chat completions.

use std::collections::HashSet;

use super::super::members::{REASONING_IN_CONTENT, attach_to_call, attach_to_message, extra_members};
use super::super::{to_openai_tool_call, wrapped};
use super::parts::text_part;
use crate::call::FunctionCall;
use crate::json::{Json, JsonObject, parse};
use crate::message::Role;
use crate::object;

/// The text of an output that consists of images and the like, because servers expect a text.
const OUTPUT_FOLLOWS: &str = "The output follows in the next message.";

pub(super) enum Turn {
    /// A user or system message.
    Other(Json),
    Assistant(Assistant),
}

/// The assistant's text and the calls that follow it.
#[derive(Default)]
pub(super) struct Assistant {
    pub(super) reasoning: Option<Reasoning>,
    pub(super) text: Option<String>,
    pub(super) calls: Vec<Call>,
    /// The members that the model server attached to the message.
    pub(super) extra: JsonObject,
}

pub(super) struct Reasoning {
    /// The member in which it came.
    pub(super) name: &'static str,
    pub(super) text: String,
}

pub(super) struct Call {
    pub(super) id: String,
    name: String,
    arguments: String,
    /// The members that the model server attached to it.
    extra: JsonObject,
    /// Its place among the calls of its turn.
    pub(super) place: usize,
    pub(super) answer: Option<Answer>,
}

pub(super) struct Answer {
    pub(super) text: String,
    /// Parts of a user's message.
    pub(super) media: Vec<Json>,
}

impl Turn {
    pub(super) fn into_messages(self) -> Vec<Json> {
        match self {
            Turn::Other(message) => vec![message],
            Turn::Assistant(assistant) => assistant.into_messages(),
        }
    }
}

impl Assistant {
    pub(super) fn reason(&mut self, more: Option<Reasoning>) {
        match (&mut self.reasoning, more) {
            (Some(known), Some(more)) if known.name == more.name => known.append(&more.text),
            (known, Some(more)) => *known = Some(more),
            (_, None) => {}
        }
    }

    fn into_messages(mut self) -> Vec<Json> {
        let (mut tool_calls, mut answers, mut media) = (Vec::new(), Vec::new(), Vec::new());
        let mut ids = HashSet::new();
        self.calls.sort_by_key(|call| call.place);
        for Call { id, name, arguments, extra, answer, place: _ } in self.calls {
            let Some(answer) = answer else { continue };
            let id = unique(id, &mut ids);
            let label = (!answer.media.is_empty()).then(|| format!("The output of {name} ({id}):"));
            let call =
                FunctionCall { call_id: Some(id.clone()), name: Some(name), arguments: Some(arguments) };
            tool_calls.push(attached(to_openai_tool_call(&call), &extra));
            let content = match answer.text {
                text if text.is_empty() && label.is_some() => OUTPUT_FOLLOWS.to_owned(),
                text => text,
            };
            answers.push(object! { "role" => "tool", "tool_call_id" => id, "content" => content }.into());
            media.extend(label.map(|label| Json::from(text_part(label))));
            media.extend(answer.media);
        }
        if self.text.is_none() && tool_calls.is_empty() {
            return Vec::new();
        }
        // Some servers require the key even if there is no text.
        let mut message = object! { "role" => "assistant", "content" => self.text };
        let mut extra = self.extra;
        match self.reasoning {
            Some(reasoning) if reasoning.name == REASONING_IN_CONTENT => {
                // The parts themselves are among the attached members, unless a client has lost them.
                extra
                    .entry(reasoning.name.to_owned())
                    .or_insert_with(|| vec![thinking_part(reasoning.text)].into());
            }
            Some(reasoning) => {
                message.insert(reasoning.name.to_owned(), reasoning.text.into());
            }
            None => {}
        }
        attach_to_message(&mut message, extra);
        if !tool_calls.is_empty() {
            message.insert("tool_calls".to_owned(), tool_calls.into());
        }
        let mut messages = vec![Json::from(message)];
        messages.append(&mut answers);
        if !media.is_empty() {
            messages.push(spoken(Role::User, media));
        }
        messages
    }
}

impl Reasoning {
    pub(super) fn append(&mut self, more: &str) {
        self.text.push('\n');
        self.text.push_str(more);
    }
}

impl Call {
    /// The call in a data content; `None` without an id or a name.
    pub(super) fn read(data: &JsonObject) -> Option<Self> {
        let text = |key| data.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        Some(Call {
            id: text("call_id")?.to_owned(),
            name: text("name")?.to_owned(),
            arguments: arguments(text_of(data.get("arguments"))),
            extra: extra_members(data).cloned().unwrap_or_default(),
            place: 0,
            answer: None,
        })
    }
}

fn attached(call: Json, extra: &JsonObject) -> Json {
    match call {
        Json::Object(mut members) => {
            attach_to_call(&mut members, extra);
            members.into()
        }
        other => other,
    }
}

/// Reasoning as a part of the content.
fn thinking_part(text: String) -> Json {
    object! { "type" => "thinking", "thinking" => vec![Json::from(text_part(text))] }.into()
}

/// The id, or a new one made from it if another call of the turn has it.
fn unique(id: String, known: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number: usize| format!("{id}_{number}"));
    let unused = std::iter::once(id.clone()).chain(numbered).find(|id| !known.contains(id));
    let id = unused.unwrap_or(id);
    known.insert(id.clone());
    id
}

fn arguments(text: String) -> String {
    match parse(&text) {
        Ok(Json::Object(_)) => text,
        Ok(Json::Null) => "{}".to_owned(),
        _ if text.trim().is_empty() => "{}".to_owned(),
        _ => Json::from(wrapped("invalid_arguments", text)).to_string(),
    }
}

/// A string unchanged, null as nothing, any other value as JSON text.
pub(super) fn text_of(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn spoken(role: Role, content: impl Into<Json>) -> Json {
    Json::from(object! { "role" => role.as_str(), "content" => content.into() })
}
