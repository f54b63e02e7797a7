//! Shows which tools the MCP servers have, once in a conversation and again when they change.

use agent_schemas::{Content, McpListTools, McpListToolsTool, Message, MessageType, Role};

use super::toolbox::Toolbox;
use crate::RunHandle;

/// Writes the list of each server's tools, unless the conversation has it.
pub(super) fn show(run: &RunHandle, toolbox: &Toolbox, conversation: &[Message]) {
    for (server_label, tools) in toolbox.lists() {
        if newest(conversation, &server_label).is_some_and(|known| known == tools) {
            continue;
        }
        let message = run.open(MessageType::McpListTools, Role::Assistant);
        let id = message.id().to_owned();
        message.put_data(McpListTools { id, server_label, tools, error: None }.into_data());
        message.complete();
    }
}

/// The tools of a server, as the conversation has them.
fn newest(conversation: &[Message], server_label: &str) -> Option<Vec<McpListToolsTool>> {
    let lists = conversation.iter().rev().filter(|message| message.kind == MessageType::McpListTools);
    let data = lists.flat_map(|message| message.contents().iter().filter_map(Content::as_data));
    let mut lists = data.filter_map(|data| McpListTools::from_data(data).ok());
    lists.find(|list| list.server_label == server_label).map(|list| list.tools)
}
