//! Messages: something that was said, called or answered.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use crate::content::Content;
use crate::error::ErrorBody;
use crate::json::JsonObject;
use crate::status::Status;
use crate::string_enum::{closed_enum, open_enum};

open_enum! {
    /// The type of a message. A request may use any string.
    pub enum MessageType {
        /// A plain message.
        Message = "message",
        /// A call of a tool that the client runs.
        FunctionCall = "function_call",
        /// The output of such a tool.
        FunctionCallOutput = "function_call_output",
        /// A call of a tool that the agent runs.
        PluginCall = "plugin_call",
        /// The output of such a tool.
        PluginCallOutput = "plugin_call_output",
        /// A call of a component.
        ComponentCall = "component_call",
        /// The output of a component.
        ComponentCallOutput = "component_call_output",
        /// The tools of an MCP server.
        McpListTools = "mcp_list_tools",
        /// A request for approval to call an MCP tool.
        McpApprovalRequest = "mcp_approval_request",
        /// An MCP tool call.
        McpCall = "mcp_call",
        /// The response to an approval request.
        McpApprovalResponse = "mcp_approval_response",
        /// The output of an MCP tool call.
        McpCallOutput = "mcp_call_output",
        /// The model's reasoning.
        Reasoning = "reasoning",
        /// A heartbeat.
        Heartbeat = "heartbeat",
        /// An error that the agent reports as part of its output.
        Error = "error",
        /// A user interface sent by the agent (A2UI).
        A2uiResponse = "a2ui_response",
        /// The user's action in such an interface (A2UI).
        A2uiAction = "a2ui_action",
    }
}

closed_enum! {
    /// The author of a message. A closed set: a request with another role is rejected.
    pub enum Role {
        /// The agent.
        Assistant = "assistant",
        /// The user.
        User = "user",
        /// The application.
        System = "system",
        /// A tool.
        Tool = "tool",
    }
}

/// One message of a conversation, or an event that updates one.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "sequence_number": 9, "object": "message", "status": "completed", "error": null,
    "id": "msg_6f1c", "type": "message", "role": "assistant",
    "content": [{
        "sequence_number": 8, "object": "content", "status": "completed", "error": null, "type": "text",
        "index": 0, "delta": false, "msg_id": "msg_6f1c", "text": "6 × 7 = 42"
    }],
    "code": null, "message": null, "usage": null, "metadata": null
}"#)]
#[non_exhaustive]
pub struct Message {
    /// The event's sequence number within its run.
    pub sequence_number: Option<i64>,
    /// Always `"message"` when written by the server.
    #[record(default = Cow::Borrowed("message"), constant = "message")]
    pub object: Cow<'static, str>,
    /// The status of the message.
    #[record(default = Status::Created)]
    pub status: Status,
    /// The error, if the message failed.
    pub error: Option<ErrorBody>,
    /// The message id. The server assigns one if it is empty.
    #[record(unset)]
    pub id: String,
    /// The type of the message.
    #[record(name = "type", default = MessageType::Message)]
    pub kind: MessageType,
    /// The author's role.
    pub role: Option<Role>,
    /// The parts; null until the first one is complete.
    pub content: Option<Vec<Content>>,
    /// The error code of a message of type `error`.
    pub code: Option<String>,
    /// The error text of a message of type `error`.
    pub message: Option<String>,
    /// The token usage of the model call behind it.
    pub usage: Option<JsonObject>,
    /// Application-defined metadata.
    pub metadata: Option<JsonObject>,
}

impl Message {
    /// A message without role and content, with status `created`.
    pub fn new(id: impl Into<String>, kind: MessageType) -> Self {
        Message { id: id.into(), kind, ..Message::default() }
    }

    /// A plain user message, as a client sends it.
    pub fn user(text: impl Into<String>) -> Self {
        Message {
            role: Some(Role::User),
            content: Some(vec![Content::text(text)]),
            ..Message::new("", MessageType::Message)
        }
    }

    /// The contents; empty if `content` is null.
    pub fn contents(&self) -> &[Content] {
        self.content.as_deref().unwrap_or_default()
    }

    /// The text of the first text content.
    pub fn text_content(&self) -> Option<&str> {
        self.contents().iter().find(|content| content.body.type_name() == "text")?.as_text()
    }

    /// All texts of the message, concatenated.
    pub fn full_text(&self) -> String {
        self.contents().iter().filter_map(Content::as_text).collect()
    }
}
