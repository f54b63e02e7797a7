//! What a server says in a voice chat.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json, member, missing};
use crate::json::Json;
use crate::openai::chat::ChoiceDeltaToolCall;
use crate::realtime::pair::{self, Pair, payloads};
use crate::record::IfAbsent;
use crate::string_enum::open_enum;
use crate::union::tagged_union;

open_enum! {
    /// What happened in a voice chat.
    pub enum ModelstudioVoiceChatEvent {
        /// The session has begun.
        SessionStarted = "SessionStarted",
        /// The session has ended.
        SessionStopped = "SessionStopped",
        /// This is what the user said.
        AudioTranscript = "AudioTranscript",
        /// This is what the agent answers.
        ResponseText = "ResponseText",
        /// The sound of the answer begins.
        ResponseAudioStarted = "ResponseAudioStarted",
        /// The sound of the answer has ended.
        ResponseAudioEnded = "ResponseAudioEnded",
    }
}

/// Defines a payload that begins with the session's id.
macro_rules! session_record {
    ($(#[doc = $doc:literal])* $name:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The session's id.
            pub session_id: Option<String>,
            $($fields)*
        }
    };
}

session_record! {
    /// The session has begun.
    ModelstudioVoiceChatSessionStartedPayload {}
}

session_record! {
    /// The session has ended.
    ModelstudioVoiceChatSessionStoppedPayload {}
}

session_record! {
    /// What the user said.
    ModelstudioVoiceChatAudioTranscriptPayload {
        /// The text so far.
        #[record(default = Some(String::new()))]
        pub text: Option<String>,
        /// Whether the user has ended the sentence.
        #[record(default)]
        pub finished: bool,
    }
}

session_record! {
    /// What the agent answers.
    ModelstudioVoiceChatResponseTextPayload {
        /// The text.
        #[record(default = Some(String::new()))]
        pub text: Option<String>,
        /// The calls of tools, in parts as the model makes them.
        #[record(default = Some(Vec::new()))]
        pub tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
        /// Whether the answer is whole.
        #[record(default)]
        pub finished: bool,
    }
}

session_record! {
    /// The sound of the answer begins.
    ModelstudioVoiceChatResponseAudioStartedPayload {}
}

session_record! {
    /// The sound of the answer has ended.
    ModelstudioVoiceChatResponseAudioStoppedPayload {}
}

/// Defines the enum of the events with their payloads.
macro_rules! responses {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($variant:ident($payload:ident) = $text:literal,)*
    }) => {
        $(#[$meta])*
        pub enum $name {
            $(#[doc = concat!("The event `", $text, "`.")] $variant($payload),)*
            /// An event that this version does not know, or none, kept as it came. Only reading makes it.
            #[non_exhaustive]
            Other {
                /// What happened.
                event: Option<ModelstudioVoiceChatEvent>,
                /// What belongs to it.
                payload: Json,
            },
        }

        payloads! { "event", IfAbsent::Refused, $($payload = $text,)* }

        impl $name {
            /// What happened, without its payload.
            pub fn event(&self) -> Option<ModelstudioVoiceChatEvent> {
                match self {
                    $($name::$variant(_) => Some(ModelstudioVoiceChatEvent::$variant),)*
                    $name::Other { event, .. } => event.clone(),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let event = ("event", self.event());
                match self {
                    $($name::$variant(payload) => pair::serialize(serializer, event, payload),)*
                    $name::Other { payload, .. } => pair::serialize(serializer, event, payload),
                }
            }
        }

        impl FromJson for $name {
            fn from_json(json: Json) -> Decoded<Self> {
                let (event, mut members) = pair::take(json, "event")?;
                let event = member("event", event)?;
                let payload = members.shift_remove("payload");
                let payload = payload.ok_or_else(|| missing("payload", Json::Object(members)))?;
                match event {
                    $(Some(ModelstudioVoiceChatEvent::$variant) => member("payload", payload).map($name::$variant),)*
                    event => Ok($name::Other { event, payload }),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let doc = [
                    "What a server says in a voice chat; `event` says what happened, and `payload` belongs to it.",
                    "A later version may add events: ignore those unknown to you.",
                ];
                let alternatives = [$(($text, generator.subschema_for::<Pair<$payload>>()),)*];
                tagged_union(&doc, "event", &alternatives)
            }
        }

        deserialize_from_json!($name);
    };
}

responses! {
    /// What a server says in a voice chat. The `event` says what happened, and its payload belongs to it.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub enum ModelstudioVoiceChatResponse {
        SessionStarted(ModelstudioVoiceChatSessionStartedPayload) = "SessionStarted",
        SessionStopped(ModelstudioVoiceChatSessionStoppedPayload) = "SessionStopped",
        AudioTranscript(ModelstudioVoiceChatAudioTranscriptPayload) = "AudioTranscript",
        ResponseText(ModelstudioVoiceChatResponseTextPayload) = "ResponseText",
        ResponseAudioStarted(ModelstudioVoiceChatResponseAudioStartedPayload) = "ResponseAudioStarted",
        ResponseAudioEnded(ModelstudioVoiceChatResponseAudioStoppedPayload) = "ResponseAudioEnded",
    }
}
