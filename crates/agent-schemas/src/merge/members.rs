//! Members outside the types: vendor-specific additions to chunks.

use crate::json::{Json, JsonObject};

/// Strings that identify something and therefore do not grow.
const NAMES: [&str; 7] = ["id", "call_id", "type", "role", "name", "format", "object"];

/// Adds the members of a delta: texts and arrays are concatenated, objects merged, other values replaced.
pub(super) fn append_members(known: &mut JsonObject, more: &JsonObject) {
    for (key, more) in more {
        let Some(value) = known.get_mut(key) else {
            known.insert(key.clone(), more.clone());
            continue;
        };
        match (value, more) {
            (_, Json::Null) => {}
            (Json::String(name), Json::String(later)) if NAMES.contains(&key.as_str()) => {
                if !later.is_empty() {
                    name.clone_from(later);
                }
            }
            (Json::String(text), Json::String(more)) => text.push_str(more),
            (Json::Array(items), Json::Array(more)) => items.extend_from_slice(more),
            (Json::Object(members), Json::Object(more)) => append_members(members, more),
            (value, more) => *value = more.clone(),
        }
    }
}

/// Takes the members of a later chunk, except nulls.
pub(super) fn replace_members(known: &mut JsonObject, later: &JsonObject) {
    for (key, value) in later {
        if !value.is_null() || !known.contains_key(key) {
            known.insert(key.clone(), value.clone());
        }
    }
}
