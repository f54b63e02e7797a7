//! Enums that are strings on the wire, with their JSON and their JSON Schema.

use schemars::Schema;
use serde_json::{Map, Value};

use crate::decode::ValidationError;
use crate::json::Json;
use crate::record::description;

/// Defines an enum of known strings with a last variant `Other` for any other string, which round-trips.
///
/// A newer upstream may send a status or message type that this version does not know. Dropping or rejecting it would
/// break what works.
macro_rules! open_enum {
    ($(#[doc = $doc:literal])* pub enum $name:ident {
        $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
            /// A value that this version does not know, kept unchanged.
            Other(Box<str>),
        }

        impl $name {
            /// The string on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => $name::$variant,)*
                    _ => $name::Other(text.into()),
                }
            }
        }

        impl $crate::decode::FromJson for $name {
            fn from_json(json: $crate::Json) -> $crate::decode::Decoded<Self> {
                <String as $crate::decode::FromJson>::from_json(json).map(|text| $name::from(text.as_str()))
            }
        }

        $crate::string_enum::string_enum_traits!($name, $crate::string_enum::open_schema, [$($doc),*], [
            $(($text, &[$($variant_doc),*]),)*
        ]);
    };
}

/// Defines a closed enum of strings: reading rejects any other string.
macro_rules! closed_enum {
    ($(#[doc = $doc:literal])* pub enum $name:ident {
        $(#[doc = $first_doc:literal])* $first:ident = $first_text:literal,
        $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $first_doc])*
            #[default]
            $first,
            $($(#[doc = $variant_doc])* $variant,)*
        }

        impl $name {
            /// The string on the wire.
            pub fn as_str(&self) -> &'static str {
                match self {
                    $name::$first => $first_text,
                    $($name::$variant => $text,)*
                }
            }

            /// The value with this string.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $first_text => Some($name::$first),
                    $($text => Some($name::$variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::decode::FromJson for $name {
            fn from_json(json: $crate::Json) -> $crate::decode::Decoded<Self> {
                let value = json.as_str().and_then($name::from_name);
                value.ok_or_else(|| $crate::string_enum::not_among(&[$first_text, $($text),*], json))
            }
        }

        $crate::string_enum::string_enum_traits!($name, $crate::string_enum::closed_schema, [$($doc),*], [
            ($first_text, &[$($first_doc),*]),
            $(($text, &[$($variant_doc),*]),)*
        ]);
    };
}

/// Defines a type whose only value is one string.
macro_rules! literal {
    ($(#[doc = $doc:literal])* pub struct $name:ident = $text:literal;) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name;

        impl $name {
            /// The string on the wire.
            pub fn as_str(&self) -> &'static str {
                $text
            }
        }

        impl $crate::decode::FromJson for $name {
            fn from_json(json: $crate::Json) -> $crate::decode::Decoded<Self> {
                match json.as_str() {
                    Some($text) => Ok($name),
                    _ => Err($crate::string_enum::not_among(&[$text], json)),
                }
            }
        }

        $crate::string_enum::string_traits!($name);

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "const": $text })
            }
        }
    };
}

macro_rules! string_traits {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::decode::deserialize_from_json!($name);
    };
}

macro_rules! string_enum_traits {
    ($name:ident, $schema:path, [$($doc:literal),*], $variants:expr) => {
        $crate::string_enum::string_traits!($name);

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema(&[$($doc),*], &$variants)
            }
        }
    };
}

pub(crate) use {closed_enum, literal, open_enum, string_enum_traits, string_traits};

/// The error for a string that is not in a closed set.
pub(crate) fn not_among(texts: &[&str], found: Json) -> ValidationError {
    let quoted: Vec<_> = texts.iter().map(|text| format!("'{text}'")).collect();
    let expected = match quoted.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    };
    ValidationError::new("literal_error", format!("expected {expected}"), found)
}

type Variants<'a> = &'a [(&'a str, &'a [&'a str])];

/// The known strings, or any other.
pub(crate) fn open_schema(doc: &[&str], variants: Variants<'_>) -> Schema {
    let known = Value::from(known(variants));
    let mut schema = Map::new();
    schema.insert("anyOf".to_owned(), serde_json::json!([known, { "type": "string" }]));
    described(schema, doc, variants)
}

/// Only the known strings.
pub(crate) fn closed_schema(doc: &[&str], variants: Variants<'_>) -> Schema {
    described(known(variants), doc, variants)
}

fn known(variants: Variants<'_>) -> Map<String, Value> {
    let texts: Vec<&str> = variants.iter().map(|(text, _)| *text).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), texts.into());
    schema
}

fn described(mut schema: Map<String, Value>, doc: &[&str], variants: Variants<'_>) -> Schema {
    let lines = variants.iter().map(|(text, doc)| format!("\n- `{text}`: {}", description(doc)));
    let text = format!("{}\n{}", description(doc), lines.collect::<String>());
    schema.insert("description".to_owned(), text.into());
    Schema::from(schema)
}
