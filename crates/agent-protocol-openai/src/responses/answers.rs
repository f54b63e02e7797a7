//! Rejects tool outputs that answer no call: the agent would silently lose them.

use std::collections::{HashMap, HashSet};

use agent_runner::RunContext;
use agent_schemas::{Message, MessageType};

use super::conversation::Conversation;
use super::references::call_ids;
use agent_server::protocol::{ApiError, ErrorInfo, ProtocolContext};

/// Checks that each output in the input answers a call before it: in the input, in the previous response or in the
/// conversation.
pub(super) async fn check(
    context: &ProtocolContext,
    input: &[Message],
    previous: Option<&RunContext>,
    conversation: Option<&Conversation>,
) -> Result<(), ApiError> {
    let mut open = unanswered(previous.map(RunContext::messages).unwrap_or_default(), input);
    if open.is_empty() {
        return Ok(());
    }
    if let Some(conversation) = conversation {
        let visit = |message: &Message| {
            if is_call(&message.kind) {
                for id in call_ids(message) {
                    open.remove(id);
                }
            }
            open.is_empty()
        };
        conversation.visit_from_end(context.runner(), visit).await?;
        if open.is_empty() || conversation.is_in_progress(context.runner()).await? {
            return Ok(());
        }
    }
    let Some((id, _)) = open.iter().min_by_key(|(_, position)| **position) else { return Ok(()) };
    let message = format!(
        "No tool call found for function call output with call_id {id}. Send the call before its output, or continue \
         the response that made the call."
    );
    Err(ErrorInfo::at_parameter("input", message).into())
}

/// The calls that the input answers and that do not precede it there, with the positions of the outputs.
fn unanswered<'a>(before: &'a [Message], input: &'a [Message]) -> HashMap<&'a str, usize> {
    let mut called: HashSet<&str> =
        before.iter().filter(|message| is_call(&message.kind)).flat_map(call_ids).collect();
    let mut open = HashMap::new();
    for (position, message) in input.iter().enumerate() {
        if is_call(&message.kind) {
            called.extend(call_ids(message));
        } else if is_output(&message.kind) {
            for id in call_ids(message).filter(|id| !called.contains(id)) {
                open.entry(id).or_insert(position);
            }
        }
    }
    open
}

fn is_call(kind: &MessageType) -> bool {
    match kind {
        MessageType::FunctionCall
        | MessageType::PluginCall
        | MessageType::ComponentCall
        | MessageType::McpCall => true,
        // Clients answer calls of other kinds too, such as `local_shell_call`.
        MessageType::Other(name) => name.ends_with("_call"),
        _ => false,
    }
}

fn is_output(kind: &MessageType) -> bool {
    matches!(kind, MessageType::FunctionCallOutput | MessageType::PluginCallOutput)
}

#[cfg(test)]
mod tests {
    use agent_schemas::{Content, object};

    use super::*;

    fn tool(kind: MessageType, call_id: &str) -> Message {
        let mut message = Message::new("", kind);
        message.content = Some(vec![Content::data(object! { "call_id" => call_id })]);
        message
    }

    #[test]
    fn output__without_call_before_it__is_unanswered() {
        use MessageType::{FunctionCall, FunctionCallOutput, McpCall, PluginCallOutput};
        let before = [tool(McpCall, "0"), tool(FunctionCall, "1")];
        let input = [
            tool(FunctionCallOutput, "1"),
            tool(FunctionCallOutput, "2"),
            tool(FunctionCall, "2"),
            tool(FunctionCall, "3"),
            tool(FunctionCallOutput, "3"),
            tool(PluginCallOutput, "4"),
        ];
        assert_eq!(unanswered(&before, &input), HashMap::from([("2", 1), ("4", 5)]));
        assert!(unanswered(&[], &input[3..5]).is_empty());
    }
}
