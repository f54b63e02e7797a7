//! Embeddings: the response of an embedding model in OpenAI's format, with the usage fields of other vendors.

use std::borrow::Cow;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::{Json, JsonObject};
use crate::string_enum::literal;
use crate::union::untagged_union;

/// The response of an embedding model.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(example = r#"{
    "data": [{"embedding": [0.25, -0.5], "index": 0, "object": "embedding"}],
    "model": "text-embedding-v4", "object": "list", "usage": {"prompt_tokens": 3, "total_tokens": 3}
}"#)]
pub struct EmbeddingResponse {
    /// One embedding per input.
    #[record(required)]
    pub data: Vec<Embedding>,
    /// The model that produced the embeddings.
    #[record(required)]
    pub model: String,
    /// Always `"list"`.
    #[record(required)]
    pub object: ListObject,
    /// The usage of the call.
    #[record(required)]
    pub usage: Usage,
}

/// The embedding of one input. Vendor-specific members are kept.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Embedding {
    /// The vector.
    #[record(required)]
    pub embedding: EmbeddingVector,
    /// The index of the input, starting at 0.
    #[record(required)]
    pub index: i64,
    /// Always `"embedding"`.
    #[record(required)]
    pub object: EmbeddingObject,
    /// Every other member, in the order in which it came.
    #[record(extra)]
    pub extra: JsonObject,
}

/// The usage of a call to an embedding model. Vendors set the fields that they count.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "EmbeddingUsage")]
pub struct Usage {
    /// Tokens in the input texts.
    pub prompt_tokens: Option<i64>,
    /// All billed tokens.
    pub total_tokens: Option<i64>,
    /// Input tokens, as some vendors name them.
    pub input_tokens: Option<i64>,
    /// The number of texts.
    pub text_count: Option<i64>,
    /// The number of images.
    pub image_count: Option<i64>,
    /// The number of videos.
    pub video_count: Option<i64>,
    /// The total duration of the videos, in seconds.
    pub duration: Option<f64>,
}

literal! {
    /// The `object` of an [`EmbeddingResponse`].
    pub struct ListObject = "list";
}

literal! {
    /// The `object` of an [`Embedding`].
    pub struct EmbeddingObject = "embedding";
}

/// A vector in the requested encoding.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddingVector {
    /// An array of numbers.
    Floats(Vec<f64>),
    /// Little-endian 32-bit floats in Base64, as requested with `encoding_format: "base64"`.
    Base64(String),
}

impl Default for EmbeddingVector {
    fn default() -> Self {
        EmbeddingVector::Floats(Vec::new())
    }
}

impl Serialize for EmbeddingVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            EmbeddingVector::Floats(numbers) => numbers.serialize(serializer),
            EmbeddingVector::Base64(text) => text.serialize(serializer),
        }
    }
}

impl FromJson for EmbeddingVector {
    fn from_json(json: Json) -> Decoded<Self> {
        match json {
            Json::Array(_) => Vec::from_json(json).map(EmbeddingVector::Floats),
            Json::String(text) => Ok(EmbeddingVector::Base64(text)),
            other => {
                Err(ValidationError::new("list_type", "expected an array of numbers or a string", other))
            }
        }
    }
}

impl JsonSchema for EmbeddingVector {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("EmbeddingVector")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let alternatives = [generator.subschema_for::<Vec<f64>>(), generator.subschema_for::<String>()];
        untagged_union(&["A vector."], &alternatives)
    }
}

deserialize_from_json!(EmbeddingVector);
