//! Hides secrets in members of JSON objects, which only their names reveal.

use agent_schemas::{Json, JsonObject};

use super::REDACTED;

/// Words in the names of secrets, in lower case.
const WORDS: [&str; 6] = ["key", "token", "secret", "password", "credential", "authorization"];

/// Replaces the texts of members whose names, or the names of the objects around them, sound like secrets. Numbers are
/// shown: `max_tokens` is no secret.
pub(super) fn hide(members: &mut JsonObject) {
    members.iter_mut().for_each(|(name, value)| hide_value(value, is_secret(name)));
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn hide_value(value: &mut Json, is_hidden: bool) {
    match value {
        Json::String(text) if is_hidden => REDACTED.clone_into(text),
        Json::Array(values) => values.iter_mut().for_each(|value| hide_value(value, is_hidden)),
        Json::Object(members) => {
            members.iter_mut().for_each(|(name, value)| hide_value(value, is_hidden || is_secret(name)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::json;

    use super::*;

    #[test]
    fn members__with_names_of_secrets__are_hidden() {
        for (shown, expected) in [
            (r#"{"api_key":"s","x":"y"}"#, r#"{"api_key":"[redacted]","x":"y"}"#),
            (r#"{"accessToken":"s","max_tokens":5}"#, r#"{"accessToken":"[redacted]","max_tokens":5}"#),
            (r#"{"a":{"Authorization":"s"}}"#, r#"{"a":{"Authorization":"[redacted]"}}"#),
            (
                r#"{"secrets":{"a":["s",{"b":"s"}]}}"#,
                r#"{"secrets":{"a":["[redacted]",{"b":"[redacted]"}]}}"#,
            ),
            (r#"{"a":[{"password":"s"}]}"#, r#"{"a":[{"password":"[redacted]"}]}"#),
        ] {
            let Ok(Json::Object(mut members)) = json::parse(shown) else { panic!("{shown} is no object") };
            hide(&mut members);
            assert_eq!(Json::from(members).to_string(), expected);
        }
    }
}
