//! Builds the schema of a record, field by field.

use schemars::generate::Contract;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::json::Json;

/// A field as it appears in the schema.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) if_absent: IfAbsent,
    pub(crate) alias: Option<&'static str>,
    pub(crate) range: Option<(Json, Json)>,
    pub(crate) constant: Option<&'static str>,
}

/// The value of a field that is absent.
pub(crate) enum IfAbsent {
    Refused,
    Value(Json),
    /// Null, which the field's type allows.
    Null,
    /// Null, which is not written.
    Omitted,
    /// A value that is filled in after reading.
    Filled,
}

/// The schema of a record, field by field.
pub(crate) struct RecordSchema<'a> {
    generator: &'a mut SchemaGenerator,
    schema: Map<String, Value>,
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl<'a> RecordSchema<'a> {
    pub(crate) fn new(generator: &'a mut SchemaGenerator, doc: &[&str]) -> Self {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("description".to_owned(), description(doc).into());
        RecordSchema { generator, schema, properties: Map::new(), required: Vec::new() }
    }

    /// Adds a field. Written records have every field except omitted ones; readable ones may lack any that is not
    /// required.
    pub(crate) fn field<T: JsonSchema>(&mut self, field: Field) {
        let written = matches!(self.generator.contract(), Contract::Serialize);
        let mut schema = self.generator.subschema_for::<T>();
        make_describable(&mut schema);
        let mut words = description(field.doc);
        // As a separate property, generated code would write the alias too, and contradict the field.
        if let Some(alias) = field.alias.filter(|_| !written) {
            words = format!("{words}\n\nAlso accepted as `{alias}`.");
        }
        if let Some((min, max)) = field.range {
            schema.insert("minimum".to_owned(), to_value(&min));
            schema.insert("maximum".to_owned(), to_value(&max));
        }
        let always_written = !matches!(field.if_absent, IfAbsent::Omitted);
        if let Some(constant) = field.constant {
            schema.insert("const".to_owned(), constant.into());
        }
        match field.if_absent {
            // Type checkers reject what code generators make of a default that is an object.
            IfAbsent::Value(value @ Json::Object(_)) if !written => {
                words = format!("{words}\n\nDefault: `{value}`.");
            }
            IfAbsent::Value(value) if !written => {
                schema.insert("default".to_owned(), to_value(&value));
            }
            IfAbsent::Refused if !written => self.required.push(field.name.into()),
            IfAbsent::Filled if !written => allow_null(&mut schema),
            _ => {}
        }
        schema.insert("description".to_owned(), words.into());
        if written {
            self.required.extend(always_written.then(|| Value::from(field.name)));
        }
        self.properties.insert(field.name.to_owned(), schema.to_value());
    }

    /// Adds a member that is always present with this string.
    pub(crate) fn tag(&mut self, name: &'static str, value: &'static str) {
        self.required.push(name.into());
        self.properties.insert(name.to_owned(), serde_json::json!({ "type": "string", "const": value }));
    }

    /// States that additional members are kept.
    pub(crate) fn keeps_others(&mut self) {
        self.schema.insert("additionalProperties".to_owned(), true.into());
    }

    /// Adds an example. It stays text until the export, as serde_json would sort its keys.
    pub(crate) fn example(&mut self, json: &str) {
        self.schema.insert("examples".to_owned(), Value::from(vec![json]));
    }

    pub(crate) fn finish(mut self) -> Schema {
        self.schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            self.schema.insert("required".to_owned(), Value::Array(self.required));
        }
        Schema::from(self.schema)
    }
}

/// Rewrites a schema so that a description and a default can be added. Code generators drop or duplicate a type whose
/// reference has sibling keywords, take an unrestricted value for an object, and repeat nested unions.
fn make_describable(schema: &mut Schema) {
    if let Some(reference) = schema.remove("$ref") {
        schema.insert("anyOf".to_owned(), serde_json::json!([{ "$ref": reference }]));
    }
    if schema.as_bool() == Some(true) || schema.as_object().is_some_and(Map::is_empty) {
        let all = ["null", "boolean", "integer", "number", "string", "array", "object"];
        schema.insert("type".to_owned(), all.as_slice().into());
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        let flat = alternatives.drain(..).flat_map(|alternative| match alternative {
            Value::Object(mut inner) => match inner.remove("anyOf") {
                Some(Value::Array(inner)) => inner,
                Some(other) => vec![other],
                None => vec![Value::Object(inner)],
            },
            other => vec![other],
        });
        let flat = flat.collect();
        *alternatives = flat;
    }
}

/// Generators make a member that may be absent nullable, and write null for it.
fn allow_null(schema: &mut Schema) {
    match (schema.get("type").cloned(), schema.get_mut("anyOf")) {
        (Some(Value::String(one)), _) => {
            schema.insert("type".to_owned(), serde_json::json!([one, "null"]));
        }
        (_, Some(Value::Array(alternatives))) => alternatives.push(serde_json::json!({ "type": "null" })),
        _ => {}
    }
}

/// Turns a doc comment into a description: lines are joined to paragraphs, links become code spans.
pub(crate) fn description(doc: &[&str]) -> String {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    let paragraphs = lines.split(|line| line.is_empty()).map(|lines| {
        let mut text = String::new();
        for line in lines {
            if !text.is_empty() {
                text.push(if line.starts_with("- ") { '\n' } else { ' ' });
            }
            text.push_str(line);
        }
        text
    });
    let text = paragraphs.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    text.replace("[`", "`").replace("`]", "`")
}

/// A value as serde_json has it. Numbers with too many digits become floats.
pub(crate) fn to_value(json: &Json) -> Value {
    serde_json::to_value(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_comment__becomes_paragraphs() {
        let doc = [" One [`Link`]", " goes on.", "", " - a", " - b"];
        assert_eq!(description(&doc), "One `Link` goes on.\n\n- a\n- b");
    }
}
