//! Reads the output of model servers.

use crate::json::JsonObject;

/// Treats null as absence: some servers write null where others omit the field.
pub(super) fn nulls_are_absent(mut members: JsonObject, fields: &[&str]) -> JsonObject {
    members.retain(|key, value| !value.is_null() || !fields.contains(&key.as_str()));
    members
}
