//! The messages of a conversation with a model.

use agent_schemas_derive::Record;

use super::content::{ContentSummary, MessageContent};
use crate::call::FunctionCall;
use crate::json::{Json, JsonObject};

/// A call of a tool in a message of the assistant.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OpenAIToolCall {
    /// Its position among the calls of the message.
    #[record(default)]
    pub index: i64,
    /// Names the call; the answer names it too.
    #[record(required)]
    pub id: String,
    /// What kind of tool it is: `function`.
    #[record(name = "type")]
    pub kind: Option<String>,
    /// The function and its arguments.
    #[record(required)]
    pub function: FunctionCall,
}

/// Defines a message: the fields that all have, then its own.
macro_rules! message {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident [$($role:tt)*] { $($fields:tt)* }
    ) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// Who speaks.
            #[record($($role)*)]
            pub role: String,
            /// What is said; null in a message that only calls tools.
            pub content: Option<MessageContent>,
            /// The speaker's name, to tell apart speakers of one role.
            pub name: Option<String>,
            /// The tools that the assistant calls.
            pub tool_calls: Option<Vec<OpenAIToolCall>>,
            $($fields)*
            /// Every other member, in the order in which it came.
            #[record(extra)]
            pub extra: JsonObject,
        }

        impl $name {
            /// The text, or that of the first text part; the peer's `get_text_content`.
            pub fn text_content(&self) -> Option<&str> {
                self.content.as_ref()?.text()
            }

            /// The URLs of all images; the peer's `get_image_content`.
            pub fn image_content(&self) -> Vec<&str> {
                self.content.as_ref().map(MessageContent::images).unwrap_or_default()
            }

            /// All sounds as `data:` URLs; the peer's `get_audio_content`.
            pub fn audio_content(&self) -> Vec<String> {
                self.content.as_ref().map(MessageContent::audios).unwrap_or_default()
            }

            /// Whether there is anything but text; the peer's `has_multimodal_content`.
            pub fn has_multimodal_content(&self) -> bool {
                self.content.as_ref().is_some_and(MessageContent::is_multimodal)
            }

            /// How much of what there is; the peer's `get_content_summary`.
            pub fn content_summary(&self) -> ContentSummary {
                self.content.as_ref().map(MessageContent::summary).unwrap_or_default()
            }
        }
    };
}

message! {
    /// A message of any role.
    ///
    /// What other servers and clients put beside the known fields is kept.
    pub struct OpenAIMessage [required] {}
}

message! {
    /// What the user says.
    pub struct UserMessage [default = "user".to_owned()] {}
}

message! {
    /// What the model says and which tools it calls.
    pub struct AssistantMessage [default = "assistant".to_owned()] {}
}

message! {
    /// What the application tells the model.
    pub struct SystemMessage [default = "system".to_owned()] {}
}

message! {
    /// What a tool answered.
    pub struct ToolMessage [default = "tool".to_owned()] {
        /// The call that is answered.
        #[record(required)]
        pub tool_call_id: String,
    }
}

/// Messages of one role are messages of any role.
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

/// The call that is answered is kept beside the fields.
impl From<ToolMessage> for OpenAIMessage {
    fn from(message: ToolMessage) -> Self {
        let ToolMessage { role, content, name, tool_calls, tool_call_id, mut extra } = message;
        extra.insert("tool_call_id".to_owned(), Json::from(tool_call_id));
        OpenAIMessage { role, content, name, tool_calls, extra }
    }
}
