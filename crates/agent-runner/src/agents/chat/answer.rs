//! Writes the answer of one model call to the run as it arrives.

use agent_schemas::openai::{
    MESSAGE_MEMBERS, MESSAGE_PART, REASONING_IN_CONTENT, attach_to_message, keep_extra_members,
    new_message_part, reasoning_metadata,
};
use agent_schemas::{Json, JsonObject, object};

use super::calls::{CallIds, MAX_CALLS, OwnCall, PartialCall, TooManyCalls, place};
use super::client_call::ClientCall;
use super::failure::Failure;
use super::finish::Finish;
use super::lenient::Halves;
use super::members;
use super::toolbox::Toolbox;
use super::usage;
use super::wire::{CallDelta, Chunk};
use crate::writer::TextWriter;
use crate::{MessageWriter, RunHandle, ToolCallWriter};

/// An answer that is being received.
///
/// Reasoning, text and calls of the client's tools are shown as they arrive. Calls of the server's own tools are shown
/// once they are complete, because nobody reads their arguments in pieces.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    run: &'a RunHandle,
    model: &'a str,
    toolbox: &'a Toolbox,
    ids: &'a mut CallIds,
    open: Option<OpenMessage>,
    /// White space without an open message: some models send nothing else before they call a tool.
    held: Option<(Kind, String)>,
    calls: Vec<PartialCall>,
    usage: Option<JsonObject>,
    finish_reason: String,
    /// For the next round: the whole text.
    text: String,
    /// For the next round: the reasoning, by the name of the member in which it arrived.
    reasoning: Option<(&'static str, String)>,
    /// For the next round: what else the server attached to the message.
    extra: JsonObject,
    /// Half a character at the end of each text, by [`Kind`].
    halves: [Halves; 3],
}

/// The message that is being written.
#[derive(Debug)]
struct OpenMessage {
    kind: Kind,
    message: MessageWriter,
    content: TextWriter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reasoning,
    Text,
    Refusal,
}

/// The result of an answer.
#[derive(Debug)]
pub(super) struct Round {
    /// The assistant's message for the next round, without its calls.
    pub(super) message: JsonObject,
    /// Its text.
    pub(super) text: String,
    /// Calls of the server's own tools, and of unknown tools.
    pub(super) own_calls: Vec<OwnCall>,
    /// Calls that wait for the user's approval, and are not shown yet.
    pub(super) held_calls: Vec<OwnCall>,
    /// Calls of the client's tools, still open.
    pub(super) client_calls: Vec<ClientCall>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        run: &'a RunHandle,
        model: &'a str,
        toolbox: &'a Toolbox,
        ids: &'a mut CallIds,
    ) -> Self {
        Answer {
            run,
            model,
            toolbox,
            ids,
            open: None,
            held: None,
            calls: Vec::new(),
            usage: None,
            finish_reason: String::new(),
            text: String::new(),
            reasoning: None,
            extra: JsonObject::new(),
            halves: Default::default(),
        }
    }

    /// Whether the model has said that it is done.
    pub(super) fn is_finished(&self) -> bool {
        !self.finish_reason.is_empty()
    }

    /// Writes the contents of a chunk.
    pub(super) fn take(&mut self, mut chunk: Chunk) -> Result<(), Failure> {
        if let Json::Object(usage) = std::mem::take(&mut chunk.usage) {
            // A server may report the usage so far with every chunk; the last report wins.
            self.usage = Some(usage);
        }
        let is_repaired = chunk.is_repaired;
        let Some(choice) = chunk.into_choice() else { return Ok(()) };
        let finish_reason = choice.finish_reason.0.clone();
        let delta = choice.into_delta();
        if let Some((name, text)) = &delta.reasoning {
            self.reasoning.get_or_insert((name, String::new()));
            self.add(Kind::Reasoning, text, is_repaired);
        }
        self.add(Kind::Text, &delta.content, is_repaired);
        self.add(Kind::Refusal, &delta.refusal, is_repaired);
        for call in &delta.tool_calls {
            self.call(call, is_repaired).map_err(|_| Failure::too_many_calls(self.model, MAX_CALLS))?;
        }
        members::merge(&mut self.extra, delta.extra);
        if !finish_reason.is_empty() {
            self.finish_reason = finish_reason;
        }
        Ok(())
    }

    /// Adds a piece of a text, which may begin and end with half a character.
    fn add(&mut self, kind: Kind, piece: &str, is_repaired: bool) {
        let text = self.halves[kind as usize].join(piece, is_repaired);
        self.write_and_keep(kind, &text);
    }

    fn write_and_keep(&mut self, kind: Kind, text: &str) {
        match (kind, &mut self.reasoning) {
            (Kind::Reasoning, Some((_, reasoning))) => reasoning.push_str(text),
            (Kind::Reasoning, None) => {}
            (Kind::Text | Kind::Refusal, _) => self.text.push_str(text),
        }
        if !text.is_empty() {
            self.write(kind, text);
        }
    }

    fn write(&mut self, kind: Kind, text: &str) {
        let fits = self.open.as_ref().is_some_and(|open| open.kind == kind);
        let held = self.held.take().filter(|(held_for, _)| !fits && *held_for == kind);
        let text = held.map_or_else(|| text.to_owned(), |(_, held)| held + text);
        if !fits && text.trim().is_empty() {
            self.held = Some((kind, text));
            return;
        }
        let mut open = match self.open.take() {
            Some(open) if fits => open,
            other => self.open_message(kind, other),
        };
        open.content.delta(&text);
        self.open = Some(open);
    }

    /// Opens a message. A refusal and a text may share a message.
    fn open_message(&self, kind: Kind, before: Option<OpenMessage>) -> OpenMessage {
        let message = match before {
            Some(before) if before.kind != Kind::Reasoning && kind != Kind::Reasoning => {
                before.content.complete();
                before.message
            }
            Some(before) => {
                before.complete();
                self.new_message(kind)
            }
            None => self.new_message(kind),
        };
        let content = if kind == Kind::Refusal { message.refusal() } else { message.text() };
        OpenMessage { kind, message, content }
    }

    fn new_message(&self, kind: Kind) -> MessageWriter {
        if kind != Kind::Reasoning {
            return self.run.message();
        }
        let message = self.run.reasoning();
        if let Some(metadata) = self.reasoning.as_ref().and_then(|(name, _)| reasoning_metadata(name)) {
            message.set_metadata(metadata);
        }
        message
    }

    fn call(&mut self, delta: &CallDelta, is_repaired: bool) -> Result<(), TooManyCalls> {
        if let Some(open) = self.open.take() {
            open.complete();
        }
        let call = place(&mut self.calls, delta)?;
        let arguments = call.halves.join(&delta.arguments, is_repaired);
        call.arguments.push_str(&arguments);
        match &mut call.client {
            Some(client) => client.arguments_delta(&arguments),
            // Until the arguments begin, the name may grow.
            None if !call.arguments.is_empty() => self.toolbox.open_client_call(self.run, call, self.ids),
            None => {}
        }
        Ok(())
    }

    /// Writes the rest, and adds the usage to the answer's last message.
    pub(super) fn finish(mut self) -> Round {
        if let Some(kind) = self.open.as_ref().map(|open| open.kind)
            && let Some(half) = self.halves[kind as usize].finish()
        {
            self.write_and_keep(kind, half.encode_utf8(&mut [0; 4]));
        }
        let mut calls = std::mem::take(&mut self.calls);
        for call in &mut calls {
            if call.client.is_none() {
                self.toolbox.open_client_call(self.run, call, self.ids);
            }
        }
        let finish = Finish::of(&self.finish_reason);
        let closing = self.closing(finish, &calls);
        if let Some(open) = self.open.take() {
            if calls.is_empty() {
                closing.put_on(&open.message);
            }
            open.complete();
        } else if calls.is_empty() {
            // An empty answer: an empty message carries the usage.
            let empty = self.run.message();
            closing.put_on(&empty);
            empty.complete();
        }
        let (mut own_calls, mut client_calls, mut writers) = (Vec::new(), Vec::new(), Vec::new());
        let mut held_calls = Vec::new();
        let last = calls.len().saturating_sub(1);
        let of_client = calls.iter().filter(|call| call.client.is_some()).count();
        // The outputs of the server's tools will separate its calls from the client's.
        let part_id = (of_client > 0 && of_client < calls.len()).then(|| self.run.new_call_id());
        // The client's calls are shown after those outputs.
        let keeper = calls.iter().rposition(|call| call.client.is_some()).unwrap_or(last);
        for (position, call) in calls.into_iter().enumerate() {
            let arguments = or_empty_object(call.arguments);
            let mut kept = JsonObject::new();
            keep_extra_members(&mut kept, call.extra.clone());
            if position == keeper && !self.extra.is_empty() {
                kept.insert(MESSAGE_MEMBERS.to_owned(), self.extra.clone().into());
            }
            if let Some(id) = &part_id {
                kept.insert(MESSAGE_PART.to_owned(), new_message_part(id, position));
            }
            if let Some(mut client) = call.client {
                client.end(arguments, kept, finish == Finish::Length && position == last);
                client_calls.push(client);
            } else {
                let id = self.ids.claim(&call.id, || self.run.new_call_id());
                if self.toolbox.needs_approval(&call.name) {
                    held_calls.push(OwnCall { id, name: call.name, arguments, extra: call.extra });
                    continue;
                }
                writers.push(self.run.open_call(&id, &self.toolbox.form_of(&call.name), kept));
                own_calls.push(OwnCall { id, name: call.name, arguments, extra: call.extra });
            }
        }
        let last_client = client_calls.last().map(ClientCall::message);
        if let Some(last) = last_client.or(writers.last().map(ToolCallWriter::message)) {
            closing.put_on(last);
        } else if !held_calls.is_empty() && !closing.is_empty() {
            let empty = self.run.message();
            closing.put_on(&empty);
            empty.complete();
        }
        for (writer, call) in writers.into_iter().zip(&own_calls) {
            writer.complete(call.arguments.as_str());
        }
        Round { text: self.text.clone(), message: self.message(), own_calls, held_calls, client_calls }
    }

    /// The assistant's message for the next round.
    fn message(self) -> JsonObject {
        let content = Some(self.text).filter(|text| !text.is_empty());
        let mut message = object! { "role" => "assistant", "content" => content };
        if let Some((name, text)) = self.reasoning.filter(|(name, _)| *name != REASONING_IN_CONTENT) {
            // Some models expect their reasoning back while they call tools.
            message.insert(name.to_owned(), text.into());
        }
        attach_to_message(&mut message, self.extra);
        message
    }

    fn closing(&mut self, finish: Finish, calls: &[PartialCall]) -> Closing {
        let continues = !calls.is_empty() && calls.iter().all(|call| call.client.is_none());
        let mut metadata = JsonObject::new();
        if let Some(reason) = finish.shortened_by().filter(|_| !continues) {
            metadata.insert("finish_reason".to_owned(), reason.into());
        }
        if calls.is_empty() {
            keep_extra_members(&mut metadata, self.extra.clone());
        }
        Closing {
            usage: self.usage.take().map(usage::readable),
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
        }
    }
}

impl OpenMessage {
    fn complete(self) {
        self.content.complete();
        self.message.complete();
    }
}

/// The usage and metadata of an answer's last message.
struct Closing {
    usage: Option<JsonObject>,
    metadata: Option<JsonObject>,
}

impl Closing {
    fn is_empty(&self) -> bool {
        self.usage.is_none() && self.metadata.is_none()
    }

    fn put_on(&self, message: &MessageWriter) {
        if let Some(usage) = &self.usage {
            message.set_usage(usage.clone());
        }
        if let Some(metadata) = &self.metadata {
            message.set_metadata(metadata.clone());
        }
    }
}

fn or_empty_object(arguments: String) -> String {
    if arguments.trim().is_empty() { "{}".to_owned() } else { arguments }
}
