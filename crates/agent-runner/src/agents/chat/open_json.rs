//! A JSON object as a setting, in a configuration file of any format.

use agent_schemas::{Json, JsonObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub(super) fn serialize<S: Serializer>(members: &JsonObject, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::to_value(members).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject, D::Error> {
    let members = Map::<String, Value>::deserialize(deserializer)?;
    Ok(members.into_iter().map(|(key, value)| (key, Json::from(value))).collect())
}
