//! Collects what a model server attaches to an answer or a call, from the chunks in which it arrives.

use agent_schemas::{Json, JsonObject};

/// Texts in the elements of a list that grow, as in `reasoning_details`.
const GROWING: [&str; 3] = ["text", "summary", "thinking"];

/// Adds the members of a further chunk: lists grow, objects are merged, other values are replaced.
pub(super) fn merge(known: &mut JsonObject, more: JsonObject) {
    for (key, more) in more {
        match (known.get_mut(&key), more) {
            (_, Json::Null) => {}
            (Some(Json::Array(known)), Json::Array(more)) => merge_lists(known, more),
            (Some(Json::Object(known)), Json::Object(more)) => merge(known, more),
            (_, more) => {
                known.insert(key, more);
            }
        }
    }
}

fn merge_lists(known: &mut Vec<Json>, more: Vec<Json>) {
    for element in more {
        match (known.last_mut(), element) {
            (Some(Json::Object(last)), Json::Object(element)) if continues(last, &element) => {
                grow(last, element);
            }
            (_, element) => known.push(element),
        }
    }
}

/// Whether an element is a further piece of the last one: it has the same type, and the same index and id if it has any.
fn continues(last: &JsonObject, element: &JsonObject) -> bool {
    let given = |key: &str| element.get(key).filter(|value| !value.is_null());
    // A signature ends an element, and encrypted data is an element of its own.
    let is_whole = last.get("signature").and_then(Json::as_str).is_some_and(|text| !text.is_empty());
    !is_whole
        && given("data").is_none()
        && given("type").is_some()
        && ["type", "index", "id"]
            .into_iter()
            .all(|key| given(key).is_none_or(|value| last.get(key) == Some(value)))
}

fn grow(last: &mut JsonObject, piece: JsonObject) {
    for (key, more) in piece {
        match (last.get_mut(&key), more) {
            (_, Json::Null) => {}
            (Some(Json::String(text)), Json::String(more)) if GROWING.contains(&key.as_str()) => {
                text.push_str(&more);
            }
            (Some(Json::Array(known)), Json::Array(more)) => merge_lists(known, more),
            (_, more) => {
                last.insert(key, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::json;

    use super::*;

    #[track_caller]
    fn check(pieces: &[&str], expected: &str) {
        let mut known = JsonObject::new();
        for piece in pieces {
            let Ok(Json::Object(piece)) = json::parse(piece) else { panic!("{piece} is no object") };
            merge(&mut known, piece);
        }
        assert_eq!(Json::from(known).to_string(), expected);
    }

    #[test]
    fn members__signature__is_kept_or_replaced() {
        let signature = r#"{"extra_content":{"google":{"thought_signature":"A"}}}"#;
        check(&[signature], signature);
        check(&[signature, r#"{"extra_content":null}"#, signature], signature);
        check(&[r#"{"a":{"b":1}}"#, r#"{"a":{"c":2}}"#], r#"{"a":{"b":1,"c":2}}"#);
    }

    #[test]
    fn members__pieces_of_list_elements__are_joined() {
        let piece =
            |text: &str| format!(r#"{{"details":[{{"type":"reasoning.text","text":"{text}","index":0}}]}}"#);
        check(
            &[
                &piece("a"),
                &piece("b"),
                r#"{"details":[{"type":"reasoning.text","signature":"S","index":0}]}"#,
            ],
            r#"{"details":[{"type":"reasoning.text","text":"ab","index":0,"signature":"S"}]}"#,
        );
        check(
            &[&piece("a"), r#"{"details":[{"type":"reasoning.encrypted","data":"X","index":1}]}"#],
            r#"{"details":[{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.encrypted","data":"X","index":1}]}"#,
        );
        check(
            &[
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"I "}]}]}"#,
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"think"}]}]}"#,
            ],
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"I think"}]}]}"#,
        );
        check(&[r#"{"list":[1]}"#, r#"{"list":[2]}"#], r#"{"list":[1,2]}"#);
    }
}
