//! Wire objects: one table of fields gives a struct, its JSON in both directions, and its JSON Schema.

use schemars::generate::Contract;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::decode::{Decoded, FromJson, ValidationError, missing};
use crate::json::{Json, JsonObject};

/// Defines a struct of the wire: every field public, documented, and written in this order, nulls included.
///
/// ```text
/// record! {
///     @non_exhaustive                       only for types that have constructors
///     /// What it is.
///     #[example(r#"{"name":"x"}"#)]         an example for the schema
///     #[describe(function)]                 a function that completes the schema
///     #[prepare(function)]                  a function that changes the members before they are read
///     pub struct Name ("SchemaName") {      the schema's name, where it is not the struct's
///         /// What the field is.
///         #[alias("other_name")]            another name that is read too
///         #[range(1, 5)]                    the least and the greatest number
///         #[constant("message")]            the only value of the canonical form; others are read, too
///         #[check(function)]                a function that may refuse the value before it is read
///         field as "wire_name": Type …,     the name on the wire, where it is not the field's
///         a: String = required,             refused if absent
///         b: i64 => 7,                      7 if absent, and the schema says so
///         c: String | String::new(),        this if absent, but somebody will fill it in
///         d: Option<i64>,                   null if absent
///         e: Option<i64> = omitted,         null if absent, and not written where it is null
///         ..extra                           keeps every other member; else they are dropped
///     }
/// }
/// ```
///
/// Absent fields are read as [`Default`] has them, required ones excepted.
macro_rules! record {
    (
        $(@$attribute:ident)?
        $(#[doc = $doc:literal])*
        $(#[example($example:literal)])?
        $(#[describe($describe:path)])?
        $(#[prepare($prepare:path)])?
        pub struct $name:ident $(($schema_name:literal))? {
            $(
                $(#[doc = $field_doc:literal])*
                $(#[alias($alias:literal)])?
                $(#[range($min:expr, $max:expr)])?
                $(#[check($check:path)])?
                $(#[constant($constant:literal)])?
                $field:ident $(as $wire:literal)?: $type:ty
                    $(= $required:ident)? $(| $unset:expr)? $(=> $default:expr)?,
            )*
            $(..$extra:ident)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        $(#[$attribute])?
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            $(
                /// Every other member, in the order in which it came.
                pub $extra: $crate::JsonObject,
            )?
        }

        impl Default for $name {
            fn default() -> Self {
                $name {
                    $($field: $crate::record::value_if_absent!($($default)? $($unset)?),)*
                    $($extra: $crate::JsonObject::new(),)?
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut out = serializer.serialize_map(None)?;
                $(
                    $crate::record::write_field!(
                        out, $crate::record::wire_name!($field $($wire)?), &self.$field $(, $required)?
                    );
                )*
                $(
                    for (key, value) in &self.$extra {
                        serde::ser::SerializeMap::serialize_entry(&mut out, key, value)?;
                    }
                )?
                serde::ser::SerializeMap::end(out)
            }
        }

        impl $crate::decode::FromJson for $name {
            fn from_json(json: $crate::Json) -> $crate::decode::Decoded<Self> {
                let members = $crate::record::members(json)?;
                let prepare: Option<$crate::record::Prepare> = $crate::record::optional!($($prepare)?);
                let members = match prepare {
                    Some(prepare) => prepare(members, &[$($crate::record::wire_name!($field $($wire)?)),*]),
                    None => members,
                };
                let required: &[Option<&str>] =
                    &[$($crate::record::if_required!($($required)? $crate::record::wire_name!($field $($wire)?))),*];
                $crate::record::check_required(required, &members)?;
                let mut record = $name::default();
                for (key, value) in members {
                    match key.as_str() {
                        $($crate::record::wire_name!($field $($wire)?) $(| $alias)? => {
                            $($crate::record::check_range(&key, &value, $min as f64, $max as f64)?;)?
                            $($check(&value).map_err(|fault| fault.at(key.as_str()))?;)?
                            record.$field = $crate::decode::member(&key, value)?;
                        })*
                        _ => {
                            $(record.$extra.insert(key, value);)?
                        }
                    }
                }
                Ok(record)
            }
        }

        $crate::decode::deserialize_from_json!($name);

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($crate::record::schema_name!($name $($schema_name)?))
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let doc: &[&str] = &[$($doc),*];
                let mut schema = $crate::record::RecordSchema::new(generator, doc);
                $(
                    schema.field::<$type>($crate::record::Field {
                        name: $crate::record::wire_name!($field $($wire)?),
                        doc: &[$($field_doc),*],
                        if_absent: $crate::record::if_absent!($($required)? $(=> $default)? $(| $unset)?),
                        alias: $crate::record::optional!($($alias)?),
                        range: $crate::record::optional!($(($crate::Json::from($min), $crate::Json::from($max)))?),
                        constant: $crate::record::optional!($($constant)?),
                    });
                )*
                $(schema.keeps_others(stringify!($extra));)?
                $(schema.example($example);)?
                let schema = schema.finish();
                $(let schema = $describe(schema, generator);)?
                schema
            }
        }
    };
}

macro_rules! wire_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}

macro_rules! schema_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $schema_name:literal) => {
        $schema_name
    };
}

macro_rules! value_if_absent {
    () => {
        Default::default()
    };
    ($value:expr) => {
        $value
    };
}

macro_rules! write_field {
    ($out:ident, $name:expr, $value:expr, omitted) => {
        if $value.is_some() {
            serde::ser::SerializeMap::serialize_entry(&mut $out, $name, $value)?;
        }
    };
    ($out:ident, $name:expr, $value:expr $(, required)?) => {
        serde::ser::SerializeMap::serialize_entry(&mut $out, $name, $value)?;
    };
}

macro_rules! if_required {
    (omitted $name:expr) => {
        None
    };
    (required $name:expr) => {
        Some($name)
    };
    ($name:expr) => {
        None
    };
}

macro_rules! if_absent {
    () => {
        $crate::record::IfAbsent::Null
    };
    (required) => {
        $crate::record::IfAbsent::Refused
    };
    (omitted) => {
        $crate::record::IfAbsent::Omitted
    };
    (=> $default:expr) => {
        $crate::record::IfAbsent::Value($crate::Json::from_serialize(&$default).unwrap_or_default())
    };
    (| $unset:expr) => {
        $crate::record::IfAbsent::Filled
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

pub(crate) use {
    if_absent, if_required, optional, record, schema_name, value_if_absent, wire_name, write_field,
};

/// Changes the members of an object before they are read as a record's; gets the fields' names too.
pub(crate) type Prepare = fn(JsonObject, &[&str]) -> JsonObject;

/// The members of an object that is to be a record.
pub(crate) fn members(json: Json) -> Decoded<JsonObject> {
    match json {
        Json::Object(members) => Ok(members),
        other => Err(ValidationError::new("model_type", "expected an object", other)),
    }
}

/// Refuses an object that lacks a required member.
pub(crate) fn check_required(required: &[Option<&str>], members: &JsonObject) -> Decoded<()> {
    match required.iter().flatten().find(|key| !members.contains_key(**key)) {
        Some(key) => Err(missing(key, Json::Object(members.clone()))),
        None => Ok(()),
    }
}

/// Refuses a number outside of the range; what is no number is left to the field's type.
pub(crate) fn check_range(key: &str, value: &Json, min: f64, max: f64) -> Decoded<()> {
    let fault = |kind, message: String| Err(ValidationError::new(kind, message, value.clone()).at(key));
    match f64::from_json(value.clone()) {
        Ok(number) if number < min => fault("greater_than_equal", format!("should be at least {min}")),
        Ok(number) if number > max => fault("less_than_equal", format!("should be at most {max}")),
        _ => Ok(()),
    }
}

/// A field as its schema shows it.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) if_absent: IfAbsent,
    pub(crate) alias: Option<&'static str>,
    pub(crate) range: Option<(Json, Json)>,
    pub(crate) constant: Option<&'static str>,
}

/// What reading makes of a field that is not there.
pub(crate) enum IfAbsent {
    Refused,
    Value(Json),
    /// Null, which the field's type allows.
    Null,
    /// Null, which is not written.
    Omitted,
    /// Something that is filled in where it is read.
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

    /// Adds a field. Written records have every field but omitted ones; read ones may lack all that are not required.
    pub(crate) fn field<T: JsonSchema>(&mut self, field: Field) {
        let written = matches!(self.generator.contract(), Contract::Serialize);
        let mut schema = self.generator.subschema_for::<T>();
        make_describable(&mut schema);
        schema.insert("description".to_owned(), description(field.doc).into());
        if let Some((min, max)) = field.range {
            schema.insert("minimum".to_owned(), to_value(&min));
            schema.insert("maximum".to_owned(), to_value(&max));
        }
        let always_written = !matches!(field.if_absent, IfAbsent::Omitted);
        if let Some(constant) = field.constant {
            schema.insert("const".to_owned(), constant.into());
        }
        match field.if_absent {
            // Type checkers refuse what code generators make of a default that is an object.
            IfAbsent::Value(value @ Json::Object(_)) if !written => {
                let words = format!("{}\n\nIf it is absent: `{value}`.", description(field.doc));
                schema.insert("description".to_owned(), words.into());
            }
            IfAbsent::Value(value) if !written => {
                schema.insert("default".to_owned(), to_value(&value));
            }
            IfAbsent::Refused if !written => self.required.push(field.name.into()),
            _ => {}
        }
        if written {
            self.required.extend(always_written.then(|| Value::from(field.name)));
        } else if let Some(alias) = field.alias {
            let mut other = schema.clone();
            other.insert("description".to_owned(), format!("Another name of `{}`.", field.name).into());
            self.properties.insert(alias.to_owned(), other.to_value());
        }
        self.properties.insert(field.name.to_owned(), schema.to_value());
    }

    /// Adds a member that is always there and always this string.
    pub(crate) fn tag(&mut self, name: &'static str, value: &'static str) {
        self.required.push(name.into());
        self.properties.insert(name.to_owned(), serde_json::json!({ "type": "string", "const": value }));
    }

    /// Says that members besides the fields are kept.
    pub(crate) fn keeps_others(&mut self, _field: &'static str) {
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

/// Gives a schema a form to which a description and a default can be added: code generators drop or double a type whose
/// reference has keywords beside it, take what may be anything for an object, and repeat unions inside of unions.
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

/// A doc comment as a description: its lines joined to paragraphs, its links as plain code.
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

/// A value as serde_json has it. Numbers become floats where they have more digits than those hold.
pub(crate) fn to_value(json: &Json) -> Value {
    serde_json::to_value(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_comment_becomes_paragraphs() {
        let doc = [" One [`Link`]", " goes on.", "", " - a", " - b"];
        assert_eq!(description(&doc), "One `Link` goes on.\n\n- a\n- b");
    }
}
