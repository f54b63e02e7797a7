//! Messages: one thing that was said, called or answered.

use std::borrow::Cow;

use agent_schemas_derive::Record;

use crate::content::Content;
use crate::error::ErrorBody;
use crate::json::JsonObject;
use crate::status::Status;
use crate::string_enum::{closed_enum, open_enum};

open_enum! {
    /// What a message is. A request may use any string.
    pub enum MessageType {
        /// Something said.
        Message = "message",
        /// A call of a tool that the client runs.
        FunctionCall = "function_call",
        /// What such a tool answered.
        FunctionCallOutput = "function_call_output",
        /// A call of a tool that the agent runs.
        PluginCall = "plugin_call",
        /// What such a tool answered.
        PluginCallOutput = "plugin_call_output",
        /// A call of a component.
        ComponentCall = "component_call",
        /// What a component answered.
        ComponentCallOutput = "component_call_output",
        /// The tools of an MCP server.
        McpListTools = "mcp_list_tools",
        /// A question whether an MCP tool may be called.
        McpApprovalRequest = "mcp_approval_request",
        /// A call of an MCP tool.
        McpCall = "mcp_call",
        /// The answer to an approval request.
        McpApprovalResponse = "mcp_approval_response",
        /// What an MCP tool answered.
        McpCallOutput = "mcp_call_output",
        /// The model's reasoning.
        Reasoning = "reasoning",
        /// A sign of life.
        Heartbeat = "heartbeat",
        /// An error that the agent reports as part of its output.
        Error = "error",
        /// A user interface that the agent sends (A2UI).
        A2uiResponse = "a2ui_response",
        /// What the user did in such an interface (A2UI).
        A2uiAction = "a2ui_action",
    }
}

closed_enum! {
    /// Who speaks. Closed: a request with another role is refused.
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

/// One message of a conversation, or (as an event) news about one.
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
    /// The event's number in its run.
    pub sequence_number: Option<i64>,
    /// Always `"message"` in what the server writes.
    #[record(default = Cow::Borrowed("message"), constant = "message")]
    pub object: Cow<'static, str>,
    /// Where the message stands.
    #[record(default = Status::Created)]
    pub status: Status,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// Its id. The server gives one to a message without; until then it is empty.
    #[record(unset)]
    pub id: String,
    /// What it is.
    #[record(name = "type", default = MessageType::Message)]
    pub kind: MessageType,
    /// Who speaks.
    pub role: Option<Role>,
    /// Its parts; null while none is complete.
    pub content: Option<Vec<Content>>,
    /// The error code of a message of type `error`.
    pub code: Option<String>,
    /// The error text of a message of type `error`.
    pub message: Option<String>,
    /// What the model call behind it used.
    pub usage: Option<JsonObject>,
    /// Anything the application wants to keep with it.
    pub metadata: Option<JsonObject>,
}

impl Message {
    /// A message without role and content, with status `created`.
    pub fn new(id: impl Into<String>, kind: MessageType) -> Self {
        Message { id: id.into(), kind, ..Message::default() }
    }

    /// A plain message of the user, as a client sends it.
    pub fn user(text: impl Into<String>) -> Self {
        Message {
            role: Some(Role::User),
            content: Some(vec![Content::text(text)]),
            ..Message::new("", MessageType::Message)
        }
    }

    /// The contents, none if `content` is null.
    pub fn contents(&self) -> &[Content] {
        self.content.as_deref().unwrap_or_default()
    }

    /// The text of the first text content.
    pub fn text_content(&self) -> Option<&str> {
        self.contents().iter().find(|content| content.body.type_name() == "text")?.as_text()
    }

    /// All texts of the message, joined.
    pub fn full_text(&self) -> String {
        self.contents().iter().filter_map(Content::as_text).collect()
    }
}
