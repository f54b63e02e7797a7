//! Items of type `compaction`: the summary of a conversation.

use agent_schemas::{Json, Message, object};

use agent_server::protocol::{ErrorInfo, Fields};

/// What the content of this server's summaries begins with. Those of other servers are encrypted.
const MARK: &str = "agent-server:";

/// How a summary is introduced to the agent that continues.
const INTRODUCTION: &str = "This is a summary of the conversation so far:";

/// The item with a summary; `id` becomes part of the item's id.
pub(super) fn item(id: &str, summary: &str) -> Json {
    object! {
        "type" => "compaction", "id" => format!("cmp_{id}"), "encrypted_content" => format!("{MARK}{summary}")
    }
    .into()
}

/// The member of a message's metadata that marks a summary.
const SUMMARY: &str = "compaction";

/// Returns whether a message is a summary that a client sent back.
pub(super) fn is_summary(message: &Message) -> bool {
    message.metadata.as_ref().is_some_and(|metadata| metadata.contains_key(SUMMARY))
}

/// Reads a summary that a client sends back.
pub(super) fn read(item: &Fields<'_>) -> Result<Message, ErrorInfo> {
    let Some(summary) = item.text("encrypted_content")?.strip_prefix(MARK) else {
        let message =
            "this compaction is from another server and cannot be read here; send the items themselves";
        return Err(item.fault("encrypted_content", message));
    };
    let mut message = Message::user(format!("{INTRODUCTION}\n\n{summary}"));
    message.metadata = Some(object! { SUMMARY => true });
    Ok(message)
}
