//! Determines which form of each type is exported, and under which name.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;

use super::order::in_reading_order;
use super::types::{Direction, ExportedType};
use crate::json::{Json, JsonObject};

const PREFIX: &str = "#/$defs/";

/// The schemas of one direction by the names of their types.
type Definitions = BTreeMap<String, Json>;

/// The schemas of all types and their dependencies, by exported name.
///
/// A type that is only read or only written has one form, under its own name. If a type is both, the written form gets
/// the name and the readable form gets the suffix `Input`, unless the two are equal.
pub(super) fn definitions(types: &[ExportedType]) -> BTreeMap<String, Json> {
    let written = generate(SchemaSettings::draft2020_12().for_serialize(), types, Direction::Written);
    let read = generate(SchemaSettings::draft2020_12().for_deserialize(), types, Direction::Read);
    let order = |name: &str, all: &Definitions| all.get(name).cloned().unwrap_or_default();
    // In a written record every field is required, in wire order.
    let all_written = generate(SchemaSettings::draft2020_12().for_serialize(), types, Direction::Both);
    let split = differing(&written, &read);
    let mut definitions = BTreeMap::new();
    for (name, schema) in &written {
        let schema = with_whole_examples(in_reading_order(schema, &order(name, &all_written)), name, types);
        definitions.insert(name.clone(), titled(name, &schema));
    }
    for (name, schema) in &read {
        let exported = input_name(name, &split);
        let schema = in_reading_order(schema, &order(name, &all_written));
        let schema = with_references(&schema, &|target| input_name(target, &split));
        definitions.entry(exported.clone()).or_insert_with(|| titled(&exported, &schema));
    }
    for (name, same) in SAME {
        let reference = Json::from(crate::object! { "$ref" => format!("{PREFIX}{same}") });
        let schema = crate::object! {
            "description" => format!("An alias of `{same}`."), "anyOf" => vec![reference]
        };
        definitions.insert(name.to_owned(), titled(name, &Json::from(schema)));
    }
    definitions
}

/// Aliases of other types, exported because upstream has both names.
const SAME: [(&str, &str); 2] = [
    ("ModelstudioChatResponse", "ChatCompletion"),
    ("ModelstudioChatCompletionChunk", "ChatCompletionChunk"),
];

/// The definitions that the types of a direction need. [`Direction::Both`] selects all types.
fn generate(settings: SchemaSettings, types: &[ExportedType], direction: Direction) -> Definitions {
    let mut generator: SchemaGenerator = settings.into_generator();
    for exported in types {
        let is_asked = direction == Direction::Both
            || exported.direction == Direction::Both
            || exported.direction == direction;
        if is_asked {
            (exported.schema)(&mut generator);
        }
    }
    let definitions = generator.take_definitions(true);
    definitions.into_iter().map(|(name, schema)| (name, Json::from(schema))).collect()
}

/// The names whose forms differ, either directly or in a dependency.
fn differing(written: &Definitions, read: &Definitions) -> BTreeSet<String> {
    let pairs: Vec<_> =
        written.iter().filter_map(|(name, schema)| Some((name, schema, read.get(name)?))).collect();
    let mut differing = BTreeSet::new();
    loop {
        let before = differing.len();
        for (name, written, read) in &pairs {
            if written != read || references(read).iter().any(|target| differing.contains(target)) {
                differing.insert((*name).clone());
            }
        }
        if differing.len() == before {
            return differing;
        }
    }
}

fn input_name(name: &str, split: &BTreeSet<String>) -> String {
    if split.contains(name) { format!("{name}Input") } else { name.to_owned() }
}

/// The examples of a written type in their written form, with all fields.
fn with_whole_examples(mut schema: Json, name: &str, types: &[ExportedType]) -> Json {
    let exported = types.iter().find(|exported| exported.name() == name);
    if let (Some(exported), Json::Object(members)) = (exported, &mut schema)
        && let Some(Json::Array(examples)) = members.get_mut("examples")
    {
        for example in examples {
            *example = exported.canonical(example.clone()).unwrap_or_default();
        }
    }
    schema
}

fn titled(name: &str, schema: &Json) -> Json {
    let mut members = JsonObject::from([("title".to_owned(), Json::from(name))]);
    members.extend(schema.as_object().cloned().unwrap_or_default());
    Json::from(members)
}

/// The names of the definitions that a schema refers to.
pub(super) fn references(schema: &Json) -> BTreeSet<String> {
    match schema {
        Json::String(text) => text.strip_prefix(PREFIX).map(str::to_owned).into_iter().collect(),
        Json::Array(items) => items.iter().flat_map(references).collect(),
        Json::Object(members) => members.values().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

/// The schema with the target of each reference replaced by the result of `rename`.
fn with_references(schema: &Json, rename: &impl Fn(&str) -> String) -> Json {
    map_references(schema, &|name| format!("{PREFIX}{}", rename(name)))
}

/// The schema with each reference replaced by the result of `replace`.
pub(super) fn map_references(schema: &Json, replace: &impl Fn(&str) -> String) -> Json {
    match schema {
        Json::String(text) => match text.strip_prefix(PREFIX) {
            Some(name) => Json::from(replace(name)),
            None => schema.clone(),
        },
        Json::Array(items) => Json::Array(items.iter().map(|item| map_references(item, replace)).collect()),
        Json::Object(members) => {
            let mapped = members.iter().map(|(key, value)| (key.clone(), map_references(value, replace)));
            Json::Object(mapped.collect())
        }
        other => other.clone(),
    }
}
