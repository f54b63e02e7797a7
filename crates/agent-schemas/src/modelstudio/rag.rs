//! How a model uses knowledge bases (retrieval-augmented generation).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::Json;
use crate::record::record;

record! {
    /// A piece of knowledge and its source.
    pub struct KnowledgeHolder {
        /// The source's name or URL.
        source: String = required,
        /// The text.
        content: String = required,
    }
}

record! {
    /// Options for the knowledge bases of a model.
    pub struct RagOptions {
        /// The workspace that contains the knowledge bases.
        workspace_id: Option<String> => Some(String::new()),
        /// The placeholder in the prompt for the retrieved documents.
        replaced_word: String => "${documents}".to_owned(),
        /// The knowledge bases to search, by name.
        index_names: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// The knowledge bases to search, by id.
        pipeline_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// Restricts the search to these files.
        #[alias("file_id_list")]
        file_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// How retrieved text is put into the prompt.
        #[alias("prompt_strategy_name")]
        prompt_strategy: Option<PromptStrategy> => Some(PromptStrategy::default()),
        /// The maximum number of document chunks in the prompt.
        #[range(1, 20)]
        maximum_allowed_chunk_num: Option<i64> => Some(5),
        /// The maximum number of document characters in the prompt.
        maximum_allowed_length: Option<i64> => Some(2000),
        /// Whether the text marks which document a statement comes from.
        #[alias("prompt_enable_citation")]
        enable_citation: bool => false,
        /// What to answer if nothing is found.
        fallback_options: Option<FallbackOptions>,
        /// Whether to search the web as well.
        enable_web_search: bool => false,
        /// Files that were uploaded for this session only.
        session_file_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// How many chunks to retrieve by vector similarity.
        dense_similarity_top_k: Option<i64> => Some(100),
        /// How many chunks to retrieve by keyword.
        sparse_similarity_top_k: Option<i64> => Some(100),
        /// Whether a model rewrites the query before the search.
        enable_rewrite: Option<bool>,
        /// Options for query rewriting.
        rewrite: Option<Vec<RewriteOptions>>,
        /// Whether a model reranks the results.
        enable_reranking: Option<bool>,
        /// The minimum rerank score of a result.
        rerank_min_score: Option<f64>,
        /// How many of the top results are used.
        rerank_top_n: Option<i64>,
        /// Options for reranking.
        rerank: Option<Vec<RerankOptions>>,
        /// Whether to reject questions that the documents do not answer.
        enable_reject_filter: Option<bool>,
        /// How such questions are detected.
        reject_filter_type: Option<String>,
        /// The model that detects them.
        reject_filter_model_name: Option<String>,
        /// The prompt for that model.
        reject_filter_prompt: Option<String>,
        /// Whether to search all knowledge bases as one.
        enable_agg_search: Option<bool>,
        /// Whether the answer may combine documents with the model's own knowledge.
        enable_hybrid_gen: Option<bool>,
    }
}

record! {
    /// What to answer if nothing is found.
    pub struct FallbackOptions ("RagFallbackOptions") {
        /// The source of the answer: the model (`llm`), a fixed text (`template`), or none (`none`).
        default_response_type: Option<String> => Some("llm".to_owned()),
        /// The fixed text.
        default_response: Option<String> => Some(String::new()),
    }
}

record! {
    /// How a query is rewritten before the search.
    pub struct RewriteOptions ("RagRewriteOptions") {
        /// The model that rewrites the query.
        model_name: Option<String>,
        /// The vendor's name for the kind of rewriting.
        class_name: Option<String>,
    }
}

record! {
    /// How results are reranked.
    pub struct RerankOptions ("RagRerankOptions") {
        /// The reranking model.
        model_name: Option<String>,
    }
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
