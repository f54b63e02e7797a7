//! Schemas of values that have one of several forms.

use schemars::Schema;
use serde_json::{Map, Value};

use crate::record::description;

/// One of several objects, distinguished by a member whose value is different in each.
///
/// `discriminator` is OpenAPI's keyword; to JSON Schema it is an annotation, which code generators use.
pub(crate) fn tagged_union(doc: &[&str], tag: &str, alternatives: &[(&str, Schema)]) -> Schema {
    let reference = |schema: &Schema| schema.get("$ref").cloned().unwrap_or_default();
    let mapping: Map<String, Value> =
        alternatives.iter().map(|(name, schema)| ((*name).to_owned(), reference(schema))).collect();
    let schemas: Vec<&Schema> = alternatives.iter().map(|(_, schema)| schema).collect();
    let mut schema = Map::new();
    schema.insert("description".to_owned(), description(doc).into());
    schema.insert("oneOf".to_owned(), serde_json::json!(schemas));
    schema.insert("discriminator".to_owned(), serde_json::json!({ "propertyName": tag, "mapping": mapping }));
    Schema::from(schema)
}

/// A value that may match several forms at once.
pub(crate) fn untagged_union(doc: &[&str], alternatives: &[Schema]) -> Schema {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), description(doc).into());
    schema.insert("anyOf".to_owned(), serde_json::json!(alternatives));
    Schema::from(schema)
}
