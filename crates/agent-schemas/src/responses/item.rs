//! Items: what a response is made of, and the input to one.

use agent_schemas_derive::Record;

use crate::call::McpListToolsTool;
use crate::json::Json;
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
            /// What the item is.
            #[record(name = "type", default = $tag_name)]
            pub kind: $tag_name,
            /// Names it.
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
    /// Something said.
    MessageItem MessageItemTag "message" {
        /// Where it stands.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// `assistant`, or in what was said to an agent also `user`, `system` and `developer`.
        #[record(default = "assistant".to_owned())]
        pub role: String,
        /// Its parts.
        #[record(default)]
        pub content: Vec<ResponsePart>,
    }

    /// A model's reasoning.
    ReasoningItem ReasoningTag "reasoning" {
        /// Where it stands.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// What it amounts to; always empty, as agents show the reasoning itself.
        #[record(default)]
        pub summary: Vec<Json>,
        /// The reasoning itself.
        #[record(default)]
        pub content: Vec<ResponsePart>,
    }

    /// A call of a tool.
    FunctionCallItem FunctionCallTag "function_call" {
        /// Where it stands.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// Names the call; its output names it too.
        #[record(default)]
        pub call_id: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// The arguments as JSON text.
        #[record(default)]
        pub arguments: String,
    }

    /// What a tool answered.
    FunctionCallOutputItem FunctionCallOutputTag "function_call_output" {
        /// Where it stands.
        #[record(default = ItemStatus::Completed)]
        pub status: ItemStatus,
        /// The call that is answered.
        #[record(default)]
        pub call_id: String,
        /// The answer: a text, or parts as in a message.
        pub output: Json,
    }

    /// A call of a tool that takes plain text.
    CustomToolCallItem CustomToolCallTag "custom_tool_call" {
        /// Where it stands.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// Names the call; its output names it too.
        #[record(default)]
        pub call_id: String,
        /// The tool's name.
        #[record(default)]
        pub name: String,
        /// What it is given.
        #[record(default)]
        pub input: String,
    }

    /// What such a tool answered.
    CustomToolCallOutputItem CustomToolCallOutputTag "custom_tool_call_output" {
        /// Where it stands.
        #[record(default = ItemStatus::Completed)]
        pub status: ItemStatus,
        /// The call that is answered.
        #[record(default)]
        pub call_id: String,
        /// The answer: a text, or parts as in a message.
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
        /// Why they could not be listed.
        pub error: Option<String>,
    }

    /// A call of an MCP tool, with what it answered.
    McpCallItem McpCallTag "mcp_call" {
        /// Where it stands.
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
        /// What it answered.
        pub output: Option<String>,
        /// Why it failed.
        pub error: Json,
    }

    /// A question whether an MCP tool may be called.
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

    /// The answer to such a question.
    McpApprovalResponseItem McpApprovalResponseTag "mcp_approval_response" {
        /// The question that is answered.
        #[record(default)]
        pub approval_request_id: String,
        /// Whether the tool may be called.
        #[record(default)]
        pub approve: bool,
        /// Why.
        pub reason: Option<String>,
    }

    /// A picture that an agent made.
    ImageGenerationItem ImageGenerationTag "image_generation_call" {
        /// Where it stands.
        #[record(default = ItemStatus::InProgress)]
        pub status: ItemStatus,
        /// The picture in Base64.
        pub result: Option<String>,
    }
}

one_of! {
    /// An item of a response or of the input to one.
    pub enum ResponseItem {
        /// Something said.
        Message "message" (MessageItem),
        /// Reasoning.
        Reasoning "reasoning" (ReasoningItem),
        /// A call of a tool.
        FunctionCall "function_call" (FunctionCallItem),
        /// Its answer.
        FunctionCallOutput "function_call_output" (FunctionCallOutputItem),
        /// A call of a tool that takes plain text.
        CustomToolCall "custom_tool_call" (CustomToolCallItem),
        /// Its answer.
        CustomToolCallOutput "custom_tool_call_output" (CustomToolCallOutputItem),
        /// The tools of an MCP server.
        McpListTools "mcp_list_tools" (McpListToolsItem),
        /// A call of an MCP tool.
        McpCall "mcp_call" (McpCallItem),
        /// A question whether one may be called.
        McpApprovalRequest "mcp_approval_request" (McpApprovalRequestItem),
        /// The answer to it.
        McpApprovalResponse "mcp_approval_response" (McpApprovalResponseItem),
        /// A picture.
        ImageGeneration "image_generation_call" (ImageGenerationItem),
    }
}
