//! Calls that the agent executed itself: in messages, a call and its output are apart, and one item shows both.

use agent_schemas::responses::{ItemStatus, McpCallItem, ResponseItem};
use agent_schemas::{Content, JsonObject, Message, MessageType, Status, object};

use super::super::ids::{self, item_id};
use super::{of_message, output, text_of};

/// The items for stored messages, in order. Calls that the agent executed itself take their outputs from the messages
/// after them; `later` has the outputs that follow these messages, and then those whose calls precede them.
pub(in super::super::super) fn of_messages(
    messages: &[Message],
    later: &mut Vec<Answer>,
) -> Vec<ResponseItem> {
    let mut items = Vec::with_capacity(messages.len());
    for message in messages.iter().rev() {
        if is_own_answer(message) {
            later.extend(Answer::all_of(message).into_iter().rev());
            continue;
        }
        for mut item in of_message(message).into_iter().rev() {
            if let ResponseItem::McpCall(call) = &mut item {
                let call_id = own_call_id(message, call);
                match later.iter().rposition(|answer| answer.call_id == call_id) {
                    Some(position) => later.remove(position).put_into(call),
                    None => call.status = ItemStatus::Incomplete,
                }
            }
            items.push(item);
        }
    }
    items.reverse();
    items
}

/// Whether the message has calls that the agent executed itself.
pub(in super::super::super) fn is_own_call(message: &Message) -> bool {
    let may_be =
        matches!(message.kind, MessageType::PluginCall | MessageType::ComponentCall | MessageType::McpCall);
    may_be && of_message(message).iter().any(|item| matches!(item, ResponseItem::McpCall(_)))
}

/// Whether the message is the output of a tool that the agent executed itself. The output of a client's custom tool
/// has the id of its item.
pub(in super::super::super) fn is_own_answer(message: &Message) -> bool {
    let is_clients = |data: &JsonObject| data.contains_key("id");
    match message.kind {
        MessageType::McpCallOutput | MessageType::ComponentCallOutput => true,
        MessageType::PluginCallOutput => {
            !message.contents().iter().filter_map(Content::as_data).any(is_clients)
        }
        _ => false,
    }
}

/// The call id behind the item for one of a message's calls.
fn own_call_id(message: &Message, call: &McpCallItem) -> String {
    let data = message.contents().iter().filter_map(Content::as_data).enumerate();
    let mut ids =
        data.map(|(index, data)| (item_id(ids::MCP_CALL, &message.id, index), text_of(data, "call_id")));
    ids.find(|(id, _)| *id == call.id).map(|(_, call_id)| call_id).unwrap_or_default()
}

/// The output of a tool that the agent executed itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super::super) struct Answer {
    pub(in super::super) call_id: String,
    status: ItemStatus,
    /// The output, or the error of a tool that failed.
    text: String,
}

impl Answer {
    pub(in super::super) fn all_of(message: &Message) -> Vec<Self> {
        let error = message.error.as_ref().map(|error| error.message.clone());
        let status = match message.status {
            Status::Failed | Status::Rejected => ItemStatus::Failed,
            _ if error.is_some() => ItemStatus::Failed,
            Status::Canceled | Status::Incomplete => ItemStatus::Incomplete,
            _ => ItemStatus::Completed,
        };
        let data = message.contents().iter().filter_map(Content::as_data);
        data.map(|data| Answer {
            call_id: text_of(data, "call_id"),
            status: status.clone(),
            text: error.clone().unwrap_or_else(|| output(data)),
        })
        .collect()
    }

    /// Completes the item of the call.
    pub(in super::super) fn put_into(self, call: &mut McpCallItem) {
        match self.status {
            ItemStatus::Failed => {
                call.error = object! { "type" => "mcp_tool_execution_error", "content" => self.text }.into();
            }
            _ => call.output = Some(self.text),
        }
        call.status = self.status;
    }
}
