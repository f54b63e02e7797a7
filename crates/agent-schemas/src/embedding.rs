//! Embeddings: the response of an embedding model in OpenAI's format, with the usage fields of other vendors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::record::record;
use crate::string_enum::literal;
use crate::union::untagged_union;

record! {
    /// The response of an embedding model.
    #[example(r#"{
        "data": [{"embedding": [0.25, -0.5], "index": 0, "object": "embedding"}],
        "model": "text-embedding-v4", "object": "list", "usage": {"prompt_tokens": 3, "total_tokens": 3}
    }"#)]
    pub struct EmbeddingResponse {
        /// One embedding per input.
        data: Vec<Embedding> = required,
        /// The model that produced the embeddings.
        model: String = required,
        /// Always `"list"`.
        object: ListObject = required,
        /// The usage of the call.
        usage: Usage = required,
    }
}

record! {
    /// The embedding of one input. Vendor-specific members are kept.
    pub struct Embedding {
        /// The vector.
        embedding: EmbeddingVector = required,
        /// The index of the input, starting at 0.
        index: i64 = required,
        /// Always `"embedding"`.
        object: EmbeddingObject = required,
        ..extra
    }
}

record! {
    /// The usage of a call to an embedding model. Vendors set the fields that they count.
    pub struct Usage ("EmbeddingUsage") {
        /// Tokens in the input texts.
        prompt_tokens: Option<i64>,
        /// All billed tokens.
        total_tokens: Option<i64>,
        /// Input tokens, as some vendors name them.
        input_tokens: Option<i64>,
        /// The number of texts.
        text_count: Option<i64>,
        /// The number of images.
        image_count: Option<i64>,
        /// The number of videos.
        video_count: Option<i64>,
        /// The total duration of the videos, in seconds.
        duration: Option<f64>,
    }
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
