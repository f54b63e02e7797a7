//! Requests to chat models, and their responses.

use crate::coerce::strict_integer;
use crate::modelstudio::rag::RagOptions;
use crate::modelstudio::search::{IntentionOptions, SearchOptions};
use crate::openai::chat::{ChatCompletion, ChatCompletionChunk, OpenAIMessage, with_parameters};
use crate::string_enum::closed_enum;

/// The response of a Model Studio model: a chat completion.
pub type ModelstudioChatResponse = ChatCompletion;

/// A chunk of a streamed response of a Model Studio model: a chat completion chunk.
pub type ModelstudioChatCompletionChunk = ChatCompletionChunk;

closed_enum! {
    /// The format of a response.
    pub enum ResultFormat {
        /// A message.
        Message = "message",
        /// Text only.
        Text = "text",
    }
}

/// Defines a record that starts with the parameters of every request to a Model Studio model, followed by its own
/// fields.
macro_rules! with_modelstudio_parameters {
    ($(#[$($meta:tt)*])* pub struct $name:ident { $($fields:tt)* }) => {
        with_parameters! {
            $(#[$($meta)*])*
            pub struct $name {
                /// The repetition penalty: values above 1 reduce repetition, values below 1 increase it.
                repetition_penalty: Option<f64>,
                /// The length penalty.
                length_penalty: Option<f64>,
                /// Samples from this many of the most likely tokens. Accepts only a JSON integer.
                #[check(strict_integer)]
                top_k: Option<i64>,
                /// The minimum number of tokens to generate.
                min_tokens: Option<i64>,
                /// The format of the response.
                result_format: ResultFormat => ResultFormat::Message,
                /// Whether each chunk of a streamed response has only the new text. Otherwise it has all text so far.
                incremental_output: bool => false,
                /// Whether the model may search the web.
                enable_search: bool => false,
                /// Options for the web search.
                search_options: Option<SearchOptions> => Some(SearchOptions::default()),
                /// Whether the model uses knowledge bases.
                enable_rag: bool => false,
                /// Options for the knowledge bases.
                rag_options: Option<RagOptions>,
                /// The model that a Model Studio application uses.
                selected_model: Option<String> => Some("qwen-max".to_owned()),
                /// Options for intent detection.
                intention_options: Option<IntentionOptions>,
                /// The path of a file that lists MCP servers.
                mcp_config_file: Option<String>,
                $($fields)*
            }
        }
    };
}

with_modelstudio_parameters! {
    /// The parameters of a request to a Model Studio model, except messages and model.
    pub struct ModelstudioParameters {}
}

with_modelstudio_parameters! {
    /// A request to a Model Studio model.
    #[example(r#"{
        "model": "qwen-max", "messages": [{"role": "user", "content": "What is 6 times 7?"}], "enable_search": true
    }"#)]
    pub struct ModelstudioChatRequest {
        /// The conversation so far.
        messages: Vec<OpenAIMessage> = required,
        /// The model's name.
        model: String = required,
    }
}
