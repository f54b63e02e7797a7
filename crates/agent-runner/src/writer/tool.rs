//! Writers of tool calls and tool outputs.

use std::fmt;

use agent_schemas::{ContentBody, ErrorBody, FunctionCall, FunctionCallOutput, Json, JsonObject, object};

use super::{DataWriter, MessageWriter};

/// Writes a tool call: one message with one data content.
#[must_use = "a call that is not completed stays open until the run ends"]
pub struct ToolCallWriter {
    message: MessageWriter,
    data: DataWriter,
    call_id: String,
    name: String,
    /// Further members of its data.
    more: JsonObject,
}

impl ToolCallWriter {
    pub(crate) fn new(message: MessageWriter, call_id: String, name: String, more: JsonObject) -> Self {
        let data = message.data();
        let mut writer = ToolCallWriter { message, data, call_id, name, more };
        writer.data.set(writer.whole(String::new()));
        writer
    }

    /// The call with these arguments.
    fn whole(&self, arguments: String) -> JsonObject {
        let (call_id, name) = (Some(self.call_id.clone()), Some(self.name.clone()));
        let mut data = FunctionCall { call_id, name, arguments: Some(arguments) }.into_data();
        data.extend(self.more.clone());
        data
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

    /// Appends to other members of the call's data; writes one event.
    #[cfg(feature = "chat")]
    pub(crate) fn delta(&mut self, members: JsonObject) {
        self.data.delta(members);
    }

    /// Sets another member of the complete call's data.
    #[cfg(feature = "chat")]
    pub(crate) fn put(&mut self, key: &str, value: Json) {
        self.more.insert(key.to_owned(), value);
    }

    /// Closes the call with its complete arguments, as JSON text.
    pub fn complete(self, arguments: impl Into<String>) {
        let whole = self.whole(arguments.into());
        self.data.complete_with(whole);
        self.message.complete();
    }

    /// Closes the call as incomplete, because the model could not write all arguments.
    #[cfg(feature = "chat")]
    pub(crate) fn cut_off(mut self, arguments: impl Into<String>) {
        let whole = self.whole(arguments.into());
        self.data.set(whole);
        self.message.cut_off();
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
        self.end(&output.into(), Vec::new(), None);
    }

    /// The same with further contents, and with the error of a call that has failed.
    pub(crate) fn end(self, output: &str, attached: Vec<ContentBody>, error: Option<&str>) {
        let ToolOutputWriter { message, data, output: head } = self;
        data.complete_with(FunctionCallOutput { output: output.to_owned(), ..head }.into_data());
        end_output(message, attached, error);
    }
}

/// Adds further contents to an output, and closes its message.
pub(crate) fn end_output(message: MessageWriter, attached: Vec<ContentBody>, error: Option<&str>) {
    attached.into_iter().for_each(|content| message.put(content));
    match error {
        Some(error) => message.complete_with_error(ErrorBody::new("TOOL_EXECUTION_ERROR", error)),
        None => message.complete(),
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
