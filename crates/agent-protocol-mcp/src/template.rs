//! Texts with places for values, and URIs with places for anything.

use std::borrow::Cow;

use agent_schemas::{Json, JsonObject};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The names in a text's `{{name}}`.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim()))
}

/// A text with its `{{name}}` replaced by the values. What has no value becomes empty.
pub(crate) fn fill(text: &str, values: &JsonObject) -> String {
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((name, rest)) => {
                filled.push_str(values.get(name.trim()).and_then(Json::as_str).unwrap_or_default());
                filled.push_str(rest);
            }
            None => filled.extend(["{{", part]),
        }
    }
    filled
}

/// Whether a URI has parts such as `{id}`.
pub(crate) fn is_template(uri: &str) -> bool {
    uri.contains('{')
}

/// The values for which a template such as `docs://{id}` is this URI (RFC 6570, level 1).
pub(crate) fn matched(template: &str, uri: &str) -> Option<JsonObject> {
    let mut values = JsonObject::new();
    let mut pieces = template.split('{');
    let mut rest = uri.strip_prefix(pieces.next()?)?;
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let (name, after) = piece.split_once('}')?;
        let end = match (after, pieces.peek()) {
            ("", None) => rest.len(),
            ("", Some(_)) => return None,
            (after, None) => {
                rest.len().checked_sub(after.len()).filter(|end| rest.get(*end..) == Some(after))?
            }
            (after, Some(_)) => rest.find(after)?,
        };
        let value = rest.get(..end).filter(|value| !value.is_empty() && !value.contains('/'))?;
        values.insert(name.to_owned(), decoded(value)?.into());
        rest = rest.get(end + after.len()..)?;
    }
    rest.is_empty().then_some(values)
}

/// Everything that is encoded in a value of a URI: all but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as part of a URI.
pub(crate) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

fn decoded(value: &str) -> Option<String> {
    percent_decode_str(value).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[test]
    fn text__has_its_values() {
        let values = object! { "a" => "1", "b" => "{{a}}" };
        assert_eq!(fill("{{a}}, {{ b }}, {{c}}, {{", &values), "1, {{a}}, , {{");
        assert_eq!(names("{{a}} {{ b }} {{").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn uri__of_template__has_values() {
        let check = |template: &str, uri: &str, expected: Option<JsonObject>| {
            assert_eq!(matched(template, uri), expected, "{template} {uri}");
        };
        check("a://{id}", "a://1", Some(object! { "id" => "1" }));
        check("a://{id}/data", "a://x%2Fy/data", Some(object! { "id" => "x/y" }));
        check("a://{x}-{y}", "a://1-2", Some(object! { "x" => "1", "y" => "2" }));
        check("a://b", "a://b", Some(JsonObject::new()));
        for (template, uri) in [
            ("a://{id}", "a://"),
            ("a://{id}", "a://1/2"),
            ("a://{id}", "b://1"),
            ("a://{id}/data", "a://1/date"),
            ("a://{id}/data", "a://ta"),
            ("a://{id}", "a://%FF"),
            ("a://b", "a://bc"),
        ] {
            check(template, uri, None);
        }
        assert_eq!(encoded("x/y ü"), "x%2Fy%20%C3%BC");
    }
}
