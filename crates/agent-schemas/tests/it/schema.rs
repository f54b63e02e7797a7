//! The exported schemas are well-formed, match the values that are read and written, and can be compared.

mod compare;
mod from_schema;

use std::sync::LazyLock;

use agent_schemas::export::{self, Direction};
use agent_schemas::{AgentRequest, Json, json};
use jsonschema::Validator;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::support::{golden_lines, member, name};

/// The value for the validator, which does not support numbers that are too large for a float.
fn value(json: &Json) -> Value {
    match json {
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => members.iter().map(|(key, member)| (key.clone(), value(member))).collect(),
        Json::Number(number) if number.as_f64().is_some_and(f64::is_infinite) => Value::from(f64::MAX),
        other => serde_json::to_value(other).unwrap(),
    }
}

static BUNDLE: LazyLock<Value> = LazyLock::new(|| value(&export::bundle()));

/// Checks values against one type of the bundle. It has only that type and its dependencies, because the whole bundle would
/// take long to build.
fn validator(name: &str) -> Validator {
    let mut needed = serde_json::Map::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if !needed.contains_key(&name) {
            let schema = BUNDLE["$defs"][&name].clone();
            references(&schema, &mut open);
            needed.insert(name, schema);
        }
    }
    let schema = serde_json::json!({ "$ref": format!("#/$defs/{name}"), "$defs": needed });
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Adds the names that a schema refers to.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => members.values().for_each(|member| references(member, names)),
        Value::String(text) => names.extend(text.strip_prefix("#/$defs/").map(str::to_owned)),
        _ => {}
    }
}

#[track_caller]
fn check(validator: &Validator, name: &str, json: &Json) {
    let value = value(json);
    let faults: Vec<_> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{name}: {faults:?}\n{json}");
}

fn definitions_of(document: &Json) -> &agent_schemas::JsonObject {
    document.get("$defs").and_then(Json::as_object).unwrap()
}

#[test]
fn schema__every_document__is_self_contained() {
    for (file, text) in export::files() {
        let document = json::parse(&text).unwrap();
        let schema = value(&document);
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        // Building it resolves every reference.
        jsonschema::draft202012::new(&schema).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        let name = file.strip_suffix(".schema.json").unwrap();
        let id = format!("urn:agent-runtime:schema:{}:{name}", env!("CARGO_PKG_VERSION"));
        assert_eq!(document.get("$id").and_then(Json::as_str), Some(&*id));
        assert_eq!(document.get("x-version").and_then(Json::as_str), Some(export::VERSION));
    }
}

#[test]
fn schema__every_item__has_title_and_description() {
    for (name, schema) in definitions_of(&export::bundle()) {
        assert_eq!(schema.get("title").and_then(Json::as_str), Some(&**name));
        let described = |schema: &Json| {
            schema.get("description").and_then(Json::as_str).is_some_and(|text| text.len() > 3)
        };
        assert!(described(schema), "{name} has no description");
        for (field, schema) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            assert!(described(schema) || schema.get("const").is_some(), "{name}.{field} has no description");
        }
    }
}

#[test]
fn response_format__without_type__is_text() {
    for (request, is_valid) in [
        (r#"{"response_format":{}}"#, true),
        (r#"{"response_format":{"json_schema":null}}"#, true),
        (r#"{"response_format":{"json_schema":{"name":"n"}}}"#, false),
    ] {
        let json = json::parse(request).unwrap();
        assert_eq!(validator("ParametersInput").is_valid(&value(&json)), is_valid, "{request}");
    }
}

#[test]
fn schema__examples__are_valid() {
    let mut seen = 0;
    for (name, schema) in definitions_of(&export::bundle()) {
        for example in schema.get("examples").and_then(Json::as_array).unwrap_or_default() {
            check(&validator(name), name, example);
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

/// Fields are in wire order, and all fields of a written record are required.
#[test]
fn schema__written_fields__are_required_in_wire_order() {
    let message = json::parse(&serde_json::to_string(&agent_schemas::Message::user("a")).unwrap()).unwrap();
    let schema = export::document("Message").unwrap();
    let keys = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(schema.get("properties").unwrap()), keys(&message));
    let required: Vec<_> = schema.get("required").unwrap().as_array().unwrap().to_vec();
    assert_eq!(required, keys(&message).iter().map(|key| Json::from(key.as_str())).collect::<Vec<_>>());
    let input = export::document("MessageInput").unwrap();
    assert_eq!(keys(input.get("properties").unwrap()), keys(&message));
    assert!(input.get("required").is_none(), "a message may leave out everything");
}

/// The name of the form in which the server reads a type.
fn input_form(name: &str, bundle: &Json) -> String {
    let input = format!("{name}Input");
    if definitions_of(bundle).contains_key(&input) { input } else { name.to_owned() }
}

/// The number of values of each type: `AGENT_TEST_ROUNDS`, else few.
fn rounds() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    rounds.map_or(32, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"))
}

/// Every value that a schema allows can be read. Its written form matches the schema of the written form, and is read and
/// written again unchanged.
#[test]
fn schema__every_type__round_trips_generated_values() {
    let bundle = export::bundle();
    for exported in export::types() {
        let name = exported.name();
        let read_form = input_form(&name, &bundle);
        let (read, written) = (validator(&read_form), validator(&name));
        let strategy = from_schema::values(&read_form, definitions_of(&bundle));
        let mut runner = TestRunner::new(Config { cases: rounds(), ..Config::default() });
        let done = runner.run(&strategy, |json| {
            check(&read, &read_form, &json);
            let once =
                exported.canonical(json.clone()).unwrap_or_else(|fault| panic!("{name}: {fault}\n{json}"));
            check(&read, &read_form, &once);
            if exported.direction != Direction::Read {
                check(&written, &name, &once);
            }
            let twice = exported.canonical(once.clone()).unwrap();
            assert_eq!(once.to_string(), twice.to_string(), "{name}");
            Ok(())
        });
        done.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
}

/// An object that lacks a required field, or has a field of a wrong type, is not a value of the type.
#[test]
fn schema__damaged_value__is_refused() {
    let bundle = export::bundle();
    // No field accepts this, except those that accept anything.
    let wrong = json::parse("[[1.5]]").unwrap();
    for exported in export::types() {
        let name = exported.name();
        let form = input_form(&name, &bundle);
        let validator = validator(&form);
        let strategy = from_schema::values(&form, definitions_of(&bundle));
        let mut runner = TestRunner::deterministic();
        let Some(Json::Object(members)) = Some(strategy.new_tree(&mut runner).unwrap().current()) else {
            continue;
        };
        let schema = &definitions_of(&bundle)[&form];
        for required in schema.get("required").and_then(Json::as_array).unwrap_or_default() {
            let mut damaged = members.clone();
            damaged.shift_remove(required.as_str().unwrap());
            assert!(!validator.is_valid(&value(&Json::from(damaged))), "{form} without {required}");
        }
        for (field, schema) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let mut damaged = members.clone();
            damaged.insert(field.clone(), wrong.clone());
            let may_be_anything = from_schema::allows_anything(schema);
            assert_eq!(validator.is_valid(&value(&Json::from(damaged))), may_be_anything, "{form}.{field}");
        }
    }
}

/// Recorded requests that are accepted although they are not in the canonical form; `docs/compatibility.md` says why.
const COERCED: [&str; 6] =
    ["stream_yes", "stream_0", "temperature_numstr", "n_str", "object_other", "content_index_str"];

#[test]
fn schema__recorded_requests__agree_except_coerced() {
    let validator = validator("AgentRequest");
    let mut coerced = Vec::new();
    for case in golden_lines("request_validation.jsonl") {
        let request = member(&case, "request");
        let is_read = AgentRequest::from_json(request.clone()).is_ok();
        match (is_read, validator.is_valid(&value(request))) {
            (true, false) => coerced.push(name(&case)),
            (false, true) => panic!("the schema allows what is not read: {case}"),
            _ => {}
        }
    }
    assert_eq!(coerced, COERCED);
}
