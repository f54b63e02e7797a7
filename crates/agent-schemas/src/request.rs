//! The request that a client sends to an agent.

use std::borrow::Cow;
use std::sync::LazyLock;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::record::check_range;
use crate::run_options::RunOptions;
use crate::tool::RequestTool;
use crate::union::untagged_union;

/// A request to run an agent.
///
/// Other members are kept, and the agent may interpret them ([`AgentRequest::extra_member`]).
#[derive(Clone, Debug, PartialEq, Record)]
#[record(describe = with_run_options)]
#[record(
    example = r#"{"input": [{"role": "user", "content": [{"type": "text", "text": "What is 6 times 7?"}]}]}"#
)]
#[non_exhaustive]
pub struct AgentRequest {
    /// The conversation so far, or its new part.
    #[record(required)]
    pub input: Vec<Message>,
    /// Whether the response is a stream of events or one object.
    #[record(default = true)]
    pub stream: bool,
    /// The response id, if the client chooses it.
    pub id: Option<String>,
    /// The model, or the name of a served agent.
    pub model: Option<String>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// The sampling temperature.
    pub temperature: Option<f64>,
    /// Penalizes tokens by how often they have appeared.
    pub frequency_penalty: Option<f64>,
    /// Penalizes tokens that have appeared at all.
    pub presence_penalty: Option<f64>,
    /// The maximum number of tokens to generate.
    pub max_tokens: Option<i64>,
    /// Stop sequences.
    pub stop: Option<Stop>,
    /// How many choices to generate.
    #[record(default = Some(1), range(1, 5))]
    pub n: Option<i64>,
    /// The sampling seed.
    pub seed: Option<i64>,
    /// Tools that the model may call. The client runs them.
    pub tools: Option<Vec<RequestTool>>,
    /// The session id.
    pub session_id: Option<String>,
    /// The user id.
    pub user_id: Option<String>,
    /// The members of a request of another protocol that have no counterpart here. The server fills this in; a native
    /// request has its additional members next to `input`.
    #[record(omitted)]
    pub foreign: Option<JsonObject>,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// The declared members.
static DECLARED: LazyLock<JsonObject> = LazyLock::new(|| {
    let request = AgentRequest { foreign: Some(JsonObject::new()), ..AgentRequest::default() };
    match Json::from_serialize(&request) {
        Ok(Json::Object(members)) => members,
        _ => JsonObject::new(),
    }
});

/// Adds the run options, which a request gives next to the declared fields.
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
            let description = description.as_ref().and_then(|text| text.as_str()).unwrap_or_default();
            let described = serde_json::json!({
                "description": format!("{} Defaults to the server's setting.", description.replace('\n', " ")),
                "anyOf": [words(option), { "type": "null" }],
            });
            properties.insert(name, described);
        }
    }
    schema
}

/// A choice between words as a plain enumeration, for which generators make better types.
fn words(option: serde_json::Value) -> serde_json::Value {
    let choices = option.get("oneOf").and_then(|choices| choices.as_array());
    let words: Option<Vec<_>> =
        choices.and_then(|choices| choices.iter().map(|choice| choice.get("const")).collect());
    match words {
        Some(words) => serde_json::json!({ "type": "string", "enum": words }),
        None => option,
    }
}

/// Stop sequences: one text, or any of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// One text.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl AgentRequest {
    /// A request with this input and default values for everything else.
    pub fn new(input: Vec<Message>) -> Self {
        AgentRequest { input, ..AgentRequest::default() }
    }

    /// Reads and checks a request.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn from_json(json: Json) -> Result<Self, ValidationError> {
        <Self as FromJson>::from_json(json)
    }

    /// A member that is not declared here: one of this request, or one of the other protocol's request that it was created
    /// from.
    pub fn extra_member(&self, name: &str) -> Option<&Json> {
        self.extra.get(name).or_else(|| self.foreign.as_ref()?.get(name))
    }

    /// Rejects values that the types allow but reading would reject, so that a request that a program has built can be
    /// stored and read again. A request that was read has no such values.
    ///
    /// # Errors
    /// The first member that could not be read again.
    pub fn check(&self) -> Result<(), ValidationError> {
        if let Some(name) = self.extra.keys().find(|name| DECLARED.contains_key(*name)) {
            let message = "a declared member cannot be among the additional members";
            return Err(ValidationError::new("extra_forbidden", message, Json::Null).at(name.as_str()));
        }
        if let Some(n) = self.n {
            check_range("n", &Json::from(n), 1.0, 5.0)?;
        }
        for (name, number) in [
            ("top_p", self.top_p),
            ("temperature", self.temperature),
            ("frequency_penalty", self.frequency_penalty),
            ("presence_penalty", self.presence_penalty),
        ] {
            if number.is_some_and(|number| !number.is_finite()) {
                return Err(
                    ValidationError::new("finite_number", "should be a finite number", Json::Null).at(name)
                );
            }
        }
        Ok(())
    }

    /// The texts of the last user message, concatenated; empty if there is none.
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
        untagged_union(&["Stop sequences."], &alternatives)
    }
}

deserialize_from_json!(Stop);
