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
                pub repetition_penalty: Option<f64>,
                /// The length penalty.
                pub length_penalty: Option<f64>,
                /// Samples from this many of the most likely tokens. Accepts only a JSON integer.
                #[record(check = strict_integer)]
                pub top_k: Option<i64>,
                /// The minimum number of tokens to generate.
                pub min_tokens: Option<i64>,
                /// The format of the response.
                #[record(default = ResultFormat::Message)]
                pub result_format: ResultFormat,
                /// Whether each chunk of a streamed response has only the new text. Otherwise it has all text so far.
                #[record(default)]
                pub incremental_output: bool,
                /// Whether the model may search the web.
                #[record(default)]
                pub enable_search: bool,
                /// Options for the web search.
                #[record(default = Some(SearchOptions::default()))]
                pub search_options: Option<SearchOptions>,
                /// Whether the model uses knowledge bases.
                #[record(default)]
                pub enable_rag: bool,
                /// Options for the knowledge bases.
                pub rag_options: Option<RagOptions>,
                /// The model that a Model Studio application uses.
                #[record(default = Some("qwen-max".to_owned()))]
                pub selected_model: Option<String>,
                /// Options for intent detection.
                pub intention_options: Option<IntentionOptions>,
                /// The path of a file that lists MCP servers.
                pub mcp_config_file: Option<String>,
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
    #[record(example = r#"{
        "model": "qwen-max", "messages": [{"role": "user", "content": "What is 6 times 7?"}], "enable_search": true
    }"#)]
    pub struct ModelstudioChatRequest {
        /// The conversation so far.
        #[record(required)]
        pub messages: Vec<OpenAIMessage>,
        /// The model's name.
        #[record(required)]
        pub model: String,
    }
}
