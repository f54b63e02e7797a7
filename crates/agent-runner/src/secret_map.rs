//! Named values that may be secrets, such as HTTP headers.

use std::collections::BTreeMap;
use std::fmt;

use agent_schemas::SecretText;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Shown instead of a value.
const REDACTED: &str = "[redacted]";

/// Values by name. They may be secrets: `Debug` and serialization show `[redacted]` instead.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretMap(BTreeMap<String, SecretText>);

impl SecretMap {
    /// Adds a value, or replaces it.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<SecretText>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and the values, for the one place that needs them.
    pub(crate) fn expose(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose()))
    }
}

impl<'de> Deserialize<'de> for SecretMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(SecretMap(values.into_iter().map(|(name, value)| (name, value.into())).collect()))
    }
}

impl fmt::Debug for SecretMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, REDACTED))).finish()
    }
}

impl Serialize for SecretMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for name in self.0.keys() {
            map.serialize_entry(name, REDACTED)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map__values__are_never_shown() {
        let mut map = SecretMap::default();
        map.insert("X-Key", "geheim");
        assert_eq!(format!("{map:?}"), r#"{"X-Key": "[redacted]"}"#);
        assert_eq!(serde_json::to_string(&map).expect("JSON"), r#"{"X-Key":"[redacted]"}"#);
        assert_eq!(map.expose().collect::<Vec<_>>(), [("X-Key", "geheim")]);
    }
}
