//! Items: the parts of a response and of its input.

use agent_schemas_derive::Record;

use crate::call::McpListToolsTool;
use crate::json::{Json, JsonObject};
use crate::string_enum::literal;

use super::ItemStatus;
use super::one_of::one_of;
use super::part::ResponsePart;

/// Defines items and the types of their tags.
macro_rules! items {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $tag_name:ident $tag:literal {
            $($fields:tt)*
        }
    )*) => {$(
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The item's type.
            #[record(name = "type", default = $tag_name)]
            pub kind: $tag_name,
            /// The item's id.
            #[record(required)]
            pub id: String,
            $($fields)*
        }

        literal! {
            /// The `type` of such an item.
            pub struct $tag_name = $tag;
        }
    )*};
}

items! {
    /// A message.
    MessageItem MessageItemTag "message" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// `assistant`; in the input also `user`, `system` and `developer`.
        #[record(default = "assistant".to_owned())]
        pub role: String,
        /// Its parts.
        #[record(default)]
        pub content: Vec<ResponsePart>,
        /// Members that a model server attached to the item, for that server.
        #[record(extra)]
        pub extra: JsonObject,
    }

    /// A model's reasoning.
    ReasoningItem ReasoningTag "reasoning" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The reasoning, if the request asks for a summary.
        #[record(default)]
        pub summary: Vec<ResponsePart>,
        /// The reasoning, if the request asks for no summary.
        #[record(default)]
        pub content: Vec<ResponsePart>,
        /// Members that a model server attached to the item, for that server.
        #[record(extra)]
        pub extra: JsonObject,
    }

    /// A function call.
    FunctionCallItem FunctionCallTag "function_call" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The call id. The output refers to it.
        #[record(default)]
        pub call_id: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// The arguments as JSON text.
        #[record(default)]
        pub arguments: String,
        /// Members that a model server attached to the item, for that server.
        #[record(extra)]
        pub extra: JsonObject,
    }

    /// The output of a function call.
    FunctionCallOutputItem FunctionCallOutputTag "function_call_output" {
        /// The status.
        #[record(default = ItemStatus::Completed)]
        pub status: ItemStatus,
        /// The id of the call.
        #[record(default)]
        pub call_id: String,
        /// The output: a text, or parts as in a message.
        pub output: Json,
    }

    /// A call of a tool that takes plain text.
    CustomToolCallItem CustomToolCallTag "custom_tool_call" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The call id. The output refers to it.
        #[record(default)]
        pub call_id: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// The input of the tool.
        #[record(default)]
        pub input: String,
        /// Members that a model server attached to the item, for that server.
        #[record(extra)]
        pub extra: JsonObject,
    }

    /// The output of such a tool.
    CustomToolCallOutputItem CustomToolCallOutputTag "custom_tool_call_output" {
        /// The status.
        #[record(default = ItemStatus::Completed)]
        pub status: ItemStatus,
        /// The id of the call.
        #[record(default)]
        pub call_id: String,
        /// The output: a text, or parts as in a message.
        pub output: Json,
    }

    /// The tools of an MCP server.
    McpListToolsItem McpListToolsTag "mcp_list_tools" {
        /// The server's name.
        #[record(default)]
        pub server_label: String,
        /// Its tools.
        #[record(default)]
        pub tools: Vec<McpListToolsTool>,
        /// The error, if the tools could not be listed.
        pub error: Option<String>,
    }

    /// An MCP tool call and its output.
    McpCallItem McpCallTag "mcp_call" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The MCP server's name.
        #[record(default)]
        pub server_label: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// The arguments as JSON text.
        #[record(default)]
        pub arguments: String,
        /// The output.
        pub output: Option<String>,
        /// The error, if the call failed.
        pub error: Json,
        /// Members that a model server attached to the item, for that server.
        #[record(extra)]
        pub extra: JsonObject,
    }

    /// A request for approval to call an MCP tool.
    McpApprovalRequestItem McpApprovalRequestTag "mcp_approval_request" {
        /// The MCP server's name.
        #[record(default)]
        pub server_label: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// The arguments as JSON text.
        #[record(default)]
        pub arguments: String,
    }

    /// The response to an approval request.
    McpApprovalResponseItem McpApprovalResponseTag "mcp_approval_response" {
        /// The id of the approval request.
        #[record(default)]
        pub approval_request_id: String,
        /// Whether the call is approved.
        #[record(default)]
        pub approve: bool,
        /// The reason for the decision.
        pub reason: Option<String>,
    }

    /// An image generated by an agent.
    ImageGenerationItem ImageGenerationTag "image_generation_call" {
        /// The status.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The image in Base64.
        pub result: Option<String>,
    }
}

one_of! {
    /// An item of a response or of its input.
    pub enum ResponseItem {
        /// A message.
        Message "message" (MessageItem),
        /// Reasoning.
        Reasoning "reasoning" (ReasoningItem),
        /// A function call.
        FunctionCall "function_call" (FunctionCallItem),
        /// The output of a function call.
        FunctionCallOutput "function_call_output" (FunctionCallOutputItem),
        /// A call of a tool that takes plain text.
        CustomToolCall "custom_tool_call" (CustomToolCallItem),
        /// The output of such a tool.
        CustomToolCallOutput "custom_tool_call_output" (CustomToolCallOutputItem),
        /// The tools of an MCP server.
        McpListTools "mcp_list_tools" (McpListToolsItem),
        /// An MCP tool call.
        McpCall "mcp_call" (McpCallItem),
        /// A request for approval to call an MCP tool.
        McpApprovalRequest "mcp_approval_request" (McpApprovalRequestItem),
        /// The response to it.
        McpApprovalResponse "mcp_approval_response" (McpApprovalResponseItem),
        /// An image.
        ImageGeneration "image_generation_call" (ImageGenerationItem),
    }
}
