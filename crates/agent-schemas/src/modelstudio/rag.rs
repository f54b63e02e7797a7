//! How a model uses knowledge bases (retrieval-augmented generation).

use std::borrow::Cow;
use std::fmt;

use agent_schemas_derive::Record;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::Json;

/// A piece of knowledge and where it comes from.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct KnowledgeHolder {
    /// The source's name or URL.
    #[record(required)]
    pub source: String,
    /// The text.
    #[record(required)]
    pub content: String,
}

/// How a model uses knowledge bases.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RagOptions {
    /// The workspace that the knowledge bases are in.
    #[record(default = Some(String::new()))]
    pub workspace_id: Option<String>,
    /// What stands in the prompt for the documents that are found.
    #[record(default = "${documents}".to_owned())]
    pub replaced_word: String,
    /// The knowledge bases to search, by name.
    #[record(default = Some(Vec::new()))]
    pub index_names: Option<Vec<String>>,
    /// The knowledge bases to search, by id.
    #[record(default = Some(Vec::new()))]
    pub pipeline_ids: Option<Vec<String>>,
    /// The only files to search.
    #[record(alias = "file_id_list", default = Some(Vec::new()))]
    pub file_ids: Option<Vec<String>>,
    /// How what is found is put into the prompt.
    #[record(alias = "prompt_strategy_name", default = Some(PromptStrategy::default()))]
    pub prompt_strategy: Option<PromptStrategy>,
    /// The most chunks of documents to put into the prompt.
    #[record(default = Some(5), range(1, 20))]
    pub maximum_allowed_chunk_num: Option<i64>,
    /// The most characters of documents to put into the prompt.
    #[record(default = Some(2000))]
    pub maximum_allowed_length: Option<i64>,
    /// Whether the text marks what comes from which document.
    #[record(alias = "prompt_enable_citation", default)]
    pub enable_citation: bool,
    /// What to answer where nothing is found.
    pub fallback_options: Option<FallbackOptions>,
    /// Whether to search the web too.
    #[record(default)]
    pub enable_web_search: bool,
    /// Files that were uploaded for this session alone.
    #[record(default = Some(Vec::new()))]
    pub session_file_ids: Option<Vec<String>>,
    /// How many chunks to take for their meaning.
    #[record(default = Some(100))]
    pub dense_similarity_top_k: Option<i64>,
    /// How many chunks to take for their words.
    #[record(default = Some(100))]
    pub sparse_similarity_top_k: Option<i64>,
    /// Whether a model rewrites the question for the search.
    pub enable_rewrite: Option<bool>,
    /// How it does.
    pub rewrite: Option<Vec<RewriteOptions>>,
    /// Whether a model puts what is found into a better order.
    pub enable_reranking: Option<bool>,
    /// The least score, by that model, of what is used.
    pub rerank_min_score: Option<f64>,
    /// How many of the best are used.
    pub rerank_top_n: Option<i64>,
    /// How the order is found.
    pub rerank: Option<Vec<RerankOptions>>,
    /// Whether to refuse questions that the documents do not answer.
    pub enable_reject_filter: Option<bool>,
    /// How such questions are known.
    pub reject_filter_type: Option<String>,
    /// The model that knows them.
    pub reject_filter_model_name: Option<String>,
    /// The prompt for that model.
    pub reject_filter_prompt: Option<String>,
    /// Whether to search all knowledge bases as one.
    pub enable_agg_search: Option<bool>,
    /// Whether the answer may mix documents with the model's own knowledge.
    pub enable_hybrid_gen: Option<bool>,
}

/// What to answer where nothing is found.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagFallbackOptions")]
pub struct FallbackOptions {
    /// Who answers: the model (`llm`), a fixed text (`template`), or nobody (`none`).
    #[record(default = Some("llm".to_owned()))]
    pub default_response_type: Option<String>,
    /// The fixed text.
    #[record(default = Some(String::new()))]
    pub default_response: Option<String>,
}

/// How a question is rewritten for the search.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagRewriteOptions")]
pub struct RewriteOptions {
    /// The model that rewrites it.
    pub model_name: Option<String>,
    /// The kind of rewriting, by its name with the vendor.
    pub class_name: Option<String>,
}

/// How the order of what is found is improved.
#[derive(Clone, Debug, PartialEq, Record)]
#[record(name = "RagRerankOptions")]
pub struct RerankOptions {
    /// The model that orders it.
    pub model_name: Option<String>,
}

/// How what is found is put into the prompt, by its name with the vendor.
///
/// Names are in lower case, except `topK`, which takes the best chunks and is meant by `topk` and `top_k` too.
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
