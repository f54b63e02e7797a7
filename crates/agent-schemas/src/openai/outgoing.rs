//! Converts messages of the protocol to chat completion messages.

mod parts;
mod turn;

use std::collections::{HashMap, VecDeque};

use super::members::{MESSAGE_MEMBERS, extra_members, message_part, reasoning_member};
use crate::content::Content;
use crate::json::Json;
use crate::message::{Message, MessageType, Role};

use parts::{media_part, plain_text, user_content};
use turn::{Answer, Assistant, Call, Reasoning, Turn, spoken, text_of};

/// The conversation as the `messages` of a chat completion request, in a form that model servers accept.
///
/// - Messages keep their order and role; a message without a role is the user's. Text contents are joined by line
///   breaks into one string. Other contents become content parts, but only for users: servers accept images, audio,
///   videos and files from no other role. Structured data becomes JSON text, a refusal its text.
/// - Consecutive calls of functions, plugins and MCP tools become one assistant message, together with the assistant's
///   text right before them. Their outputs follow as `tool` messages, wherever they were.
/// - Calls that a model made in one message stay in one message, even if the outputs of some precede others; see
///   [`MESSAGE_PART`](super::MESSAGE_PART).
/// - Images, audio, videos and files in the message of an output follow the outputs in a message of the user.
/// - Servers reject a call without an output and an output without a call, so both are left out. The first output of a
///   call is used. A call id may be reused in a later turn; calls of one turn with the same id get different ones, and
///   their outputs answer them in order.
/// - Missing arguments become `{}`. Arguments that are not a JSON object are wrapped in one under `invalid_arguments`,
///   as some servers reject a conversation that has them.
/// - Reasoning goes back with the text or the calls that follow it, under the name that it came with; see
///   [`REASONING_MEMBER`](super::REASONING_MEMBER). So do other members that the model server attached; see
///   [`EXTRA_MEMBERS`](super::EXTRA_MEMBERS).
/// - A file that has only a URL becomes a text with that URL, as chat completions have no part for it.
/// - Left out: heartbeats, errors, MCP tool lists and approvals, components, user interfaces, unknown message types,
///   reasoning that nothing follows, messages of role `tool` that answer no call, other contents of a message that has
///   a call, and messages that end up empty.
pub fn to_openai_messages(messages: &[Message]) -> Vec<Json> {
    let mut conversation = Conversation::default();
    for message in messages {
        match message.kind {
            MessageType::Message => conversation.say(message),
            MessageType::Reasoning => conversation.reason(message),
            MessageType::FunctionCall | MessageType::PluginCall | MessageType::McpCall => {
                message.contents().iter().for_each(|content| conversation.call(message, content));
            }
            MessageType::FunctionCallOutput | MessageType::PluginCallOutput | MessageType::McpCallOutput => {
                conversation.answer(message);
            }
            _ => {}
        }
    }
    conversation.turns.into_iter().flat_map(Turn::into_messages).collect()
}

#[derive(Default)]
struct Conversation {
    turns: Vec<Turn>,
    /// The positions of the calls that wait for an output, by id: the turn and the call in it.
    waiting: HashMap<String, VecDeque<(usize, usize)>>,
    /// Messages whose calls were separated, by id: the turn that has their calls, and the position of the first one.
    parts: HashMap<String, (usize, usize)>,
    /// Whether the calls of the last turn are complete because outputs followed them.
    answered: bool,
    /// Reasoning whose text or calls have not come yet.
    reasoning: Option<Reasoning>,
}

impl Conversation {
    fn say(&mut self, message: &Message) {
        let reasoning = self.reasoning.take();
        let turn = match message.role {
            Some(Role::Tool) => return,
            Some(Role::Assistant) => match plain_text(message.contents()).filter(|text| !text.is_empty()) {
                Some(text) => {
                    let mut turn = Assistant { reasoning, text: Some(text), ..Assistant::default() };
                    turn.extra.extend(attached(message));
                    Turn::Assistant(turn)
                }
                None => return,
            },
            Some(Role::System) => match plain_text(message.contents()) {
                Some(text) => Turn::Other(spoken(Role::System, text)),
                None => return,
            },
            Some(Role::User) | None => match user_content(message.contents()) {
                Some(content) => Turn::Other(spoken(Role::User, content)),
                None => return,
            },
        };
        self.turns.push(turn);
        self.answered = false;
    }

    fn reason(&mut self, message: &Message) {
        let (name, text) = (reasoning_member(message), message.full_text());
        if text.is_empty() {
            return;
        }
        match &mut self.reasoning {
            Some(known) if known.name == name => known.append(&text),
            _ => self.reasoning = Some(Reasoning { name, text }),
        }
    }

    fn call(&mut self, message: &Message, content: &Content) {
        let Some((data, mut call)) = content.as_data().and_then(|data| Some((data, Call::read(data)?)))
        else {
            return;
        };
        let part = message_part(data);
        let known = part.and_then(|(id, _)| self.parts.get(id).copied());
        let turn = known.map_or_else(|| self.turn_for_call(), |(turn, _)| turn);
        if let Some(Turn::Assistant(assistant)) = self.turns.get_mut(turn) {
            assistant.reason(self.reasoning.take());
            assistant.extra.extend(attached(message));
            let of_message = data.get(MESSAGE_MEMBERS).and_then(Json::as_object);
            assistant.extra.extend(of_message.into_iter().flatten().map(owned));
            let waiting = self.waiting.entry(call.id.clone()).or_default();
            // A pending call of an earlier turn with the same id will never get an output.
            waiting.retain(|(of, _)| *of == turn);
            let position = assistant.calls.len();
            waiting.push_back((turn, position));
            call.place = position;
            if let Some((id, index)) = part {
                let (_, first) = *self.parts.entry(id.to_owned()).or_insert((turn, position));
                call.place = first.saturating_add(index);
            }
            assistant.calls.push(call);
        }
    }

    /// The position of the turn that takes a further call: the last one, or a new one if outputs ended that.
    fn turn_for_call(&mut self) -> usize {
        let joins = matches!(self.turns.last(), Some(Turn::Assistant(_))) && !self.answered;
        if !joins {
            self.turns.push(Turn::Assistant(Assistant::default()));
            self.answered = false;
        }
        self.turns.len() - 1
    }

    /// Takes the outputs in a message. Images and the like belong to the output before them.
    fn answer(&mut self, message: &Message) {
        let mut answered = None;
        for content in message.contents() {
            if content.as_data().is_some() {
                answered = self.answer_with(content);
            } else if let Some(part) = media_part(&content.body)
                && let Some((turn, call)) = answered
                && let Some(answer) = self.answer_at(turn, call)
            {
                answer.media.push(part.into());
            }
        }
    }

    fn answer_with(&mut self, content: &Content) -> Option<(usize, usize)> {
        let data = content.as_data()?;
        let (turn, call) = self.waiting.get_mut(data.get("call_id")?.as_str()?)?.pop_front()?;
        if let Some(Turn::Assistant(assistant)) = self.turns.get_mut(turn)
            && let Some(call) = assistant.calls.get_mut(call)
        {
            call.answer = Some(Answer { text: text_of(data.get("output")), media: Vec::new() });
            self.answered = true;
        }
        Some((turn, call))
    }

    fn answer_at(&mut self, turn: usize, call: usize) -> Option<&mut Answer> {
        match self.turns.get_mut(turn)? {
            Turn::Assistant(assistant) => assistant.calls.get_mut(call)?.answer.as_mut(),
            Turn::Other(_) => None,
        }
    }
}

/// The members that the model server attached to the message.
fn attached(message: &Message) -> impl Iterator<Item = (String, Json)> + '_ {
    let extra = message.metadata.as_ref().and_then(extra_members);
    extra.into_iter().flatten().map(owned)
}

fn owned((key, value): (&String, &Json)) -> (String, Json) {
    (key.clone(), value.clone())
}
