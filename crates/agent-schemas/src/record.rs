//! What the code of `#[derive(Record)]` calls: the steps of reading, and the schema.

mod schema;

use crate::decode::{Decoded, FromJson, ValidationError, missing};
use crate::json::{Json, JsonObject};
pub(crate) use schema::{Field, IfAbsent, RecordSchema, description};

/// The members of an object that is read as a record.
pub(crate) fn members(json: Json) -> Decoded<JsonObject> {
    match json {
        Json::Object(members) => Ok(members),
        other => Err(ValidationError::new("model_type", "expected an object", other)),
    }
}

/// The members without aliases of fields whose own names are present.
pub(crate) fn without_shadowed(mut members: JsonObject, aliases: &[(&str, &str)]) -> JsonObject {
    for (name, alias) in aliases {
        if members.contains_key(*name) {
            members.shift_remove(*alias);
        }
    }
    members
}

/// Rejects an object that lacks a required member.
pub(crate) fn check_required(required: &[&str], members: &JsonObject) -> Decoded<()> {
    match required.iter().find(|key| !members.contains_key(**key)) {
        Some(key) => Err(missing(key, Json::Object(members.clone()))),
        None => Ok(()),
    }
}

/// Rejects a number outside the range. Values that are not numbers are left to the field's type.
pub(crate) fn check_range(key: &str, value: &Json, min: f64, max: f64) -> Decoded<()> {
    let fault = |kind, message: String| Err(ValidationError::new(kind, message, value.clone()).at(key));
    match f64::from_json(value.clone()) {
        Ok(number) if number < min => fault("greater_than_equal", format!("should be at least {min}")),
        Ok(number) if number > max => fault("less_than_equal", format!("should be at most {max}")),
        _ => Ok(()),
    }
}
