//! The request: what a client asks an agent to do.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::message::Message;
use crate::record::record;
use crate::run_options::RunOptions;
use crate::tool::RequestTool;
use crate::union::untagged_union;

record! {
    @non_exhaustive
    /// A request to run an agent.
    ///
    /// Fields besides the declared ones are kept, and the agent may give them a meaning.
    #[example(r#"{"input": [{"role": "user", "content": [{"type": "text", "text": "What is 6 times 7?"}]}]}"#)]
    #[describe(with_run_options)]
    pub struct AgentRequest {
        /// The conversation so far or its new part.
        input: Vec<Message> = required,
        /// Whether the answer is a stream of events or one response object.
        stream: bool => true,
        /// The response's id, if the client wants to choose it.
        id: Option<String>,
        /// The model, or the name of a served agent.
        model: Option<String>,
        /// Nucleus sampling.
        top_p: Option<f64>,
        /// Sampling temperature.
        temperature: Option<f64>,
        /// Penalty on tokens by how often they came.
        frequency_penalty: Option<f64>,
        /// Penalty on tokens that came at all.
        presence_penalty: Option<f64>,
        /// The most tokens to produce.
        max_tokens: Option<i64>,
        /// Where to stop.
        stop: Option<Stop>,
        /// How many answers to produce.
        #[range(1, 5)]
        n: Option<i64> => Some(1),
        /// The seed for sampling.
        seed: Option<i64>,
        /// Tools that the model may call; the client runs them.
        tools: Option<Vec<RequestTool>>,
        /// The conversation's id.
        session_id: Option<String>,
        /// The user's id.
        user_id: Option<String>,
        ..extra
    }
}

/// Adds the options of a run, which a request gives beside the declared fields.
fn with_run_options(mut schema: Schema, generator: &mut SchemaGenerator) -> Schema {
    let mut options = RunOptions::json_schema(generator);
    let options = options.get_mut("properties").and_then(|properties| properties.as_object_mut());
    let properties = schema.get_mut("properties").and_then(|properties| properties.as_object_mut());
    if let (true, Some(properties), Some(options)) =
        (generator.contract().is_deserialize(), properties, options)
    {
        for (name, mut option) in std::mem::take(options) {
            let members = option.as_object_mut();
            let description = members.and_then(|members| {
                members.remove("default");
                members.remove("description")
            });
            let described = serde_json::json!({
                "description": format!(
                    "{} The server's own setting if absent.",
                    description.as_ref().and_then(|text| text.as_str()).unwrap_or_default()
                ),
                "anyOf": [option, { "type": "null" }],
            });
            properties.insert(name, described);
        }
    }
    schema
}

/// Where a model is to stop: before one text, or before any of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// One text.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl AgentRequest {
    /// A request with this input and defaults everywhere else.
    pub fn new(input: Vec<Message>) -> Self {
        AgentRequest { input, ..AgentRequest::default() }
    }

    /// Reads and checks a request.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn from_json(json: Json) -> Result<Self, ValidationError> {
        <Self as FromJson>::from_json(json)
    }

    /// The texts of the last user message, joined; empty where there is none.
    pub fn last_user_text(&self) -> String {
        let last = self.input.iter().rev().find(|message| message.role == Some(crate::Role::User));
        last.map(Message::full_text).unwrap_or_default()
    }
}

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stop::One(text) => text.serialize(serializer),
            Stop::Many(texts) => texts.serialize(serializer),
        }
    }
}

impl FromJson for Stop {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::Array(_) => Vec::from_json(json).map(Stop::Many),
            Json::String(text) => Ok(Stop::One(text)),
            other => {
                Err(ValidationError::new("string_type", "expected a string or an array of strings", other))
            }
        }
    }
}

impl JsonSchema for Stop {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Stop")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [generator.subschema_for::<String>(), generator.subschema_for::<Vec<String>>()];
        untagged_union(&["Where to stop."], &alternatives)
    }
}

deserialize_from_json!(Stop);
