//! What a content holds, by type: one table for the enum, its JSON and its schemas.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;

use crate::decode::{Decoded, member};
use crate::error::ErrorBody;
use crate::json::{Json, JsonObject};
use crate::record::{Field, IfAbsent, RecordSchema};
use crate::status::Status;
use crate::union::tagged_union;

macro_rules! bodies {
    ($($(#[doc = $doc:literal])* $variant:ident $type_name:literal $schema_name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)*
    })*) => {
        /// What a content holds. Closed for input: a request with another `type` is refused.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum ContentBody {
            $($(#[doc = $doc])* $variant { $($(#[doc = $field_doc])* $field: Option<$type>,)* },)*
        }

        impl ContentBody {
            /// The names that `type` may have, in the order of the variants.
            pub const TYPES: [&'static str; 7] = [$($type_name),*];

            /// The `type` on the wire.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(ContentBody::$variant { .. } => $type_name,)*
                }
            }

            /// A body of the named type whose fields are all null; `None` for a name that is none of [`Self::TYPES`].
            pub fn empty(type_name: &str) -> Option<Self> {
                match type_name {
                    $($type_name => Some(ContentBody::$variant { $($field: None),* }),)*
                    _ => None,
                }
            }

            pub(super) fn serialize_into<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error> {
                match self {
                    $(ContentBody::$variant { $($field),* } => {
                        $(out.serialize_entry(stringify!($field), $field)?;)*
                    })*
                }
                Ok(())
            }

            /// Takes in a member of the content's object if it is one of the body's.
            pub(super) fn read_member(&mut self, key: &str, value: Json) -> Decoded<()> {
                match self {
                    $(ContentBody::$variant { $($field),* } => match key {
                        $(stringify!($field) => *$field = member(key, value)?,)*
                        _ => {}
                    },)*
                }
                Ok(())
            }
        }

        $(
            /// The schema of one type of content.
            struct $schema_name;

            impl JsonSchema for $schema_name {
                fn schema_name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($schema_name))
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    let mut schema = head(generator, $type_name, &[$($doc),*]);
                    $(schema.field::<Option<$type>>(field(stringify!($field), &[$($field_doc),*]));)*
                    schema.finish()
                }
            }
        )*

        /// Any type of content.
        pub(super) fn any_content(generator: &mut SchemaGenerator, doc: &[&str]) -> Schema {
            let alternatives = [$(($type_name, generator.subschema_for::<$schema_name>())),*];
            tagged_union(doc, "type", &alternatives)
        }
    };
}

bodies! {
    /// Text.
    Text "text" TextContent {
        /// The text or its next part.
        text: String,
    }
    /// A picture.
    Image "image" ImageContent {
        /// A URL, or a `data:` URL with the picture itself.
        image_url: String,
    }
    /// Anything structured: tool calls, their outputs, data of the application.
    Data "data" DataContent {
        /// A JSON object. The message's `type` says what is in it: a `FunctionCall` in `function_call` and
        /// `plugin_call`, a `FunctionCallOutput` in their outputs, an `McpCall` in `mcp_call`, and so on.
        data: JsonObject,
    }
    /// Sound.
    Audio "audio" AudioContent {
        /// Base64 data or a URL.
        data: String,
        /// `wav`, `mp3`, …
        format: String,
    }
    /// A file, by one of its fields.
    File "file" FileContent {
        /// Where it can be fetched.
        file_url: String,
        /// Its id where it was uploaded.
        file_id: String,
        /// Its name.
        filename: String,
        /// Its bytes in Base64 or as a `data:` URL.
        file_data: String,
    }
    /// The model's words of refusal.
    Refusal "refusal" RefusalContent {
        /// The text or its next part.
        refusal: String,
    }
    /// A film.
    Video "video" VideoContent {
        /// A URL, or a `data:` URL with the film itself.
        video_url: String,
    }
}

fn field(name: &'static str, doc: &'static [&'static str]) -> Field {
    Field { name, doc, if_absent: IfAbsent::Null, alias: None, range: None, constant: None }
}

/// The fields that all contents have, in the order of the wire.
fn head<'a>(generator: &'a mut SchemaGenerator, type_name: &'static str, doc: &[&str]) -> RecordSchema<'a> {
    let mut schema = RecordSchema::new(generator, doc);
    schema.field::<Option<i64>>(field("sequence_number", &["The event's number in its run."]));
    schema.field::<String>(Field {
        constant: Some("content"),
        if_absent: IfAbsent::Value(Json::from("content")),
        ..field("object", &["Always `\"content\"` in what the server writes."])
    });
    schema.field::<Option<Status>>(field("status", &["Where the content stands."]));
    schema.field::<Option<ErrorBody>>(field("error", &["Why it failed."]));
    schema.tag("type", type_name);
    schema.field::<Option<i64>>(field("index", &["The position in its message, from 0."]));
    schema.field::<Option<bool>>(Field {
        if_absent: IfAbsent::Value(Json::from(false)),
        ..field(
            "delta",
            &["Whether the body is to be appended to what `msg_id` and `index` name; else it is the whole value."],
        )
    });
    schema.field::<Option<String>>(field("msg_id", &["The message it belongs to."]));
    schema
}
