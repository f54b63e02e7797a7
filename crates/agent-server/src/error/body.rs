//! The JSON body of errors in the native protocol.

use agent_schemas::{ErrorBody, Json, JsonObject, Step};
use serde::Serialize;
use serde_json::value::RawValue;

use super::ApiError;

/// The maximum size of an invalid value in an error.
const SHOWN_INPUT_BYTES: usize = 1024;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    detail: Detail<'a>,
    error: ErrorBody,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Detail<'a> {
    Faults([Fault<'a>; 1]),
    Sentence(String),
}

#[derive(Serialize)]
struct Fault<'a> {
    r#type: &'a str,
    loc: Vec<Location<'a>>,
    msg: String,
    input: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Context>,
}

#[derive(Serialize)]
struct Context {
    error: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Location<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Body<'a> {
    pub(super) fn new(cause: &'a ApiError, error: ErrorBody) -> Self {
        let detail = match cause {
            ApiError::Invalid(fault) => Detail::Faults([Fault {
                r#type: fault.kind,
                loc: std::iter::once(Location::Key("body"))
                    .chain(fault.location.iter().map(location))
                    .collect(),
                msg: fault.message.clone(),
                input: shown(&fault.input),
                ctx: None,
            }]),
            ApiError::Malformed(fault) => Detail::Faults([Fault {
                r#type: "json_invalid",
                loc: vec![Location::Key("body"), Location::Index(fault.offset)],
                msg: "JSON decode error".to_owned(),
                input: shown(&Json::Object(JsonObject::new())),
                ctx: Some(Context { error: fault.kind.to_string() }),
            }]),
            _ => Detail::Sentence(error.message.clone()),
        };
        Body { detail, error }
    }
}

fn location(step: &Step) -> Location<'_> {
    match step {
        Step::Key(key) => Location::Key(key),
        Step::Index(index) => Location::Index(*index),
    }
}

/// An invalid value as JSON; if it is too large, the beginning of its text.
fn shown(input: &Json) -> Box<RawValue> {
    let mut text = input.to_string();
    if text.len() > SHOWN_INPUT_BYTES {
        text.truncate(text.floor_char_boundary(SHOWN_INPUT_BYTES));
        text = Json::String(format!("{text}…")).to_string();
    }
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
