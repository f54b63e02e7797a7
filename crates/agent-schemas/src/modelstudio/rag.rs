//! How a model uses knowledge bases (retrieval-augmented generation).

use std::borrow::Cow;
use std::fmt;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::Json;

/// A piece of knowledge and its source.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct KnowledgeHolder {
    /// The source's name or URL.
    #[record(required)]
    pub source: String,
    /// The text.
    #[record(required)]
    pub content: String,
}

/// Options for the knowledge bases of a model.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RagOptions {
    /// The workspace that contains the knowledge bases.
    #[record(default = Some(String::new()))]
    pub workspace_id: Option<String>,
    /// The placeholder in the prompt for the retrieved documents.
    #[record(default = "${documents}".to_owned())]
    pub replaced_word: String,
    /// The knowledge bases to search, by name.
    #[record(default = Some(Vec::new()))]
    pub index_names: Option<Vec<String>>,
    /// The knowledge bases to search, by id.
    #[record(default = Some(Vec::new()))]
    pub pipeline_ids: Option<Vec<String>>,
    /// Restricts the search to these files.
    #[record(alias = "file_id_list", default = Some(Vec::new()))]
    pub file_ids: Option<Vec<String>>,
    /// How retrieved text is put into the prompt.
    #[record(alias = "prompt_strategy_name", default = Some(PromptStrategy::default()))]
    pub prompt_strategy: Option<PromptStrategy>,
    /// The maximum number of document chunks in the prompt.
    #[record(default = Some(5), range(1, 20))]
    pub maximum_allowed_chunk_num: Option<i64>,
    /// The maximum number of document characters in the prompt.
    #[record(default = Some(2000))]
    pub maximum_allowed_length: Option<i64>,
    /// Whether the text marks which document a statement comes from.
    #[record(alias = "prompt_enable_citation", default)]
    pub enable_citation: bool,
    /// What to answer if nothing is found.
    pub fallback_options: Option<FallbackOptions>,
    /// Whether to search the web as well.
    #[record(default)]
    pub enable_web_search: bool,
    /// Files that were uploaded for this session only.
    #[record(default = Some(Vec::new()))]
    pub session_file_ids: Option<Vec<String>>,
    /// How many chunks to retrieve by vector similarity.
    #[record(default = Some(100))]
    pub dense_similarity_top_k: Option<i64>,
    /// How many chunks to retrieve by keyword.
    #[record(default = Some(100))]
    pub sparse_similarity_top_k: Option<i64>,
    /// Whether a model rewrites the query before the search.
    pub enable_rewrite: Option<bool>,
    /// Options for query rewriting.
    pub rewrite: Option<Vec<RewriteOptions>>,
    /// Whether a model reranks the results.
    pub enable_reranking: Option<bool>,
    /// The minimum rerank score of a result.
    pub rerank_min_score: Option<f64>,
    /// How many of the top results are used.
    pub rerank_top_n: Option<i64>,
    /// Options for reranking.
    pub rerank: Option<Vec<RerankOptions>>,
    /// Whether to reject questions that the documents do not answer.
    pub enable_reject_filter: Option<bool>,
    /// How such questions are detected.
    pub reject_filter_type: Option<String>,
    /// The model that detects them.
    pub reject_filter_model_name: Option<String>,
    /// The prompt for that model.
    pub reject_filter_prompt: Option<String>,
    /// Whether to search all knowledge bases as one.
    pub enable_agg_search: Option<bool>,
    /// Whether the answer may combine documents with the model's own knowledge.
    pub enable_hybrid_gen: Option<bool>,
}

/// What to answer if nothing is found.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagFallbackOptions")]
pub struct FallbackOptions {
    /// The source of the answer: the model (`llm`), a fixed text (`template`), or none (`none`).
    #[record(default = Some("llm".to_owned()))]
    pub default_response_type: Option<String>,
    /// The fixed text.
    #[record(default = Some(String::new()))]
    pub default_response: Option<String>,
}

/// How a query is rewritten before the search.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagRewriteOptions")]
pub struct RewriteOptions {
    /// The model that rewrites the query.
    pub model_name: Option<String>,
    /// The vendor's name for the kind of rewriting.
    pub class_name: Option<String>,
}

/// How results are reranked.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagRerankOptions")]
pub struct RerankOptions {
    /// The reranking model.
    pub model_name: Option<String>,
}

/// How retrieved text is put into the prompt. Values are the vendor's names.
///
/// Names are in lower case, except `topK`, which takes the best chunks and can also be written `topk` or `top_k`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptStrategy(Box<str>);

impl PromptStrategy {
    /// The string on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for PromptStrategy {
    fn default() -> Self {
        PromptStrategy("topK".into())
    }
}

impl From<&str> for PromptStrategy {
    fn from(name: &str) -> Self {
        match name.to_lowercase() {
            name if name == "topk" || name == "top_k" => PromptStrategy::default(),
            name => PromptStrategy(name.into()),
        }
    }
}

impl fmt::Display for PromptStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PromptStrategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromJson for PromptStrategy {
    fn from_json(json: Json) -> Decoded<Self> {
        String::from_json(json).map(|name| PromptStrategy::from(name.as_str()))
    }
}

impl JsonSchema for PromptStrategy {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("PromptStrategy")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

deserialize_from_json!(PromptStrategy);
