//! Writers of tool calls and tool outputs.

use std::fmt;

use agent_schemas::{FunctionCall, FunctionCallOutput, Json, object};

use super::{DataWriter, MessageWriter};

/// Writes a tool call: one message with one data content.
#[must_use = "a call that is not completed stays open until the run ends"]
pub struct ToolCallWriter {
    message: MessageWriter,
    data: DataWriter,
    call_id: String,
    name: String,
}

impl ToolCallWriter {
    pub(crate) fn new(message: MessageWriter, call_id: String, name: String) -> Self {
        let mut data = message.data();
        let (shown_id, shown_name) = (Some(call_id.clone()), Some(name.clone()));
        data.set(
            FunctionCall { call_id: shown_id, name: shown_name, arguments: Some(String::new()) }.into_data(),
        );
        ToolCallWriter { message, data, call_id, name }
    }

    /// The call's id.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The writer of the message, for its usage and metadata.
    pub fn message(&self) -> &MessageWriter {
        &self.message
    }

    /// Appends to the arguments' JSON text; each call writes one event.
    pub fn arguments_delta(&mut self, arguments: &str) {
        self.data.delta(object! { "arguments" => arguments });
    }

    /// Closes the call with its complete arguments, as JSON text.
    pub fn complete(self, arguments: impl Into<String>) {
        let ToolCallWriter { message, data, call_id, name } = self;
        let call =
            FunctionCall { call_id: Some(call_id), name: Some(name), arguments: Some(arguments.into()) };
        data.complete_with(call.into_data());
        message.complete();
    }
}

/// Writes the output of one of the agent's own tools, for a tool that reports its progress: one message with one data
/// content.
///
/// Reports are deltas of the content's member `progress`, a list. The complete content has the output and no reports.
#[must_use = "an output that is not completed stays open until the run ends"]
pub struct ToolOutputWriter {
    message: MessageWriter,
    data: DataWriter,
    output: FunctionCallOutput,
}

impl ToolOutputWriter {
    pub(crate) fn new(message: MessageWriter, call_id: String, name: String) -> Self {
        let output = FunctionCallOutput { call_id, name: Some(name), output: String::new() };
        let mut data = message.data();
        data.set(output.clone().into_data());
        ToolOutputWriter { message, data, output }
    }

    /// Reports progress, as text or any other JSON; each call writes one event.
    pub fn progress(&mut self, report: impl Into<Json>) {
        self.data.delta(object! { "progress" => vec![report.into()] });
    }

    /// Closes the message with the tool's output, as JSON text.
    pub fn complete(self, output: impl Into<String>) {
        let ToolOutputWriter { message, data, output: head } = self;
        data.complete_with(FunctionCallOutput { output: output.into(), ..head }.into_data());
        message.complete();
    }
}

impl fmt::Debug for ToolCallWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCallWriter").field("call_id", &self.call_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolOutputWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolOutputWriter").field("call_id", &self.output.call_id).finish_non_exhaustive()
    }
}
