//! The events of a response's stream.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::json::Json;

use super::{Response, ResponseItem, ResponsePart};

/// Defines the events: their names, and their members in wire order.
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

/// An event with its number in the stream. Numbers start at 0 and have no gaps.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    /// The number.
    pub sequence_number: u64,
    /// The event.
    pub event: StreamEvent<'a>,
}

events! {
    /// The response was created.
    Created "response.created" { response: &'a Response, }
    /// The response is queued.
    Queued "response.queued" { response: &'a Response, }
    /// The response is in progress.
    InProgress "response.in_progress" { response: &'a Response, }
    /// The response completed.
    Completed "response.completed" { response: &'a Response, }
    /// The response ended before it was complete.
    Incomplete "response.incomplete" { response: &'a Response, }
    /// The response failed.
    Failed "response.failed" { response: &'a Response, }
    /// An item starts.
    ItemAdded "response.output_item.added" { output_index: usize, item: &'a ResponseItem, }
    /// An item is complete.
    ItemDone "response.output_item.done" { output_index: usize, item: &'a ResponseItem, }
    /// A part of a message or of reasoning starts.
    PartAdded "response.content_part.added" { item_id: &'a str, output_index: usize, content_index: usize, part: &'a ResponsePart, }
    /// A part is complete.
    PartDone "response.content_part.done" { item_id: &'a str, output_index: usize, content_index: usize, part: &'a ResponsePart, }
    /// The next part of a text.
    TextDelta "response.output_text.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, logprobs: &'a [Json], }
    /// The complete text.
    TextDone "response.output_text.done" { item_id: &'a str, output_index: usize, content_index: usize, text: &'a str, logprobs: &'a [Json], }
    /// The next part of a refusal.
    RefusalDelta "response.refusal.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, }
    /// The complete refusal.
    RefusalDone "response.refusal.done" { item_id: &'a str, output_index: usize, content_index: usize, refusal: &'a str, }
    /// The next part of the reasoning.
    ReasoningDelta "response.reasoning_text.delta" { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, }
    /// The complete reasoning.
    ReasoningDone "response.reasoning_text.done" { item_id: &'a str, output_index: usize, content_index: usize, text: &'a str, }
    /// A part of a summary of reasoning starts.
    SummaryPartAdded "response.reasoning_summary_part.added" { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a ResponsePart, }
    /// The part is complete.
    SummaryPartDone "response.reasoning_summary_part.done" { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a ResponsePart, }
    /// The next part of the summary's text.
    SummaryDelta "response.reasoning_summary_text.delta" { item_id: &'a str, output_index: usize, summary_index: usize, delta: &'a str, }
    /// The complete text of a part of the summary.
    SummaryDone "response.reasoning_summary_text.done" { item_id: &'a str, output_index: usize, summary_index: usize, text: &'a str, }
    /// The next part of a call's arguments.
    ArgumentsDelta "response.function_call_arguments.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// The complete arguments of a call.
    ArgumentsDone "response.function_call_arguments.done" { item_id: &'a str, output_index: usize, name: &'a str, arguments: &'a str, }
    /// The next part of a custom tool's input.
    CustomInputDelta "response.custom_tool_call_input.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// The complete input of a custom tool.
    CustomInputDone "response.custom_tool_call_input.done" { item_id: &'a str, output_index: usize, input: &'a str, }
    /// An MCP tool call starts.
    McpInProgress "response.mcp_call.in_progress" { item_id: &'a str, output_index: usize, }
    /// The next part of its arguments.
    McpArgumentsDelta "response.mcp_call_arguments.delta" { item_id: &'a str, output_index: usize, delta: &'a str, }
    /// The complete arguments.
    McpArgumentsDone "response.mcp_call_arguments.done" { item_id: &'a str, output_index: usize, arguments: &'a str, }
    /// The MCP tool call completed.
    McpCompleted "response.mcp_call.completed" { item_id: &'a str, output_index: usize, }
    /// The MCP tool call failed.
    McpFailed "response.mcp_call.failed" { item_id: &'a str, output_index: usize, }
    /// Listing the tools of an MCP server starts.
    McpListInProgress "response.mcp_list_tools.in_progress" { item_id: &'a str, output_index: usize, }
    /// The tools are listed.
    McpListCompleted "response.mcp_list_tools.completed" { item_id: &'a str, output_index: usize, }
    /// Listing the tools failed.
    McpListFailed "response.mcp_list_tools.failed" { item_id: &'a str, output_index: usize, }
    /// An event of the agent's own kind, as it is in the run's log.
    Agent "agent_server:event" { event: &'a Json, }
    /// Image generation starts.
    ImageInProgress "response.image_generation_call.in_progress" { item_id: &'a str, output_index: usize, }
    /// Image generation completed.
    ImageCompleted "response.image_generation_call.completed" { item_id: &'a str, output_index: usize, }
}
