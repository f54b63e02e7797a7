//! How a model uses knowledge bases (retrieval-augmented generation).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::decode::{Decoded, FromJson, deserialize_from_json};
use crate::json::Json;
use crate::record::record;

record! {
    /// A piece of knowledge and where it comes from.
    pub struct KnowledgeHolder {
        /// The source's name or URL.
        source: String = required,
        /// The text.
        content: String = required,
    }
}

record! {
    /// How a model uses knowledge bases.
    pub struct RagOptions {
        /// The workspace that the knowledge bases are in.
        workspace_id: Option<String> => Some(String::new()),
        /// What stands in the prompt for the documents that are found.
        replaced_word: String => "${documents}".to_owned(),
        /// The knowledge bases to search, by name.
        index_names: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// The knowledge bases to search, by id.
        pipeline_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// The only files to search.
        #[alias("file_id_list")]
        file_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// How what is found is put into the prompt.
        #[alias("prompt_strategy_name")]
        prompt_strategy: Option<PromptStrategy> => Some(PromptStrategy::default()),
        /// The most chunks of documents to put into the prompt.
        #[range(1, 20)]
        maximum_allowed_chunk_num: Option<i64> => Some(5),
        /// The most characters of documents to put into the prompt.
        maximum_allowed_length: Option<i64> => Some(2000),
        /// Whether the text marks what comes from which document.
        #[alias("prompt_enable_citation")]
        enable_citation: bool => false,
        /// What to answer where nothing is found.
        fallback_options: Option<FallbackOptions>,
        /// Whether to search the web too.
        enable_web_search: bool => false,
        /// Files that were uploaded for this session alone.
        session_file_ids: Option<Vec<String>> => Some(Vec::<String>::new()),
        /// How many chunks to take for their meaning.
        dense_similarity_top_k: Option<i64> => Some(100),
        /// How many chunks to take for their words.
        sparse_similarity_top_k: Option<i64> => Some(100),
        /// Whether a model rewrites the question for the search.
        enable_rewrite: Option<bool>,
        /// How it does.
        rewrite: Option<Vec<RewriteOptions>>,
        /// Whether a model puts what is found into a better order.
        enable_reranking: Option<bool>,
        /// The least score, by that model, of what is used.
        rerank_min_score: Option<f64>,
        /// How many of the best are used.
        rerank_top_n: Option<i64>,
        /// How the order is found.
        rerank: Option<Vec<RerankOptions>>,
        /// Whether to refuse questions that the documents do not answer.
        enable_reject_filter: Option<bool>,
        /// How such questions are known.
        reject_filter_type: Option<String>,
        /// The model that knows them.
        reject_filter_model_name: Option<String>,
        /// The prompt for that model.
        reject_filter_prompt: Option<String>,
        /// Whether to search all knowledge bases as one.
        enable_agg_search: Option<bool>,
        /// Whether the answer may mix documents with the model's own knowledge.
        enable_hybrid_gen: Option<bool>,
    }
}

record! {
    /// What to answer where nothing is found.
    pub struct FallbackOptions ("RagFallbackOptions") {
        /// Who answers: the model (`llm`), a fixed text (`template`), or nobody (`none`).
        default_response_type: Option<String> => Some("llm".to_owned()),
        /// The fixed text.
        default_response: Option<String> => Some(String::new()),
    }
}

record! {
    /// How a question is rewritten for the search.
    pub struct RewriteOptions ("RagRewriteOptions") {
        /// The model that rewrites it.
        model_name: Option<String>,
        /// The kind of rewriting, by its name with the vendor.
        class_name: Option<String>,
    }
}

record! {
    /// How the order of what is found is improved.
    pub struct RerankOptions ("RagRerankOptions") {
        /// The model that orders it.
        model_name: Option<String>,
    }
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
