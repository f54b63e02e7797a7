//! What an operator adds to the requests of a `chat` agent: headers and members of the body.

use std::collections::BTreeMap;
use std::fmt;

use agent_schemas::SecretText;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ChatError;

/// Shown instead of a header's value.
const REDACTED: &str = "[redacted]";

/// Headers that the HTTP client sets itself.
const OWN_HEADERS: [&str; 5] = ["content-length", "content-type", "host", "transfer-encoding", "connection"];

/// Members of a request's body that the agent sets itself.
pub(super) const OWN_MEMBERS: [&str; 5] = ["model", "messages", "stream", "stream_options", "tools"];

/// Headers by name. Their values may be secrets: `Debug` and serialization show `[redacted]` instead.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraHeaders(BTreeMap<String, SecretText>);

impl ExtraHeaders {
    /// Adds a header, or replaces its value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<SecretText>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The headers as the HTTP client takes them, marked as sensitive.
    pub(super) fn to_map(&self) -> Result<HeaderMap, ChatError> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.0 {
            let fault = |reason| ChatError::Header { name: name.clone(), reason };
            let parsed: HeaderName = name.parse().map_err(|_| fault("is not the name of a header"))?;
            if OWN_HEADERS.contains(&parsed.as_str()) {
                return Err(fault("is set by the HTTP client"));
            }
            let value = HeaderValue::from_str(value.expose().trim());
            let mut value = value.map_err(|_| fault("has a value with characters that are not allowed"))?;
            value.set_sensitive(true);
            map.insert(parsed, value);
        }
        Ok(map)
    }
}

impl<'de> Deserialize<'de> for ExtraHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let headers = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(ExtraHeaders(headers.into_iter().map(|(name, value)| (name, value.into())).collect()))
    }
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, REDACTED))).finish()
    }
}

impl Serialize for ExtraHeaders {
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

    fn headers(name: &str, value: &str) -> ExtraHeaders {
        let mut headers = ExtraHeaders::default();
        headers.insert(name, value);
        headers
    }

    #[test]
    fn headers__value__is_never_shown() {
        let headers = headers("X-Key", "geheim");
        assert_eq!(format!("{headers:?}"), r#"{"X-Key": "[redacted]"}"#);
        assert_eq!(serde_json::to_string(&headers).expect("JSON"), r#"{"X-Key":"[redacted]"}"#);
        let map = headers.to_map().expect("a header");
        assert_eq!(map["x-key"], "geheim");
        assert!(!format!("{map:?}").contains("geheim"));
    }

    #[test]
    fn headers__invalid__are_refused_by_name() {
        for (name, value, expected) in [
            ("a b", "x", "the header 'a b' in extra_headers is not the name of a header"),
            ("Host", "x", "the header 'Host' in extra_headers is set by the HTTP client"),
            ("a", "x\ny", "the header 'a' in extra_headers has a value with characters that are not allowed"),
        ] {
            let error = headers(name, value).to_map().expect_err(name);
            assert_eq!(error.to_string(), expected);
        }
    }
}
