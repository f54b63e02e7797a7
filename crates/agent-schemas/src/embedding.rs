//! Embeddings: what an embedding model answers, in OpenAI's form with the counts of other vendors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, ValidationError, deserialize_from_json};
use crate::json::Json;
use crate::record::record;
use crate::string_enum::literal;
use crate::union::untagged_union;

record! {
    /// What an embedding model answered.
    #[example(r#"{
        "data": [{"embedding": [0.25, -0.5], "index": 0, "object": "embedding"}],
        "model": "text-embedding-v4", "object": "list", "usage": {"prompt_tokens": 3, "total_tokens": 3}
    }"#)]
    pub struct EmbeddingResponse {
        /// One embedding for each input.
        data: Vec<Embedding> = required,
        /// The model that made them.
        model: String = required,
        /// Always `"list"`.
        object: ListObject = required,
        /// What the call used.
        usage: Usage = required,
    }
}

record! {
    /// The embedding of one input. Members of the vendor's own are kept.
    pub struct Embedding {
        /// The vector.
        embedding: EmbeddingVector = required,
        /// Which input it belongs to, from 0.
        index: i64 = required,
        /// Always `"embedding"`.
        object: EmbeddingObject = required,
        ..extra
    }
}

record! {
    /// What a call of an embedding model used. Vendors fill what they count.
    pub struct Usage ("EmbeddingUsage") {
        /// The tokens of the texts.
        prompt_tokens: Option<i64>,
        /// All tokens that are paid for.
        total_tokens: Option<i64>,
        /// The tokens of the input, with vendors that call them so.
        input_tokens: Option<i64>,
        /// How many texts there were.
        text_count: Option<i64>,
        /// How many pictures there were.
        image_count: Option<i64>,
        /// How many films there were.
        video_count: Option<i64>,
        /// How long the films were, in seconds.
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

/// A vector, in the form that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddingVector {
    /// The numbers.
    Floats(Vec<f64>),
    /// The numbers as little-endian 32-bit floats in Base64: the answer to `encoding_format: "base64"`.
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
