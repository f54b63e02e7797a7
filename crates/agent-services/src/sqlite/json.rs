//! JSON texts, as they are stored.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::{Failure, Outcome};
use crate::{Error, ErrorKind, Result};

/// Nesting that every value may have.
const SURE_DEPTH: usize = 32;

/// A value as the JSON text that is stored.
///
/// Parsers bound the nesting and serializers do not, so what is nested deeply is read once to see that it can be:
/// stored, it would make its whole page unreadable.
pub(super) fn to_text<T: Serialize + DeserializeOwned>(operation: &'static str, value: &T) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Unexpected, operation, "a value has no JSON form").with_source(error)
    })?;
    if depth(&text) > SURE_DEPTH {
        serde_json::from_str::<T>(&text).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, operation, "a value is nested too deeply").with_source(error)
        })?;
    }
    Ok(text)
}

/// A value from its stored text.
pub(super) fn from_text<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|error| Failure::Damaged(format!("a value cannot be read ({error})")))
}

/// How deeply arrays and objects are nested in a JSON text.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use agent_schemas::{Content, Json, Message, json, object};

    use super::*;

    #[test]
    fn depth_is_counted_outside_of_strings() {
        for (text, expected) in [("1", 0), (r#"{"[":["]\"[[["]}"#, 2), ("[[],[[]],{}]", 3)] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_stored_can_be_read() {
        let nested = |levels: usize| {
            json::parse_with_depth(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)), 1000)
        };
        let (mut stored, mut refused) = (0, 0);
        for levels in 1..300 {
            let state = nested(levels).expect("JSON");
            let mut message = Message::user("a");
            message.content = Some(vec![Content::data(object! { "deep" => state.clone() })]);
            for text in [to_text::<Json>("test", &state), to_text::<Message>("test", &message)] {
                match text {
                    Ok(text) if text.starts_with('[') => {
                        assert_eq!(from_text::<Json>(&text).expect("read"), state)
                    }
                    Ok(text) => assert_eq!(from_text::<Message>(&text).expect("read"), message),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::InvalidInput);
                        refused += 1;
                        continue;
                    }
                }
                stored += 1;
            }
        }
        assert!(stored > 200 && refused > 200, "{stored} {refused}");
    }
}
