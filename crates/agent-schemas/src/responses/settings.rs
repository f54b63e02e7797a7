//! The settings of a request, as the response echoes them.

use agent_schemas_derive::Record;
use indexmap::IndexMap;

use crate::coerce::{strict_flag, strict_integer, strict_number};
use crate::decode::{Decoded, FromJson, ValidationError, member, missing};
use crate::json::{Json, JsonObject};
use crate::object;

/// The settings of a request, with defaults for absent ones. A response echoes all of them.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(prepare = without_nulls)]
#[non_exhaustive]
pub struct ResponseSettings {
    /// Whether the response is generated regardless of whether a client is connected.
    #[record(default, check = strict_flag)]
    pub background: bool,
    /// The conversation that the response continues, as `{"id": "…"}`.
    pub conversation: Option<JsonObject>,
    /// Instructions for this response only.
    pub instructions: Option<String>,
    /// The maximum number of tokens to generate.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_output_tokens: Option<i64>,
    /// The maximum number of tool calls.
    #[record(range(1, i64::MAX), check = strict_integer)]
    pub max_tool_calls: Option<i64>,
    /// Key-value metadata, kept with the response.
    #[record(default, check = check_metadata)]
    pub metadata: IndexMap<String, String>,
    /// The model, or the name of a served agent.
    #[record(default)]
    pub model: String,
    /// Whether the model may call several tools in parallel.
    #[record(default = true, check = strict_flag)]
    pub parallel_tool_calls: bool,
    /// Penalizes tokens that have appeared at all.
    #[record(default, check = strict_number)]
    pub presence_penalty: f64,
    /// Penalizes tokens by how often they have appeared.
    #[record(default, check = strict_number)]
    pub frequency_penalty: f64,
    /// The response to continue from.
    pub previous_response_id: Option<String>,
    /// A key for the model's prompt cache.
    pub prompt_cache_key: Option<String>,
    /// How the model reasons.
    #[record(default = object! { "effort" => Json::Null, "summary" => Json::Null })]
    #[record(check = check_reasoning)]
    pub reasoning: JsonObject,
    /// Identifies the user for abuse detection.
    pub safety_identifier: Option<String>,
    /// The service tier.
    #[record(default = "default".to_owned())]
    pub service_tier: String,
    /// Whether the response can be retrieved later.
    #[record(default = true, check = strict_flag)]
    pub store: bool,
    /// The sampling temperature.
    #[record(default = 1.0, range(0, 2), check = strict_number)]
    pub temperature: f64,
    /// The format of the text.
    #[record(default = object! { "format" => plain_text() }, check = check_text)]
    pub text: JsonObject,
    /// Which tool the model must call.
    #[record(default = Json::from("auto"), check = check_tool_choice)]
    pub tool_choice: Json,
    /// Tools that the model may call.
    #[record(default)]
    pub tools: Vec<JsonObject>,
    /// How many of the most likely tokens to return at each position.
    #[record(default, range(0, 20), check = strict_integer)]
    pub top_logprobs: i64,
    /// Nucleus sampling.
    #[record(default = 1.0, range(0, 1), check = strict_number)]
    pub top_p: f64,
    /// What happens if the conversation exceeds the model's context length.
    #[record(default = "disabled".to_owned())]
    pub truncation: String,
    /// Identifies the user.
    pub user: Option<String>,
}

impl ResponseSettings {
    /// Reads and checks the settings among a request's members.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn from_request(request: &JsonObject) -> Result<Self, ValidationError> {
        let is_setting = |(key, value): &(&String, &Json)| !value.is_null() && key.as_str() != "input";
        let settings = request.iter().filter(is_setting);
        let mut request: JsonObject = settings.map(|(key, value)| (key.clone(), value.clone())).collect();
        // A bare id means the same as an object with that id.
        if let Some(Json::String(id)) = request.get("conversation") {
            let conversation = object! { "id" => id.as_str() };
            request.insert("conversation".to_owned(), conversation.into());
        }
        let mut settings = ResponseSettings::from_json(request.into())?;
        check_word("truncation", &settings.truncation, &["auto", "disabled"])?;
        if settings.service_tier == "auto" {
            settings.service_tier = "default".to_owned();
        }
        add_missing(&mut settings.text, "format", plain_text);
        if let Some(Json::Object(format)) = settings.text.get_mut("format")
            && format.get("type").and_then(Json::as_str) == Some("json_schema")
        {
            add_missing(format, "description", Json::default);
            add_missing(format, "strict", || Json::from(false));
        }
        for key in ["effort", "summary"] {
            add_missing(&mut settings.reasoning, key, Json::default);
        }
        let is_function =
            |tool: &&mut JsonObject| tool.get("type").and_then(Json::as_str) == Some("function");
        for tool in settings.tools.iter_mut().filter(is_function) {
            for key in ["description", "parameters", "strict"] {
                add_missing(tool, key, Json::default);
            }
        }
        Ok(settings)
    }

    /// The settings as a response echoes them.
    pub fn to_object(&self) -> JsonObject {
        match Json::from_serialize(self) {
            Ok(Json::Object(settings)) => settings,
            _ => JsonObject::new(),
        }
    }

    /// The id of the conversation that the response continues.
    pub fn conversation_id(&self) -> Option<&str> {
        self.conversation.as_ref()?.get("id")?.as_str()
    }
}

/// Reads a client's metadata.
///
/// # Errors
/// The first error, with its location.
pub fn read_metadata(metadata: &Json) -> Result<IndexMap<String, String>, ValidationError> {
    check_metadata(metadata)
        .and_then(|()| FromJson::from_json(metadata.clone()))
        .map_err(|fault: ValidationError| fault.at("metadata"))
}

/// An explicit null means the same as absence.
fn without_nulls(mut members: JsonObject, _: &[&str]) -> JsonObject {
    members.retain(|_, value| !value.is_null());
    members
}

/// The default text format.
fn plain_text() -> Json {
    object! { "type" => "text" }.into()
}

/// Adds a member, or replaces its null.
fn add_missing(object: &mut JsonObject, key: &str, value: impl FnOnce() -> Json) {
    match object.get_mut(key) {
        Some(known) if known.is_null() => *known = value(),
        Some(_) => {}
        None => {
            object.insert(key.to_owned(), value());
        }
    }
}

fn check_word(key: &str, word: &str, known: &[&str]) -> Decoded<()> {
    if known.contains(&word) {
        return Ok(());
    }
    let message = format!("expected one of: {}", known.join(", "));
    Err(ValidationError::new("literal_error", message, Json::from(word)).at(key))
}

/// Rejects an invalid text format.
fn check_text(text: &Json) -> Decoded<()> {
    let Some(format) = text.get("format").filter(|format| !format.is_null()) else { return Ok(()) };
    let inside = |fault: ValidationError| fault.at("format");
    let kind: String = required(format, "type").map_err(inside)?;
    if kind == "json_schema" {
        required::<String>(format, "name").map_err(inside)?;
        required::<JsonObject>(format, "schema").map_err(inside)?;
    }
    Ok(())
}

fn check_tool_choice(choice: &Json) -> Decoded<()> {
    match choice {
        Json::Null => Ok(()),
        Json::String(mode) if matches!(mode.as_str(), "auto" | "none" | "required") => Ok(()),
        Json::Object(_) => required::<String>(choice, "type").map(|_| ()),
        other => {
            let message = "expected 'auto', 'none', 'required' or an object with a 'type'";
            Err(ValidationError::new("literal_error", message, other.clone()))
        }
    }
}

fn check_reasoning(reasoning: &Json) -> Decoded<()> {
    for key in ["effort", "summary"] {
        if let Some(value) = reasoning.get(key) {
            member::<Option<String>>(key, value.clone())?;
        }
    }
    Ok(())
}

/// A required member.
fn required<T: FromJson>(object: &Json, key: &str) -> Decoded<T> {
    match object.get(key) {
        Some(value) => member(key, value.clone()),
        None => Err(missing(key, object.clone())),
    }
}

/// Rejects metadata that exceeds OpenAI's limits.
pub(crate) fn check_metadata(metadata: &Json) -> Decoded<()> {
    const PAIRS: usize = 16;
    const KEY: usize = 64;
    const VALUE: usize = 512;
    let Some(members) = metadata.as_object() else { return Ok(()) };
    let too_long = |(key, value): (&String, &Json)| {
        key.chars().count() > KEY || value.as_str().is_some_and(|text| text.chars().count() > VALUE)
    };
    if members.len() > PAIRS || members.iter().any(too_long) {
        let message = format!(
            "expected at most {PAIRS} pairs, with keys of at most {KEY} and values of at most {VALUE} characters"
        );
        return Err(ValidationError::new("too_long", message, metadata.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Result<ResponseSettings, String> {
        let Json::Object(members) = crate::json::parse(json).unwrap() else {
            panic!("{json} is not an object")
        };
        ResponseSettings::from_request(&members).map_err(|fault| fault.to_string())
    }

    #[test]
    fn settings__null__equals_default() {
        let nulls = r#"{"tools":null,"store":null,"metadata":null,"text":null,"tool_choice":null,"temperature":null}"#;
        assert_eq!(settings(nulls), settings("{}"));
        assert_eq!(settings("{}").unwrap().text.get("format"), Some(&object! { "type" => "text" }.into()));
    }

    #[test]
    fn settings__given_members__are_echoed() {
        let said =
            r#"{"conversation":"c","tools":[{"type":"function","name":"f"}],"text":{"verbosity":"low"}}"#;
        let settings = settings(said).unwrap();
        assert_eq!(settings.conversation_id(), Some("c"));
        assert!(settings.tools[0].contains_key("strict") && settings.text.contains_key("format"));
        let again = Json::from_serialize(&settings).unwrap();
        assert_eq!(ResponseSettings::from_json(again), Ok(settings));
    }

    #[test]
    fn text_format__echo__has_every_member() {
        let said = r#"{"text":{"format":{"type":"json_schema","name":"n","schema":{}}}}"#;
        let text = settings(said).unwrap().text;
        let format = object! {
            "type" => "json_schema", "name" => "n", "schema" => JsonObject::new(), "description" => Json::Null,
            "strict" => false
        };
        assert_eq!(text.get("format"), Some(&format.into()));
    }

    #[test]
    fn settings__invalid_member__names_its_path() {
        for (json, fault) in [
            (r#"{"temperature":3}"#, "temperature: should be at most 2"),
            (r#"{"truncation":"no"}"#, "truncation: expected one of: auto, disabled"),
            (r#"{"metadata":{"a":1}}"#, "metadata.a: expected a string"),
            (r#"{"max_output_tokens":0}"#, "max_output_tokens: should be at least 1"),
            (r#"{"top_p":"0.5"}"#, "top_p: expected a number"),
            (r#"{"store":"yes"}"#, "store: expected true or false"),
            (r#"{"max_output_tokens":7.0}"#, "max_output_tokens: expected a JSON integer"),
            (r#"{"tools":{}}"#, "tools: expected an array"),
            (r#"{"text":{"format":{}}}"#, "text.format.type: this field is required"),
            (
                r#"{"text":{"format":{"type":"json_schema","name":"n","schema":7}}}"#,
                "text.format.schema: expected an object",
            ),
            (
                r#"{"tool_choice":"any"}"#,
                "tool_choice: expected 'auto', 'none', 'required' or an object with a 'type'",
            ),
            (r#"{"tool_choice":{}}"#, "tool_choice.type: this field is required"),
            (r#"{"reasoning":{"effort":7}}"#, "reasoning.effort: expected a string"),
        ] {
            assert_eq!(settings(json).unwrap_err(), fault);
        }
    }
}
