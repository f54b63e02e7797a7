//! Wire objects: one table of fields defines a struct, its JSON in both directions, and its JSON Schema.

mod schema;

use crate::decode::{Decoded, FromJson, ValidationError, missing};
use crate::json::{Json, JsonObject};
pub(crate) use schema::{Field, IfAbsent, RecordSchema, description};

/// Defines a wire struct: every field is public, documented, and written in this order, nulls included.
///
/// ```text
/// record! {
///     @non_exhaustive                       only for types that have constructors
///     /// What it is.
///     #[example(r#"{"name":"x"}"#)]         an example for the schema
///     #[describe(function)]                 a function that completes the schema
///     #[prepare(function)]                  a function that changes the members before they are read
///    pub struct Name ("SchemaName") {      the schema's name, if it differs from the struct's
///         /// What the field is.
///        #[alias("other_name")]            another name that is read if the field's own is absent
///        #[range(1, 5)]                    the minimum and the maximum
///        #[constant("message")]            the only value of the canonical form; others can be read
///        #[check(function)]                a function that may reject the value before it is read
///        field as "wire_name": Type …,     the name on the wire, if it differs from the field's
///        a: String = required,             rejected if absent
///         b: i64 => 7,                      7 if absent, and the schema says so
///        c: String | String::new(),        this if absent or null, and filled in later
///         d: Option<i64>,                   null if absent
///        e: Option<i64> = omitted,         null if absent, and not written if null
///        ..extra                           keeps all other members; without it they are dropped
///     }
/// }
/// ```
///
/// Absent fields have the values of [`Default`], except required ones.
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
                /// All other members, in their original order.
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
                let aliases: &[Option<(&str, &str)>] = &[$($crate::record::if_alias!(
                    $crate::record::wire_name!($field $($wire)?) $(, $alias)?
                )),*];
                let members = $crate::record::without_shadowed(members, aliases);
                let mut record = $name::default();
                for (key, value) in members {
                    match key.as_str() {
                        $($crate::record::wire_name!($field $($wire)?) $(| $alias)? => {
                            $crate::record::skip_null!(value $(, $unset)?);
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

macro_rules! if_alias {
    ($name:expr) => {
        None
    };
    ($name:expr, $alias:expr) => {
        Some(($name, $alias))
    };
}

macro_rules! skip_null {
    ($value:ident) => {};
    ($value:ident, $unset:expr) => {
        if $value.is_null() {
            continue;
        }
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
    if_absent, if_alias, if_required, optional, record, schema_name, skip_null, value_if_absent, wire_name,
    write_field,
};

/// Changes the members of an object before they are read as a record. Also receives the fields' names.
pub(crate) type Prepare = fn(JsonObject, &[&str]) -> JsonObject;

/// The members of an object that is read as a record.
pub(crate) fn members(json: Json) -> Decoded<JsonObject> {
    match json {
        Json::Object(members) => Ok(members),
        other => Err(ValidationError::new("model_type", "expected an object", other)),
    }
}

/// The members without aliases of fields whose own names are present.
pub(crate) fn without_shadowed(mut members: JsonObject, aliases: &[Option<(&str, &str)>]) -> JsonObject {
    for (name, alias) in aliases.iter().flatten() {
        if members.contains_key(*name) {
            members.shift_remove(*alias);
        }
    }
    members
}

/// Rejects an object that lacks a required member.
pub(crate) fn check_required(required: &[Option<&str>], members: &JsonObject) -> Decoded<()> {
    match required.iter().flatten().find(|key| !members.contains_key(**key)) {
        Some(key) => Err(missing(key, Json::Object(members.clone()))),
        None => Ok(()),
    }
}

/// Rejects a number outside the range. Values that are not numbers are left to the field's type.
pub(crate) fn check_range(key: &str, value: &Json, min: f64, max: f64) -> Decoded<()> {
    let fault = |kind, message: String| Err(ValidationError::new(kind, message, value.clone()).at(key));
    match f64::from_json(value.clone()) {
        Ok(number) if number < min => fault("greater_than_equal", format!("should be at least {min}")),
        Ok(number) if number > max => fault("less_than_equal", format!("should be at most {max}")),
        _ => Ok(()),
    }
}
