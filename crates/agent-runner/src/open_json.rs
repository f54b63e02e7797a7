//! A JSON object as a setting, in a configuration file of any format.

use agent_schemas::{Json, JsonObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub(crate) fn serialize<S: Serializer>(members: &JsonObject, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::to_value(members).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject, D::Error> {
    let members = Map::<String, Value>::deserialize(deserializer)?;
    Ok(members.into_iter().map(|(key, value)| (key, Json::from(value))).collect())
}

/// The same for an object that may be missing.
pub(crate) mod optional {
    use super::{Deserializer, JsonObject, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        members: &Option<JsonObject>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match members {
            Some(members) => super::serialize(members, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<JsonObject>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}
