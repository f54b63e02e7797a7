//! Messages: one thing that was said, called or answered.

use std::borrow::Cow;

use serde::Serialize;

use crate::content::Content;
use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, read_members};
use crate::error::ErrorBody;
use crate::json::{Json, JsonObject};
use crate::open_enum::open_enum;
use crate::status::Status;

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

/// Who speaks. Closed: a request with another role is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The agent.
    Assistant,
    /// The user.
    User,
    /// The application.
    System,
    /// A tool.
    Tool,
}

impl Role {
    /// The string on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Assistant => "assistant",
            Role::User => "user",
            Role::System => "system",
            Role::Tool => "tool",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Role::Assistant, Role::User, Role::System, Role::Tool].into_iter().find(|role| role.as_str() == name)
    }
}

/// One message of a conversation, or (as an event) news about one.
///
/// On the wire every field is present, in the order of this struct.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The event's number in its run.
    pub sequence_number: Option<i64>,
    /// Always `"message"` in what this library writes.
    pub object: Cow<'static, str>,
    /// Where the message stands.
    pub status: Status,
    /// Why it failed.
    pub error: Option<ErrorBody>,
    /// Its id; empty in a parsed request that gave none, until the runner fills it.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
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
        Message {
            sequence_number: None,
            object: Cow::Borrowed("message"),
            status: Status::Created,
            error: None,
            id: id.into(),
            kind,
            role: None,
            content: None,
            code: None,
            message: None,
            usage: None,
            metadata: None,
        }
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

impl FromJson for MessageType {
    fn from_json(json: Json) -> Decoded<Self> {
        String::from_json(json).map(|text| MessageType::from(text.as_str()))
    }
}

impl FromJson for Role {
    fn from_json(json: Json) -> Decoded<Self> {
        let role = json.as_str().and_then(Role::from_name);
        role.ok_or_else(|| {
            ValidationError::new("literal_error", "expected 'assistant', 'system', 'user' or 'tool'", json)
        })
    }
}

impl FromJson for Cow<'static, str> {
    fn from_json(json: Json) -> Decoded<Self> {
        String::from_json(json).map(Cow::Owned)
    }
}

impl FromJson for Message {
    fn from_json(json: Json) -> Decoded<Self> {
        let members = match json {
            Json::Object(members) => members,
            other => return Err(ValidationError::new("model_type", "expected a message object", other)),
        };
        let mut message = Message::new("", MessageType::Message);
        read_members!(members => message {
            "sequence_number": sequence_number,
            "object": object,
            "status": status,
            "error": error,
            "id": id,
            "type": kind,
            "role": role,
            "content": content,
            "code": code,
            "message": message,
            "usage": usage,
            "metadata": metadata,
        });
        Ok(message)
    }
}

deserialize_from_json!(Message, MessageType, Role);
