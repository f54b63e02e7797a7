//! Client messages that start and end a voice chat.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json, member};
use crate::json::{Json, JsonObject};
use crate::realtime::chat::{
    ModelstudioVoiceChatDownstream, ModelstudioVoiceChatParameters, ModelstudioVoiceChatUpstream,
};
use crate::realtime::pair::{self, Pair, payloads};
use crate::record::{IfAbsent, members};
use crate::string_enum::closed_enum;
use crate::union::tagged_union;

/// A client message of a voice chat. `directive` names the action and determines the payload.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelstudioVoiceChatRequest {
    /// Starts a session.
    SessionStart(Box<ModelstudioVoiceChatSessionStartPayload>),
    /// Ends the session.
    SessionStop(ModelstudioVoiceChatSessionStopPayload),
}

closed_enum! {
    /// The actions of a client.
    pub enum ModelstudioVoiceChatDirective {
        /// Starts a session.
        SessionStart = "SessionStart",
        /// Ends the session.
        SessionStop = "SessionStop",
    }
}

/// Session settings.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatSessionStartPayload {
    /// The session id, if the client chooses it.
    pub session_id: Option<String>,
    /// Settings of the client's input.
    #[record(default = Some(ModelstudioVoiceChatUpstream::default()))]
    pub upstream: Option<ModelstudioVoiceChatUpstream>,
    /// Settings of the server's output.
    #[record(default = Some(ModelstudioVoiceChatDownstream::default()))]
    pub downstream: Option<ModelstudioVoiceChatDownstream>,
    /// What the agent may use.
    #[record(default = Some(ModelstudioVoiceChatParameters::default()))]
    pub parameters: Option<ModelstudioVoiceChatParameters>,
}

/// Ending a session needs no payload; any payload is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelstudioVoiceChatSessionStopPayload {}

payloads! {
    "directive", IfAbsent::Filled,
    ModelstudioVoiceChatSessionStartPayload = "SessionStart",
    ModelstudioVoiceChatSessionStopPayload = "SessionStop",
}

impl ModelstudioVoiceChatRequest {
    /// The action, without its payload.
    pub fn directive(&self) -> ModelstudioVoiceChatDirective {
        match self {
            ModelstudioVoiceChatRequest::SessionStart(_) => ModelstudioVoiceChatDirective::SessionStart,
            ModelstudioVoiceChatRequest::SessionStop(_) => ModelstudioVoiceChatDirective::SessionStop,
        }
    }
}

impl Serialize for ModelstudioVoiceChatRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let directive = ("directive", self.directive());
        match self {
            ModelstudioVoiceChatRequest::SessionStart(payload) => {
                pair::serialize(serializer, directive, payload)
            }
            ModelstudioVoiceChatRequest::SessionStop(payload) => {
                pair::serialize(serializer, directive, payload)
            }
        }
    }
}

/// An absent or null payload counts as an empty one.
impl FromJson for ModelstudioVoiceChatRequest {
    fn from_json(json: Json) -> Decoded<Self> {
        let (directive, mut members) = pair::take(json, "directive")?;
        let directive = member("directive", directive)?;
        let payload = members.shift_remove("payload").filter(|payload| !payload.is_null());
        let payload = payload.unwrap_or_else(|| JsonObject::new().into());
        match directive {
            ModelstudioVoiceChatDirective::SessionStart => {
                member("payload", payload).map(Box::new).map(ModelstudioVoiceChatRequest::SessionStart)
            }
            ModelstudioVoiceChatDirective::SessionStop => {
                member("payload", payload).map(ModelstudioVoiceChatRequest::SessionStop)
            }
        }
    }
}

impl JsonSchema for ModelstudioVoiceChatRequest {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ModelstudioVoiceChatRequest")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let doc =
            ["A client message of a voice chat. `directive` names the action and determines `payload`."];
        let alternatives = [
            ("SessionStart", generator.subschema_for::<Pair<ModelstudioVoiceChatSessionStartPayload>>()),
            ("SessionStop", generator.subschema_for::<Pair<ModelstudioVoiceChatSessionStopPayload>>()),
        ];
        tagged_union(&doc, "directive", &alternatives)
    }
}

impl Serialize for ModelstudioVoiceChatSessionStopPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonObject::new().serialize(serializer)
    }
}

impl FromJson for ModelstudioVoiceChatSessionStopPayload {
    fn from_json(json: Json) -> Decoded<Self> {
        members(json).map(|_| ModelstudioVoiceChatSessionStopPayload {})
    }
}

impl JsonSchema for ModelstudioVoiceChatSessionStopPayload {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ModelstudioVoiceChatSessionStopPayload")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object", "description": "An empty object." })
    }
}

deserialize_from_json!(ModelstudioVoiceChatRequest, ModelstudioVoiceChatSessionStopPayload);
