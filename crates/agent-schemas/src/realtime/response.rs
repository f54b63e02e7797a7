//! Server messages of a voice chat.

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
    /// The events of a voice chat.
    pub enum ModelstudioVoiceChatEvent {
        /// The session has started.
        SessionStarted = "SessionStarted",
        /// The session has ended.
        SessionStopped = "SessionStopped",
        /// What the user said.
        AudioTranscript = "AudioTranscript",
        /// What the agent answers.
        ResponseText = "ResponseText",
        /// The audio of the answer starts.
        ResponseAudioStarted = "ResponseAudioStarted",
        /// The audio of the answer has ended.
        ResponseAudioEnded = "ResponseAudioEnded",
    }
}

/// Defines a payload that starts with the session id.
macro_rules! session_record {
    ($(#[doc = $doc:literal])* $name:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The session id.
            pub session_id: Option<String>,
            $($fields)*
        }
    };
}

session_record! {
    /// The session has started.
    ModelstudioVoiceChatSessionStartedPayload {}
}

session_record! {
    /// The session has ended.
    ModelstudioVoiceChatSessionStoppedPayload {}
}

session_record! {
    /// What the user said.
    ModelstudioVoiceChatAudioTranscriptPayload {
        /// The transcript so far.
        #[record(default = Some(String::new()))]
        pub text: Option<String>,
        /// Whether the sentence is complete.
        #[record(default)]
        pub finished: bool,
    }
}

session_record! {
    /// What the agent answers.
    ModelstudioVoiceChatResponseTextPayload {
        /// The text of the answer.
        #[record(default = Some(String::new()))]
        pub text: Option<String>,
        /// Tool calls, in parts as the model generates them.
        #[record(default = Some(Vec::new()))]
        pub tool_calls: Option<Vec<ChoiceDeltaToolCall>>,
        /// Whether the answer is complete.
        #[record(default)]
        pub finished: bool,
    }
}

session_record! {
    /// The audio of the answer starts.
    ModelstudioVoiceChatResponseAudioStartedPayload {}
}

session_record! {
    /// The audio of the answer has ended.
    ModelstudioVoiceChatResponseAudioStoppedPayload {}
}

/// Defines the enum of the events and their payloads.
macro_rules! responses {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($variant:ident($payload:ident) = $text:literal,)*
    }) => {
        $(#[$meta])*
        pub enum $name {
            $(#[doc = concat!("The event `", $text, "`.")] $variant($payload),)*
            /// An unknown event, or none, kept unchanged. Only produced by reading.
            #[non_exhaustive]
            Other {
                /// The name of the event.
                event: Option<ModelstudioVoiceChatEvent>,
                /// The payload.
                payload: Json,
            },
        }

        payloads! { "event", IfAbsent::Refused, $($payload = $text,)* }

        impl $name {
            /// The event's name, without its payload.
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
                    "A server message of a voice chat. `event` names the event and determines `payload`.",
                    "Later versions may add events; clients should ignore unknown ones.",
                ];
                let alternatives = [$(($text, generator.subschema_for::<Pair<$payload>>()),)*];
                tagged_union(&doc, "event", &alternatives)
            }
        }

        deserialize_from_json!($name);
    };
}

responses! {
    /// A server message of a voice chat. `event` names the event and determines the payload.
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
