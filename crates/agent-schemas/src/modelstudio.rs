//! Chat models of Alibaba Cloud Model Studio: OpenAI's chat completions with web search and knowledge bases.

mod chat;
mod rag;
mod search;

pub use chat::{
    ModelstudioChatCompletionChunk, ModelstudioChatRequest, ModelstudioChatResponse, ModelstudioParameters,
    ResultFormat,
};
pub use rag::{FallbackOptions, KnowledgeHolder, PromptStrategy, RagOptions, RerankOptions, RewriteOptions};
pub use search::{IntentionOptions, SearchOptions, SearchStrategy};
