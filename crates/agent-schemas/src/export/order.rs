//! Puts a schema in reading order: general keywords first, fields in wire order.

use crate::json::{Json, JsonObject, parse};

/// Keywords in their order. Others follow by name.
const KEYWORDS: [&str; 20] = [
    "$schema",
    "$id",
    "title",
    "description",
    "x-version",
    "$ref",
    "type",
    "format",
    "const",
    "enum",
    "minimum",
    "maximum",
    "default",
    "oneOf",
    "anyOf",
    "discriminator",
    "items",
    "properties",
    "required",
    "additionalProperties",
];

/// The schema in reading order. `written` is the written form of the same type: it requires all fields, in wire order.
pub(super) fn in_reading_order(schema: &Json, written: &Json) -> Json {
    let Json::Object(members) = schema else {
        return schema.clone();
    };
    let fields = written.get("required").and_then(Json::as_array).unwrap_or_default();
    let fields: Vec<&str> = fields.iter().filter_map(Json::as_str).collect();
    let ordered = sorted(members, &KEYWORDS).into_iter().map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("properties", Json::Object(properties)) => {
                let properties = sorted(properties, &fields).into_iter();
                Json::Object(properties.map(|(name, value)| (name.clone(), without_fields(value))).collect())
            }
            ("examples", Json::Array(texts)) => Json::Array(texts.iter().map(example).collect()),
            // Values of the type, not schemas.
            ("default" | "const" | "enum" | "required" | "discriminator", value) => value.clone(),
            (_, value) => without_fields(value),
        };
        (key.clone(), value)
    });
    Json::Object(ordered.collect())
}

/// Examples are kept as JSON text, which preserves the order of keys.
fn example(text: &Json) -> Json {
    text.as_str().and_then(|text| parse(text).ok()).unwrap_or_default()
}

/// A schema that is not a record, or a list of such schemas.
fn without_fields(schema: &Json) -> Json {
    match schema {
        Json::Array(items) => Json::Array(items.iter().map(without_fields).collect()),
        other => in_reading_order(other, &Json::Null),
    }
}

/// The members that `first` names, in its order, then all others unchanged.
fn sorted<'a>(members: &'a JsonObject, first: &[&str]) -> Vec<(&'a String, &'a Json)> {
    let mut sorted: Vec<_> = members.iter().collect();
    let position = |key: &str| first.iter().position(|name| *name == key).unwrap_or(first.len());
    sorted.sort_by_key(|(key, _)| position(key));
    sorted
}
