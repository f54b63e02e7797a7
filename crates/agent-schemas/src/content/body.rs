//! The bodies of contents by type: one table for the enum, its JSON and its schemas.

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
        /// The body of a content. A closed set: a request with another `type` is rejected.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum ContentBody {
            $($(#[doc = $doc])* $variant { $($(#[doc = $field_doc])* $field: Option<$type>,)* },)*
        }

        impl ContentBody {
            /// The allowed values of `type`, in the order of the variants.
            pub const TYPES: [&'static str; 7] = [$($type_name),*];

            /// The `type` on the wire.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(ContentBody::$variant { .. } => $type_name,)*
                }
            }

            /// A body of the named type with all fields null; `None` if the name is not one of [`Self::TYPES`].
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

            /// Reads a member of the content object if it is a field of this body.
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
            /// The schema of one content type.
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

        /// Any content type.
        pub(super) fn any_content(generator: &mut SchemaGenerator, doc: &[&str]) -> Schema {
            let alternatives = [$(($type_name, generator.subschema_for::<$schema_name>())),*];
            tagged_union(doc, "type", &alternatives)
        }
    };
}

bodies! {
    /// Text.
    Text "text" TextContent {
        /// The text, or its next part.
        text: String,
    }
    /// An image.
    Image "image" ImageContent {
        /// A URL, or a `data:` URL that contains the image.
        image_url: String,
    }
    /// Structured data: a tool call, a tool output, or application data.
    Data "data" DataContent {
        /// A JSON object. The message's `type` determines its schema: `FunctionCall` in `function_call` and
        /// `plugin_call`, `FunctionCallOutput` in their outputs, `McpCall` in `mcp_call`, and so on.
        data: JsonObject,
    }
    /// Audio.
    Audio "audio" AudioContent {
        /// Base64 data or a URL.
        data: String,
        /// `wav`, `mp3`, …
        format: String,
    }
    /// A file, given by one of these fields.
    File "file" FileContent {
        /// The URL of the file.
        file_url: String,
        /// The id of an uploaded file.
        file_id: String,
        /// The file name.
        filename: String,
        /// The file's bytes in Base64 or as a `data:` URL.
        file_data: String,
    }
    /// A refusal by the model.
    Refusal "refusal" RefusalContent {
        /// The text, or its next part.
        refusal: String,
    }
    /// A video.
    Video "video" VideoContent {
        /// A URL, or a `data:` URL that contains the video.
        video_url: String,
    }
}

fn field(name: &'static str, doc: &'static [&'static str]) -> Field {
    Field { name, doc, if_absent: IfAbsent::Null, alias: None, range: None, constant: None }
}

/// The fields that all contents share, in wire order.
fn head<'a>(generator: &'a mut SchemaGenerator, type_name: &'static str, doc: &[&str]) -> RecordSchema<'a> {
    let mut schema = RecordSchema::new(generator, doc);
    schema.field::<Option<i64>>(field("sequence_number", &["The event's sequence number within its run."]));
    schema.field::<String>(Field {
        constant: Some("content"),
        if_absent: IfAbsent::Value(Json::from("content")),
        ..field("object", &["Always `\"content\"` when written by the server."])
    });
    schema.field::<Option<Status>>(field("status", &["The status of the content."]));
    schema.field::<Option<ErrorBody>>(field("error", &["The error, if the content failed."]));
    schema.tag("type", type_name);
    schema.field::<Option<i64>>(field("index", &["The position in the message, starting at 0."]));
    schema.field::<Option<bool>>(Field {
        if_absent: IfAbsent::Value(Json::from(false)),
        ..field(
            "delta",
            &[
                "Whether the body is appended to the content named by `msg_id` and `index`;",
                "otherwise it is the whole value.",
            ],
        )
    });
    schema.field::<Option<String>>(field("msg_id", &["The id of the message that contains it."]));
    schema
}
