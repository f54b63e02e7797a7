//! Reading what model servers write.

use crate::json::JsonObject;

/// Takes null for a field as its absence: some servers write nulls where others leave a field out.
pub(super) fn nulls_are_absent(mut members: JsonObject, fields: &[&str]) -> JsonObject {
    members.retain(|key, value| !value.is_null() || !fields.contains(&key.as_str()));
    members
}
