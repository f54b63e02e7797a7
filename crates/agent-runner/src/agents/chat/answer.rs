//! Writes the answer of one model call to the run as it arrives.

use agent_schemas::{Json, JsonObject, object};

use super::calls::{CallIds, MAX_CALLS, OwnCall, PartialCall, TooManyCalls, place};
use super::failure::Failure;
use super::toolbox::Toolbox;
use super::wire::{CallDelta, Chunk, Text};
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
    toolbox: &'a Toolbox<'a>,
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
    /// Calls of the server's own tools, and of unknown tools.
    pub(super) own_calls: Vec<OwnCall>,
    /// Calls of the client's tools, still open, with their arguments.
    pub(super) client_calls: Vec<(ToolCallWriter, String)>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        run: &'a RunHandle,
        model: &'a str,
        toolbox: &'a Toolbox<'a>,
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
        let Some(choice) = chunk.choice() else { return Ok(()) };
        let delta = choice.delta();
        self.reason([("reasoning_content", &delta.reasoning_content), ("reasoning", &delta.reasoning)]);
        if !delta.content.0.is_empty() {
            self.text.push_str(&delta.content.0);
            self.write(Kind::Text, &delta.content.0);
        }
        if !delta.refusal.0.is_empty() {
            self.text.push_str(&delta.refusal.0);
            self.write(Kind::Refusal, &delta.refusal.0);
        }
        for call in &delta.tool_calls {
            self.call(call).map_err(|_| Failure::too_many_calls(self.model, MAX_CALLS))?;
        }
        if !choice.finish_reason.0.is_empty() {
            self.finish_reason.clone_from(&choice.finish_reason.0);
        }
        Ok(())
    }

    /// Some servers send the same reasoning under both names.
    fn reason(&mut self, sources: [(&'static str, &Text); 2]) {
        let Some((name, text)) = sources.into_iter().find(|(_, text)| !text.0.is_empty()) else { return };
        self.write(Kind::Reasoning, &text.0);
        self.reasoning.get_or_insert((name, String::new())).1.push_str(&text.0);
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
        if kind == Kind::Reasoning { self.run.reasoning() } else { self.run.message() }
    }

    fn call(&mut self, delta: &CallDelta) -> Result<(), TooManyCalls> {
        if let Some(open) = self.open.take() {
            open.complete();
        }
        let arguments = delta.function.arguments();
        let call = place(&mut self.calls, delta)?;
        call.arguments.push_str(&arguments);
        match &mut call.writer {
            Some(writer) if !arguments.is_empty() => writer.arguments_delta(&arguments),
            None if self.toolbox.is_clients(&call.name) => {
                call.id = self.ids.claim(&call.id, || self.run.new_call_id());
                let mut writer = self.run.client_tool_call(&call.id, &call.name);
                if !call.arguments.is_empty() {
                    writer.arguments_delta(&call.arguments);
                }
                call.writer = Some(writer);
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Writes the rest, and adds the usage to the answer's last message.
    pub(super) fn finish(mut self) -> Round {
        let mut message =
            object! { "role" => "assistant", "content" => Some(self.text.clone()).filter(|t| !t.is_empty()) };
        if let Some((name, text)) = self.reasoning.take() {
            // Some models expect their reasoning back while they call tools.
            message.insert(name.to_owned(), text.into());
        }
        let calls = std::mem::take(&mut self.calls);
        let closing = self.closing();
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
        let mut round = Round { message, own_calls: Vec::new(), client_calls: Vec::new() };
        let mut writers = Vec::new();
        for call in calls {
            match call.writer {
                Some(writer) => round.client_calls.push((writer, or_empty_object(call.arguments))),
                None => {
                    let id = self.ids.claim(&call.id, || self.run.new_call_id());
                    writers.push(self.run.tool_call(&id, &call.name));
                    let arguments = or_empty_object(call.arguments);
                    round.own_calls.push(OwnCall { id, name: call.name, arguments });
                }
            }
        }
        let last_client = round.client_calls.last().map(|(writer, _)| writer);
        if let Some(last) = last_client.or(writers.last()) {
            closing.put_on(last.message());
        }
        for (writer, call) in writers.into_iter().zip(&round.own_calls) {
            writer.complete(call.arguments.as_str());
        }
        round
    }

    fn closing(&mut self) -> Closing {
        let cut_short = matches!(self.finish_reason.as_str(), "length" | "content_filter");
        Closing {
            usage: self.usage.take().map(with_protocol_names),
            metadata: cut_short.then(|| object! { "finish_reason" => self.finish_reason.as_str() }),
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

/// Adds the names that clients of this protocol expect to those of chat completions.
fn with_protocol_names(mut usage: JsonObject) -> JsonObject {
    for (name, theirs) in [("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")] {
        if !usage.contains_key(name)
            && let Some(count) = usage.get(theirs).cloned()
        {
            usage.insert(name.to_owned(), count);
        }
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage__openai_names__gain_protocol_names() {
        let usage =
            object! { "prompt_tokens" => 1_i64, "completion_tokens" => 2_i64, "total_tokens" => 3_i64 };
        let text = Json::from(with_protocol_names(usage)).to_string();
        assert_eq!(
            text,
            r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"input_tokens":1,"output_tokens":2}"#
        );
        let own = object! { "input_tokens" => 5_i64, "prompt_tokens" => 1_i64 };
        assert_eq!(with_protocol_names(own.clone()), own);
    }
}
