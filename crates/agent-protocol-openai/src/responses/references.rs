//! Resolves `item_reference`: items that the client names instead of sending them.

use std::collections::{HashMap, HashSet};

use agent_runner::RunContext;
use agent_schemas::{Event, Json, Message, RunId, sse};
use axum::http::StatusCode;

use super::conversation::Conversation;
use super::echoed::{EchoedSettings, new_input};
use super::ids::{self, locate, message_id};
use agent_server::protocol::{ApiError, Caller, ErrorInfo, Fields, ProtocolContext};

/// The messages behind the references of a request.
#[derive(Debug, Default)]
pub(in super::super) struct References(HashMap<String, Vec<Message>>);

impl References {
    /// What a reference stands for; nothing if it is already part of the context.
    pub(super) fn get(&self, id: &str) -> &[Message] {
        self.0.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Whether an item is a reference. The type of a reference may be omitted.
pub(super) fn is_reference(item: &Fields<'_>) -> bool {
    match item.get("type") {
        None => item.get("role").is_none(),
        Some(kind) => kind.as_str() == Some("item_reference"),
    }
}

/// Where the items that a request refers to may be.
#[derive(Debug)]
pub(in super::super) struct Resolver<'a> {
    context: &'a ProtocolContext,
    caller: &'a Caller,
    /// The response that the request continues.
    previous: Option<&'a RunContext>,
    /// The conversation that the request continues.
    conversation: Option<&'a Conversation>,
}

impl<'a> Resolver<'a> {
    /// For a request that continues nothing.
    pub(in super::super) fn new(context: &'a ProtocolContext, caller: &'a Caller) -> Self {
        Resolver { context, caller, previous: None, conversation: None }
    }

    /// The same for a request that continues a response or a conversation.
    pub(super) fn continuing(
        mut self,
        previous: Option<&'a RunContext>,
        conversation: Option<&'a Conversation>,
    ) -> Self {
        (self.previous, self.conversation) = (previous, conversation);
        self
    }

    /// Resolves the references among the items of a request. An item is part of the response or the conversation that
    /// the request continues, or of another stored response of the caller.
    pub(in super::super) async fn resolve(
        &self,
        request: &Fields<'_>,
        key: &str,
    ) -> Result<References, ApiError> {
        let named = references(request, key)?;
        if named.is_empty() {
            return Ok(References::default());
        }
        let mut known: HashSet<String> = HashSet::new();
        let wanted: HashSet<String> = named.iter().map(|(id, _)| message_id(id)).collect();
        let before = self.previous.map(RunContext::messages).unwrap_or_default().iter();
        known.extend(before.filter(|message| wanted.contains(&message.id)).map(|message| message.id.clone()));
        if let Some(conversation) = self.conversation {
            let visit = |message: &Message| {
                if wanted.contains(&message.id) {
                    known.insert(message.id.clone());
                }
                known.len() == wanted.len()
            };
            conversation.visit_from_end(self.context.runner(), visit).await?;
        }
        let mut runs: HashMap<RunId, Vec<Message>> = HashMap::new();
        let mut resolved = References::default();
        for (id, item) in named {
            if resolved.0.contains_key(id) {
                continue;
            }
            if known.contains(&message_id(id)) {
                resolved.0.insert(id.to_owned(), Vec::new());
                continue;
            }
            let (_, run) = locate(id);
            let run = run.ok_or_else(|| missing(id, &item))?;
            if !runs.contains_key(&run) {
                let messages = self.messages_of(&run, &item).await?;
                runs.insert(run.clone(), messages);
            }
            let found = with_answers(&runs[&run], &message_id(id));
            if found.is_empty() {
                return Err(missing(id, &item).into());
            }
            resolved.0.insert(id.to_owned(), found);
        }
        Ok(resolved)
    }

    /// The own messages of a stored response; none if the caller may not see it.
    async fn messages_of(&self, run: &RunId, item: &Fields<'_>) -> Result<Vec<Message>, ApiError> {
        let chain = self.context.runner().services().runs.chain(run, 1).await?;
        let Some(found) = chain.into_iter().next() else { return Ok(Vec::new()) };
        let record = &found.record;
        if !self.caller.may_see(&record.user_id) || !EchoedSettings::of(record).is_stored {
            return Ok(Vec::new());
        }
        if !record.status.is_final() {
            let response = ids::response_id(run);
            let message = format!(
                "the item is part of the response '{response}', which has not ended yet; wait for it, or cancel it"
            );
            return Err(item.fault("id", message).into());
        }
        let mut messages = new_input(record).to_vec();
        let last = found.last.as_ref().and_then(|last| sse::frames(&last.frames).last());
        if let Some(Ok(Event::Response(response))) = last.map(Event::from_slice) {
            messages.extend(response.output.unwrap_or_default());
        }
        Ok(messages)
    }
}

/// The ids that a request refers to, each with its item.
fn references<'a>(request: &Fields<'a>, key: &str) -> Result<Vec<(&'a str, Fields<'a>)>, ErrorInfo> {
    let Some(Json::Array(_)) = request.get(key) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (item, place) in request.items(key)? {
        let item = Fields::of(item, place)?;
        if is_reference(&item) {
            found.push((item.text("id")?, item));
        }
    }
    Ok(found)
}

/// A message, and the outputs of its calls: a call that the agent executed itself is one item with its output.
fn with_answers(messages: &[Message], id: &str) -> Vec<Message> {
    let Some(position) = messages.iter().position(|message| message.id == id) else { return Vec::new() };
    let calls: HashSet<&str> = call_ids(&messages[position]).collect();
    let is_answer = |message: &&Message| {
        message.kind.as_str().ends_with("_output") && call_ids(message).any(|id| calls.contains(id))
    };
    let answers = messages[position + 1..].iter().filter(is_answer);
    std::iter::once(&messages[position]).chain(answers).cloned().collect()
}

/// The ids of the calls that a message makes or answers.
pub(in super::super) fn call_ids(message: &Message) -> impl Iterator<Item = &str> {
    let data = message.contents().iter().filter_map(|content| content.as_data());
    data.filter_map(|data| data.get("call_id")?.as_str())
}

fn missing(id: &str, item: &Fields<'_>) -> ErrorInfo {
    let message = format!(
        "Item with id '{id}' not found. It must be part of a stored response, or of what this request continues; \
         otherwise send the item itself."
    );
    ErrorInfo::new(StatusCode::NOT_FOUND, "item_not_found", message).with_parameter(item.place_of("id"))
}

#[cfg(test)]
mod tests {
    use agent_schemas::{Content, MessageType, object};

    use super::*;

    fn tool(id: &str, kind: MessageType, call_id: &str) -> Message {
        let mut message = Message::new(id, kind);
        message.content = Some(vec![Content::data(object! { "call_id" => call_id })]);
        message
    }

    #[test]
    fn reference__own_call__includes_its_output() {
        use MessageType::{PluginCall, PluginCallOutput};
        let messages = [
            tool("a", PluginCall, "1"),
            tool("b", PluginCall, "2"),
            tool("c", PluginCallOutput, "2"),
            tool("d", PluginCallOutput, "1"),
        ];
        let ids =
            |id: &str| with_answers(&messages, id).into_iter().map(|message| message.id).collect::<Vec<_>>();
        assert_eq!((ids("a"), ids("b")), (vec!["a".into(), "d".into()], vec!["b".into(), "c".into()]));
        assert_eq!((ids("d"), ids("e")), (vec!["d".to_owned()], vec![]));
    }
}
