//! The messages of a conversation with a model.

use agent_schemas_derive::Record;

use super::content::{ContentSummary, MessageContent};
use crate::call::FunctionCall;
use crate::json::{Json, JsonObject};

/// A tool call in an assistant message.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OpenAIToolCall {
    /// The index of the call in the message.
    #[record(default)]
    pub index: i64,
    /// The call id. The tool's message refers to it.
    #[record(required)]
    pub id: String,
    /// The tool type: `function`.
    #[record(name = "type")]
    pub kind: Option<String>,
    /// The function and its arguments.
    #[record(required)]
    pub function: FunctionCall,
}

/// Defines a message: the fields that all messages share, then its own.
macro_rules! message {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident [$($role:tt)*] { $($fields:tt)* }
    ) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The author's role.
            #[record($($role)*)]
            pub role: String,
            /// The content; null in a message that only calls tools.
            pub content: Option<MessageContent>,
            /// The author's name, which distinguishes authors with the same role.
            pub name: Option<String>,
            /// The tool calls of the assistant.
            pub tool_calls: Option<Vec<OpenAIToolCall>>,
            $($fields)*
            /// Every other member, in the order in which it came.
            #[record(extra)]
            pub extra: JsonObject,
        }

        impl $name {
            /// The text, or that of the first text part; upstream's `get_text_content`.
            pub fn text_content(&self) -> Option<&str> {
                self.content.as_ref()?.text()
            }

            /// The URLs of all images; upstream's `get_image_content`.
            pub fn image_content(&self) -> Vec<&str> {
                self.content.as_ref().map(MessageContent::images).unwrap_or_default()
            }

            /// All audio parts as `data:` URLs; upstream's `get_audio_content`.
            pub fn audio_content(&self) -> Vec<String> {
                self.content.as_ref().map(MessageContent::audios).unwrap_or_default()
            }

            /// Whether there is anything other than text; upstream's `has_multimodal_content`.
            pub fn has_multimodal_content(&self) -> bool {
                self.content.as_ref().is_some_and(MessageContent::is_multimodal)
            }

            /// Summarizes the content; upstream's `get_content_summary`.
            pub fn content_summary(&self) -> ContentSummary {
                self.content.as_ref().map(MessageContent::summary).unwrap_or_default()
            }
        }
    };
}

message! {
    /// A message of any role.
    ///
    /// Members that other servers and clients add are kept.
    pub struct OpenAIMessage [required] {}
}

message! {
    /// A user message.
    pub struct UserMessage [default = "user".to_owned()] {}
}

message! {
    /// An assistant message: what the model says and which tools it calls.
    pub struct AssistantMessage [default = "assistant".to_owned()] {}
}

message! {
    /// A system message: the application's instructions to the model.
    pub struct SystemMessage [default = "system".to_owned()] {}
}

message! {
    /// The output of a tool.
    pub struct ToolMessage [default = "tool".to_owned()] {
        /// The id of the call.
        #[record(required)]
        pub tool_call_id: String,
    }
}

/// Converts a message of one role to a message of any role.
macro_rules! into_any_message {
    ($($name:ident),*) => {$(
        impl From<$name> for OpenAIMessage {
            fn from(message: $name) -> Self {
                let $name { role, content, name, tool_calls, extra } = message;
                OpenAIMessage { role, content, name, tool_calls, extra }
            }
        }
    )*};
}

into_any_message!(UserMessage, AssistantMessage, SystemMessage);

/// The call id is kept as an extra member.
impl From<ToolMessage> for OpenAIMessage {
    fn from(message: ToolMessage) -> Self {
        let ToolMessage { role, content, name, tool_calls, tool_call_id, mut extra } = message;
        extra.insert("tool_call_id".to_owned(), Json::from(tool_call_id));
        OpenAIMessage { role, content, name, tool_calls, extra }
    }
}
