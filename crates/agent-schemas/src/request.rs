//! The request: what a client asks an agent to do.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json, member, missing};
use crate::json::{Json, JsonObject};
use crate::message::Message;
use crate::tool::RequestTool;

/// A request to run an agent.
///
/// On the wire the declared fields come first, in this order and with explicit nulls; unknown ones follow as they
/// came.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AgentRequest {
    /// The conversation so far or its new part.
    pub input: Vec<Message>,
    /// Whether the answer is a stream of events or one response object.
    pub stream: bool,
    /// The response's id, if the client wants to choose it.
    pub id: Option<String>,
    /// The model, or the name of a served agent.
    pub model: Option<String>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Penalty on tokens by how often they came.
    pub frequency_penalty: Option<f64>,
    /// Penalty on tokens that came at all.
    pub presence_penalty: Option<f64>,
    /// The most tokens to produce.
    pub max_tokens: Option<i64>,
    /// Where to stop.
    pub stop: Option<Stop>,
    /// How many answers to produce, 1 to 5.
    pub n: Option<i64>,
    /// The seed for sampling.
    pub seed: Option<i64>,
    /// Tools that the model may call.
    pub tools: Option<Vec<RequestTool>>,
    /// The conversation's id.
    pub session_id: Option<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// Every other field, in the order in which it came; agents may give them a meaning.
    pub extra: JsonObject,
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
        AgentRequest {
            input,
            stream: true,
            id: None,
            model: None,
            top_p: None,
            temperature: None,
            frequency_penalty: None,
            presence_penalty: None,
            max_tokens: None,
            stop: None,
            n: Some(1),
            seed: None,
            tools: None,
            session_id: None,
            user_id: None,
            extra: JsonObject::new(),
        }
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

impl Serialize for AgentRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("input", &self.input)?;
        out.serialize_entry("stream", &self.stream)?;
        out.serialize_entry("id", &self.id)?;
        out.serialize_entry("model", &self.model)?;
        out.serialize_entry("top_p", &self.top_p)?;
        out.serialize_entry("temperature", &self.temperature)?;
        out.serialize_entry("frequency_penalty", &self.frequency_penalty)?;
        out.serialize_entry("presence_penalty", &self.presence_penalty)?;
        out.serialize_entry("max_tokens", &self.max_tokens)?;
        out.serialize_entry("stop", &self.stop)?;
        out.serialize_entry("n", &self.n)?;
        out.serialize_entry("seed", &self.seed)?;
        out.serialize_entry("tools", &self.tools)?;
        out.serialize_entry("session_id", &self.session_id)?;
        out.serialize_entry("user_id", &self.user_id)?;
        for (key, value) in &self.extra {
            out.serialize_entry(key, value)?;
        }
        out.end()
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

impl FromJson for AgentRequest {
    fn from_json(json: Json) -> Decoded<Self> {
        if json.as_object().is_some_and(|members| !members.contains_key("input")) {
            return Err(missing("input", json));
        }
        let mut request = AgentRequest::new(Vec::new());
        for (key, value) in JsonObject::from_json(json)? {
            match key.as_str() {
                "input" => request.input = member(&key, value)?,
                "stream" => request.stream = member(&key, value)?,
                "id" => request.id = member(&key, value)?,
                "model" => request.model = member(&key, value)?,
                "top_p" => request.top_p = member(&key, value)?,
                "temperature" => request.temperature = member(&key, value)?,
                "frequency_penalty" => request.frequency_penalty = member(&key, value)?,
                "presence_penalty" => request.presence_penalty = member(&key, value)?,
                "max_tokens" => request.max_tokens = member(&key, value)?,
                "stop" => request.stop = member(&key, value)?,
                "n" => request.n = answers(&key, value)?,
                "seed" => request.seed = member(&key, value)?,
                "tools" => request.tools = member(&key, value)?,
                "session_id" => request.session_id = member(&key, value)?,
                "user_id" => request.user_id = member(&key, value)?,
                _ => {
                    request.extra.insert(key, value);
                }
            }
        }
        Ok(request)
    }
}

fn answers(key: &str, value: Json) -> Decoded<Option<i64>> {
    let n: Option<i64> = member(key, value.clone())?;
    match n {
        Some(..1) => Err(ValidationError::new("greater_than_equal", "should be at least 1", value).at(key)),
        Some(6..) => Err(ValidationError::new("less_than_equal", "should be at most 5", value).at(key)),
        _ => Ok(n),
    }
}

deserialize_from_json!(AgentRequest);
