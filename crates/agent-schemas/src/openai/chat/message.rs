//! The messages of a conversation with a model.

use super::content::{ContentSummary, MessageContent};
use crate::call::FunctionCall;
use crate::json::Json;
use crate::record::record;

record! {
    /// A tool call in an assistant message.
    pub struct OpenAIToolCall {
        /// The index of the call in the message.
        index: i64 => 0,
        /// The call id. The tool's message refers to it.
        id: String = required,
        /// The tool type: `function`.
        kind as "type": Option<String>,
        /// The function and its arguments.
        function: FunctionCall = required,
    }
}

/// Defines a message: the fields that all messages share, then its own.
macro_rules! message {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident [$($role:tt)*] { $($fields:tt)* }
    ) => {
        record! {
            $(#[doc = $doc])*
            pub struct $name {
                /// The author's role.
                role: String $($role)*,
                /// The content; null in a message that only calls tools.
                content: Option<MessageContent>,
                /// The author's name, which distinguishes authors with the same role.
                name: Option<String>,
                /// The tool calls of the assistant.
                tool_calls: Option<Vec<OpenAIToolCall>>,
                $($fields)*
                ..extra
            }
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
    pub struct OpenAIMessage [= required] {}
}

message! {
    /// A user message.
    pub struct UserMessage [=> "user".to_owned()] {}
}

message! {
    /// An assistant message: what the model says and which tools it calls.
    pub struct AssistantMessage [=> "assistant".to_owned()] {}
}

message! {
    /// A system message: the application's instructions to the model.
    pub struct SystemMessage [=> "system".to_owned()] {}
}

message! {
    /// The output of a tool.
    pub struct ToolMessage [=> "tool".to_owned()] {
        /// The id of the call.
        tool_call_id: String = required,
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
