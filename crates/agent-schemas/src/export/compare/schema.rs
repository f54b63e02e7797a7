//! Compares two schemas at the same location, keyword by keyword. A missing keyword allows everything.

use super::{Place, Report};
use crate::json::{Json, JsonObject};

/// Keywords that are compared here. A difference in any other keyword is reported as unknown.
const COMPARED: [&str; 12] = [
    "$ref",
    "type",
    "const",
    "enum",
    "minimum",
    "maximum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "oneOf",
];

/// Keywords that do not restrict values.
const WORDS: [&str; 6] = ["title", "description", "examples", "discriminator", "format", "x-version"];

pub(super) fn compare(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    if old == new {
        return;
    }
    let before = report.changes.len();
    types(place, old, new, report);
    values(place, old, new, report);
    alternatives(place, old, new, report);
    bounds(place, old, new, report);
    members(place, old, new, report);
    if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
        compare(&place.inside("[]"), old, new, report);
    } else if old.get("items") != new.get("items") {
        report.add(place, "the schema of the items was added or removed", true, true);
    }
    if old.get("default") != new.get("default") {
        let shown = |schema: &Json| schema.get("default").map_or("none".to_owned(), Json::to_string);
        let what = format!(
            "the default is {}, was {}, so omitting it has a different meaning",
            shown(new),
            shown(old)
        );
        report.add(place, what, false, true);
    }
    unknown_keywords(place, old, new, report);
    if report.changes.len() == before {
        report.add(place, "only descriptions changed", false, false);
    }
}

/// Reports what appears in only one of two lists of allowed values; `None` allows everything.
fn allowed(place: &Place, noun: &str, old: Option<Vec<Json>>, new: Option<Vec<Json>>, report: &mut Report) {
    match (old, new) {
        (Some(old), Some(new)) => {
            for added in new.iter().filter(|item| !old.contains(item)) {
                report.add(place, format!("{noun} {added} was added"), true, false);
            }
            for removed in old.iter().filter(|item| !new.contains(item)) {
                report.add(place, format!("{noun} {removed} was removed"), false, true);
            }
        }
        (Some(_), None) => report.add(place, format!("any {noun} is allowed now"), true, false),
        (None, Some(_)) => report.add(place, format!("the allowed {noun}s are now restricted"), false, true),
        (None, None) => {}
    }
}

/// An inline alternative, without the keywords that do not restrict values.
fn without_words(schema: &Json) -> Json {
    match schema {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter(|(key, _)| !WORDS.contains(&key.as_str()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn types(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    let types = |schema: &Json| {
        let mut types = match schema.get("type")? {
            Json::Array(types) => types.clone(),
            one => vec![one.clone()],
        };
        // Every integer is a number.
        if types.contains(&Json::from("number")) && !types.contains(&Json::from("integer")) {
            types.push(Json::from("integer"));
        }
        Some(types)
    };
    allowed(place, "type", types(old), types(new), report);
}

fn values(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    let values = |schema: &Json| match schema.get("const") {
        Some(value) => Some(vec![value.clone()]),
        None => schema.get("enum")?.as_array().map(<[Json]>::to_vec),
    };
    allowed(place, "value", values(old), values(new), report);
}

fn alternatives(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    let alternatives = |schema: &Json| {
        if schema.get("$ref").is_some() {
            return Some(vec![schema.get("$ref").cloned().unwrap_or_default()]);
        }
        let list = ["oneOf", "anyOf"].into_iter().find_map(|key| schema.get(key)?.as_array())?;
        let list: Vec<Json> = list
            .iter()
            .map(|item| item.get("$ref").cloned().unwrap_or_else(|| without_words(item)))
            .collect();
        // "Any string" includes the named ones.
        let any_string = Json::from(crate::object! { "type" => "string" });
        let is_named = |item: &Json| {
            list.contains(&any_string)
                && item.get("type").and_then(Json::as_str) == Some("string")
                && *item != any_string
        };
        Some(list.iter().filter(|item| !is_named(item)).cloned().collect())
    };
    allowed(place, "alternative", alternatives(old), alternatives(new), report);
}

fn bounds(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    for (key, sign) in [("minimum", -1.0), ("maximum", 1.0)] {
        let bound = |schema: &Json| schema.get(key).and_then(Json::as_f64);
        let (old_bound, new_bound) = (bound(old), bound(new));
        if old_bound == new_bound {
            continue;
        }
        // Greater means looser, with the sign of a minimum inverted. No bound is the loosest.
        let looseness = |bound: Option<f64>| bound.map_or(f64::INFINITY, |bound| bound * sign);
        let is_looser = looseness(new_bound) > looseness(old_bound);
        let shown = |bound: Option<f64>| bound.map_or("none".to_owned(), |bound| bound.to_string());
        let what = format!("the {key} is {}, was {}", shown(new_bound), shown(old_bound));
        report.add(place, what, is_looser, !is_looser);
    }
}

fn members(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    let empty = JsonObject::new();
    let properties = |schema| Json::get(schema, "properties").and_then(Json::as_object);
    let (old_properties, new_properties) =
        (properties(old).unwrap_or(&empty), properties(new).unwrap_or(&empty));
    let requires = |schema: &Json, name: &str| {
        let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
        required.iter().any(|key| key.as_str() == Some(name))
    };
    let is_closed = |schema: &Json| schema.get("additionalProperties") == Some(&Json::Bool(false));
    for (name, old_schema) in old_properties {
        let field = place.inside(name);
        let (was, is) = (requires(old, name), requires(new, name));
        match new_properties.get(name) {
            None => report.add(&field, "the field was removed, and values written to it are lost", was, true),
            Some(new_schema) => {
                match (was, is) {
                    (true, false) => report.add(&field, "the field is now optional", true, false),
                    (false, true) => report.add(&field, "the field is now required", false, true),
                    _ => {}
                }
                compare(&field, old_schema, new_schema, report);
            }
        }
    }
    for name in new_properties.keys().filter(|name| !old_properties.contains_key(*name)) {
        let is_required = requires(new, name);
        let what = if is_required { "a new required field" } else { "a new field" };
        report.add(&place.inside(name), what, is_closed(old), is_required);
    }
    let others = |schema: &Json| {
        schema.get("additionalProperties").filter(|others| others.as_object().is_some()).cloned()
    };
    if let (Some(old), Some(new)) = (others(old), others(new)) {
        compare(&place.inside("*"), &old, &new, report);
    } else if others(old) != others(new) {
        report.add(place, "the schema of other fields was added or removed", true, true);
    }
    let keeps = |schema: &Json| schema.get("additionalProperties") == Some(&Json::Bool(true));
    if keeps(old) && !keeps(new) && !is_closed(new) {
        report.add(place, "other fields are no longer kept", false, true);
    }
    if is_closed(old) != is_closed(new) {
        let what =
            if is_closed(new) { "other fields are now rejected" } else { "other fields are now allowed" };
        report.add(place, what, is_closed(old), is_closed(new));
    }
}

fn unknown_keywords(place: &Place, old: &Json, new: &Json, report: &mut Report) {
    let empty = JsonObject::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let is_known = COMPARED.contains(&key.as_str()) || WORDS.contains(&key.as_str()) || key == "default";
        if !is_known && old.get(key) != new.get(key) {
            report.add(place, format!("`{key}` changed"), true, true);
        }
    }
}
