//! A call of one of the client's tools, written to the run as it arrives.

use agent_schemas::openai::keep_extra_members;
use agent_schemas::{Json, JsonObject, json, object};

use super::calls::PartialCall;
use super::declared::{DeclaredTool, INPUT};
use super::input_text::InputText;
use crate::{MessageWriter, RunHandle, ToolCallWriter};

/// A call of one of the client's tools. It ends the turn, after the server's tools in the same answer have run.
#[derive(Debug)]
pub(super) struct ClientCall {
    writer: ToolCallWriter,
    /// For a tool that takes plain text: reads it from the arguments.
    input: Option<InputText>,
    arguments: String,
    is_cut: bool,
}

impl ClientCall {
    /// Opens a call with the arguments so far.
    pub(super) fn open(run: &RunHandle, id: &str, tool: &DeclaredTool, call: &PartialCall) -> Self {
        let mut more = JsonObject::new();
        if let Some(namespace) = &tool.namespace {
            more.insert("namespace".to_owned(), namespace.as_str().into());
        }
        if tool.is_custom {
            more.insert(INPUT.to_owned(), "".into());
        }
        keep_extra_members(&mut more, call.extra.clone());
        let writer = run.client_tool_call_with(id, &tool.own_name, more);
        let input = tool.is_custom.then(InputText::default);
        let mut opened = ClientCall { writer, input, arguments: String::new(), is_cut: false };
        opened.arguments_delta(&call.arguments);
        opened
    }

    /// Shows a piece of the arguments.
    pub(super) fn arguments_delta(&mut self, piece: &str) {
        match &mut self.input {
            None if piece.is_empty() => {}
            None => self.writer.arguments_delta(piece),
            Some(input) => {
                let text = input.push(piece);
                if !text.is_empty() {
                    self.writer.delta(object! { INPUT => text });
                }
            }
        }
    }

    /// Takes the complete arguments, and further members of the call's data. A call that the token limit cut off is not
    /// complete.
    pub(super) fn end(&mut self, arguments: String, more: JsonObject, is_cut: bool) {
        self.is_cut = is_cut;
        more.into_iter().for_each(|(key, value)| self.writer.put(&key, value));
        self.arguments = arguments;
        if self.input.is_some() {
            let input = input_of(&self.arguments, is_cut);
            self.arguments = Json::from(object! { INPUT => input.as_str() }).to_string();
            self.writer.put(INPUT, input.into());
        }
    }

    /// The writer of its message, for usage and metadata.
    pub(super) fn message(&self) -> &MessageWriter {
        self.writer.message()
    }

    /// Closes the call.
    pub(super) fn close(self) {
        if self.is_cut {
            self.writer.cut_off(self.arguments);
        } else {
            self.writer.complete(self.arguments);
        }
    }
}

/// The text in the arguments of a tool that takes plain text; models also name it differently, or write it alone.
fn input_of(arguments: &str, is_cut: bool) -> String {
    if is_cut {
        let so_far = InputText::default().push(arguments);
        if !so_far.is_empty() {
            return so_far;
        }
    }
    match json::parse(arguments) {
        Ok(Json::Object(members)) => {
            let texts: Vec<&str> = members.values().filter_map(Json::as_str).collect();
            match (members.get(INPUT).and_then(Json::as_str), texts.as_slice()) {
                (Some(input), _) => input.to_owned(),
                (None, [input]) => (*input).to_owned(),
                _ if members.is_empty() => String::new(),
                _ => arguments.to_owned(),
            }
        }
        Ok(Json::String(text)) => text,
        _ => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_input__any_form_of_arguments__is_found() {
        for (arguments, expected) in [
            (r#"{"input":"a\nb"}"#, "a\nb"),
            (r#"{"patch":"a"}"#, "a"),
            (r#"{"input":"a","other":"b"}"#, "a"),
            (r#"{"x":"a","y":"b"}"#, r#"{"x":"a","y":"b"}"#),
            (r#""a""#, "a"),
            ("{}", ""),
            ("*** Begin Patch", "*** Begin Patch"),
        ] {
            assert_eq!(input_of(arguments, false), expected, "{arguments}");
        }
        assert_eq!(input_of(r#"{"input":"half a"#, true), "half a");
        assert_eq!(input_of(r#"{"in"#, true), r#"{"in"#);
    }
}
