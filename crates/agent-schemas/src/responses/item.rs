//! Items: what a response is made of, and the input to one.

use crate::call::McpListToolsTool;
use crate::json::Json;
use crate::record::record;
use crate::string_enum::literal;

use super::ItemStatus;
use super::one_of::one_of;
use super::part::ResponsePart;

/// Defines items and the types of their tags.
macro_rules! items {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $tag_name:ident $tag:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty $(= $required:ident)? $(=> $default:expr)?,)*
        }
    )*) => {$(
        record! {
            $(#[doc = $doc])*
            pub struct $name {
                /// What the item is.
                kind as "type": $tag_name => $tag_name,
                /// Names it.
                id: String = required,
                $($(#[doc = $field_doc])* $field: $type $(= $required)? $(=> $default)?,)*
            }
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
        status: ItemStatus => ItemStatus::InProgress,
        /// `assistant`, or in what was said to an agent also `user`, `system` and `developer`.
        role: String => "assistant".to_owned(),
        /// Its parts.
        content: Vec<ResponsePart> => Vec::<ResponsePart>::new(),
    }

    /// A model's reasoning.
    ReasoningItem ReasoningTag "reasoning" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::InProgress,
        /// What it amounts to; always empty, as agents show the reasoning itself.
        summary: Vec<Json> => Vec::<Json>::new(),
        /// The reasoning itself.
        content: Vec<ResponsePart> => Vec::<ResponsePart>::new(),
    }

    /// A call of a tool.
    FunctionCallItem FunctionCallTag "function_call" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::InProgress,
        /// Names the call; its output names it too.
        call_id: String => String::new(),
        /// The tool's name.
        name: String => String::new(),
        /// The arguments as JSON text.
        arguments: String => String::new(),
    }

    /// What a tool answered.
    FunctionCallOutputItem FunctionCallOutputTag "function_call_output" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::Completed,
        /// The call that is answered.
        call_id: String => String::new(),
        /// The answer: a text, or parts as in a message.
        output: Json,
    }

    /// A call of a tool that takes plain text.
    CustomToolCallItem CustomToolCallTag "custom_tool_call" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::InProgress,
        /// Names the call; its output names it too.
        call_id: String => String::new(),
        /// The tool's name.
        name: String => String::new(),
        /// What it is given.
        input: String => String::new(),
    }

    /// What such a tool answered.
    CustomToolCallOutputItem CustomToolCallOutputTag "custom_tool_call_output" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::Completed,
        /// The call that is answered.
        call_id: String => String::new(),
        /// The answer: a text, or parts as in a message.
        output: Json,
    }

    /// The tools of an MCP server.
    McpListToolsItem McpListToolsTag "mcp_list_tools" {
        /// The server's name.
        server_label: String => String::new(),
        /// Its tools.
        tools: Vec<McpListToolsTool> => Vec::<McpListToolsTool>::new(),
        /// Why they could not be listed.
        error: Option<String>,
    }

    /// A call of an MCP tool, with what it answered.
    McpCallItem McpCallTag "mcp_call" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::InProgress,
        /// The MCP server's name.
        server_label: String => String::new(),
        /// The tool's name.
        name: String => String::new(),
        /// The arguments as JSON text.
        arguments: String => String::new(),
        /// What it answered.
        output: Option<String>,
        /// Why it failed.
        error: Json,
    }

    /// A question whether an MCP tool may be called.
    McpApprovalRequestItem McpApprovalRequestTag "mcp_approval_request" {
        /// The MCP server's name.
        server_label: String => String::new(),
        /// The tool's name.
        name: String => String::new(),
        /// The arguments as JSON text.
        arguments: String => String::new(),
    }

    /// The answer to such a question.
    McpApprovalResponseItem McpApprovalResponseTag "mcp_approval_response" {
        /// The question that is answered.
        approval_request_id: String => String::new(),
        /// Whether the tool may be called.
        approve: bool => false,
        /// Why.
        reason: Option<String>,
    }

    /// A picture that an agent made.
    ImageGenerationItem ImageGenerationTag "image_generation_call" {
        /// Where it stands.
        status: ItemStatus => ItemStatus::InProgress,
        /// The picture in Base64.
        result: Option<String>,
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
