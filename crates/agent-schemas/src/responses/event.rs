//! The events of a response's stream.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::json::Json;

use super::{Response, ResponseItem, ResponsePart};

/// Defines the events: their names, and their members in the order of the wire.
macro_rules! events {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal { $($field:ident: $type:ty,)* })*) => {
        /// One event of a response's stream, without its number.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the members have the same names and meanings in all events")]
        pub enum StreamEvent<'a> {
            $($(#[doc = $doc])* $variant { $($field: $type,)* },)*
        }

        impl StreamEvent<'_> {
            /// The event's `type`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(StreamEvent::$variant { .. } => $name,)*
                }
            }
        }

        impl Serialize for Numbered<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut out = serializer.serialize_map(None)?;
                out.serialize_entry("type", self.event.name())?;
                out.serialize_entry("sequence_number", &self.sequence_number)?;
                match &self.event {
                    $(StreamEvent::$variant { $($field),* } => {
                        $(out.serialize_entry(stringify!($field), $field)?;)*
                    })*
                }
                out.end()
            }
        }
    };
}

/// An event with its number in its stream: the first one has 0, and there are no gaps.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    /// The number.
    pub sequence_number: u64,
    /// The event.
    pub event: StreamEvent<'a>,
}

events! {
    /// There is a response.
    Created "response.created" { response: &'a Response, }
    /// It waits.
    Queued "response.queued" { response: &'a Response, }
    /// It is being worked on.
    InProgress "response.in_progress" { response: &'a Response, }
    /// It ended well.
    Completed "response.completed" { response: &'a Response, }
    /// It ended before it was whole.
    Incomplete "response.incomplete" { response: &'a Response, }
    /// It ended with an error.
    Failed "response.failed" { response: &'a Response, }
    /// An item begins.
    ItemAdded "response.output_item.added" { output_index: usize, item: &'a ResponseItem, }
    /// An item is whole.
    ItemDone "response.output_item.done" { output_index: usize, item: &'a ResponseItem, }
    /// A part of a message or of reasoning begins.
    PartAdded "response.content_part.added" { item_id: &'a str, output_index: usize, content_index: usize, part: &'a ResponsePart, }
    /// A part is whole.
    PartDone "response.content_part.done" { item_id: &'a str, output_index: usize, content_index: usize, part: &'a ResponsePart, }
    /// More text.
    TextDelta "response.output_text.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, logprobs: &'a [Json], }
    /// The whole text.
    TextDone "response.output_text.done" { item_id: &'a str, output_index: usize, content_index: usize, text: &'a str, logprobs: &'a [Json], }
    /// More words of refusal.
    RefusalDelta "response.refusal.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, }
    /// All words of refusal.
    RefusalDone "response.refusal.done" { item_id: &'a str, output_index: usize, content_index: usize, refusal: &'a str, }
    /// More reasoning.
    ReasoningDelta "response.reasoning_text.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, }
    /// The whole reasoning.
    ReasoningDone "response.reasoning_text.done" { item_id: &'a str, output_index: usize, content_index: usize, text: &'a str, }
    /// More of a call's arguments.
    ArgumentsDelta "response.function_call_arguments.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// All arguments of a call.
    ArgumentsDone "response.function_call_arguments.done" { item_id: &'a str, output_index: usize, name: &'a str, arguments: &'a str, }
    /// More of what a tool is given.
    CustomInputDelta "response.custom_tool_call_input.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// All that a tool is given.
    CustomInputDone "response.custom_tool_call_input.done" { item_id: &'a str, output_index: usize, input: &'a str, }
    /// An MCP tool is about to be called.
    McpInProgress "response.mcp_call.in_progress" { item_id: &'a str, output_index: usize, }
    /// More of its arguments.
    McpArgumentsDelta "response.mcp_call_arguments.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// All of its arguments.
    McpArgumentsDone "response.mcp_call_arguments.done" { item_id: &'a str, output_index: usize, arguments: &'a str, }
    /// It has answered.
    McpCompleted "response.mcp_call.completed" { item_id: &'a str, output_index: usize, }
    /// It has not.
    McpFailed "response.mcp_call.failed" { item_id: &'a str, output_index: usize, }
    /// The tools of an MCP server are being listed.
    McpListInProgress "response.mcp_list_tools.in_progress" { item_id: &'a str, output_index: usize, }
    /// They are listed.
    McpListCompleted "response.mcp_list_tools.completed" { item_id: &'a str, output_index: usize, }
    /// They could not be listed.
    McpListFailed "response.mcp_list_tools.failed" { item_id: &'a str, output_index: usize, }
    /// A picture is being made.
    ImageInProgress "response.image_generation_call.in_progress" { item_id: &'a str, output_index: usize, }
    /// It is made.
    ImageCompleted "response.image_generation_call.completed" { item_id: &'a str, output_index: usize, }
}
