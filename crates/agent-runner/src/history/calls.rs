//! Calls without an output.

use std::collections::HashSet;

use agent_schemas::{FunctionCallOutput, Message, MessageType, Role, Status};

/// The output of a call that has none.
const NO_OUTPUT: &str = r#"{"error":"The call was interrupted; it has no output."}"#;

/// The conversation with an output after each call that has none, because models reject conversations without them.
/// Outputs without a call are dropped, and so are the empty outputs of interrupted tools.
///
/// A call that has its output later in the conversation keeps that output.
pub fn with_missing_outputs(mut messages: Vec<Message>) -> Vec<Message> {
    messages.retain(|message| !is_cut_off(message));
    let answered: HashSet<String> =
        messages.iter().filter(|message| is_output(&message.kind)).flat_map(call_ids).collect();
    let mut called = HashSet::new();
    let mut whole = Vec::with_capacity(messages.len());
    for message in messages {
        let ids: Vec<String> = call_ids(&message).collect();
        match (output_of(&message.kind), is_output(&message.kind)) {
            (Some(kind), _) => {
                called.extend(ids.iter().cloned());
                whole.push(message);
                let missing = ids.into_iter().filter(|id| !answered.contains(id));
                whole.extend(missing.map(|id| no_output(kind.clone(), id)));
            }
            (None, true) if ids.iter().any(|id| !called.contains(id)) => {}
            _ => whole.push(message),
        }
    }
    whole
}

/// The type of the output of a call of this type; `None` if the type is not a call.
pub(crate) fn output_of(kind: &MessageType) -> Option<MessageType> {
    match kind {
        MessageType::FunctionCall => Some(MessageType::FunctionCallOutput),
        MessageType::PluginCall => Some(MessageType::PluginCallOutput),
        MessageType::McpCall => Some(MessageType::McpCallOutput),
        _ => None,
    }
}

pub(crate) fn is_output(kind: &MessageType) -> bool {
    matches!(
        kind,
        MessageType::FunctionCallOutput | MessageType::PluginCallOutput | MessageType::McpCallOutput
    )
}

/// Whether a tool of the server was interrupted before its output: a tool that reports progress opens its output early.
/// An output that says that it failed is an output.
fn is_cut_off(message: &Message) -> bool {
    let is_closed_early = matches!(message.status, Status::Canceled | Status::Failed | Status::Incomplete);
    let output = message.contents().iter().find_map(|content| content.as_data()?.get("output")?.as_str());
    message.kind == MessageType::PluginCallOutput && is_closed_early && output.is_none_or(str::is_empty)
}

/// The ids of the calls that a message makes or answers.
pub(crate) fn call_ids(message: &Message) -> impl Iterator<Item = String> {
    let is_tool = output_of(&message.kind).is_some() || is_output(&message.kind);
    let contents = if is_tool { message.contents() } else { &[] };
    contents.iter().filter_map(|content| Some(content.as_data()?.get("call_id")?.as_str()?.to_owned()))
}

fn no_output(kind: MessageType, call_id: String) -> Message {
    let output = FunctionCallOutput { call_id, name: None, output: NO_OUTPUT.to_owned() };
    let mut message = Message::new("", kind);
    message.role = Some(Role::Tool);
    message.content = Some(vec![agent_schemas::Content::data(output.into_data())]);
    message
}

#[cfg(test)]
mod tests {
    use agent_schemas::{Content, object};

    use super::*;

    fn tool(kind: MessageType, ids: &[&str]) -> Message {
        let mut message = Message::new("", kind);
        message.content = Some(ids.iter().map(|id| Content::data(object! { "call_id" => *id })).collect());
        message
    }

    fn check(messages: Vec<Message>, expected: &[&str]) {
        let shown = |message: &Message| {
            format!("{} {}", message.kind, call_ids(message).collect::<Vec<_>>().join(","))
        };
        let found: Vec<String> = with_missing_outputs(messages).iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn calls__unpaired__are_completed_or_dropped() {
        use MessageType::{FunctionCall, FunctionCallOutput, PluginCall, PluginCallOutput};
        check(vec![tool(PluginCall, &["a"])], &["plugin_call a", "plugin_call_output a"]);
        check(
            vec![tool(PluginCall, &["a"]), Message::user("x"), tool(PluginCallOutput, &["a"])],
            &["plugin_call a", "message ", "plugin_call_output a"],
        );
        check(
            vec![tool(FunctionCall, &["a", "b"]), tool(FunctionCallOutput, &["b"])],
            &["function_call a,b", "function_call_output a", "function_call_output b"],
        );
        check(vec![tool(PluginCallOutput, &["a"]), Message::user("x")], &["message "]);
    }

    #[test]
    fn calls__canceled_output__counts_as_missing() {
        use MessageType::{PluginCall, PluginCallOutput};
        let mut cut_off = tool(PluginCallOutput, &["a"]);
        cut_off.status = Status::Canceled;
        cut_off.content = Some(vec![Content::data(object! { "call_id" => "a", "output" => "" })]);
        let whole = with_missing_outputs(vec![tool(PluginCall, &["a"]), cut_off]);
        let output = whole[1].contents()[0].as_data().and_then(|data| data.get("output")?.as_str());
        assert_eq!((whole.len(), output), (2, Some(NO_OUTPUT)));
    }

    #[test]
    fn calls__failed_output__is_kept() {
        use MessageType::{FunctionCall, FunctionCallOutput, PluginCall, PluginCallOutput};
        for (call, output) in [(FunctionCall, FunctionCallOutput), (PluginCall, PluginCallOutput)] {
            let mut failed = tool(output, &["a"]);
            failed.status = Status::Failed;
            failed.content = Some(vec![Content::data(object! { "call_id" => "a", "output" => "ERR 42" })]);
            let messages = vec![tool(call, &["a"]), failed];
            assert_eq!(with_missing_outputs(messages.clone()), messages);
        }
    }
}
