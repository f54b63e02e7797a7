//! Requests to chat models, and their answers.

use crate::lax::strict_integer;
use crate::modelstudio::rag::RagOptions;
use crate::modelstudio::search::{IntentionOptions, SearchOptions};
use crate::openai::chat::{ChatCompletion, ChatCompletionChunk, OpenAIMessage, with_parameters};
use crate::string_enum::closed_enum;

/// The whole answer of a model of Model Studio: a chat completion.
pub type ModelstudioChatResponse = ChatCompletion;

/// A part of a streamed answer of a model of Model Studio: a chunk of a chat completion.
pub type ModelstudioChatCompletionChunk = ChatCompletionChunk;

closed_enum! {
    /// The form of an answer.
    pub enum ResultFormat {
        /// A message.
        Message = "message",
        /// Text alone.
        Text = "text",
    }
}

/// Defines a record that begins with the parameters of every request to a model of Model Studio; its own fields
/// follow.
macro_rules! with_modelstudio_parameters {
    ($(#[$($meta:tt)*])* pub struct $name:ident { $($fields:tt)* }) => {
        with_parameters! {
            $(#[$($meta)*])*
            pub struct $name {
                /// How much repetition is punished: above 1 there is less, below 1 more.
                pub repetition_penalty: Option<f64>,
                /// How much length is punished.
                pub length_penalty: Option<f64>,
                /// From how many of the likeliest tokens the next one is taken. Only a plain integer is read.
                #[record(check = strict_integer)]
                pub top_k: Option<i64>,
                /// The fewest tokens to produce.
                pub min_tokens: Option<i64>,
                /// The form of the answer.
                #[record(default = ResultFormat::Message)]
                pub result_format: ResultFormat,
                /// Whether each chunk of a streamed answer has only what is new; else all that there is so far.
                #[record(default)]
                pub incremental_output: bool,
                /// Whether the model may search the web.
                #[record(default)]
                pub enable_search: bool,
                /// How it searches.
                #[record(default = Some(SearchOptions::default()))]
                pub search_options: Option<SearchOptions>,
                /// Whether the model uses knowledge bases.
                #[record(default)]
                pub enable_rag: bool,
                /// How it uses them.
                pub rag_options: Option<RagOptions>,
                /// The model that an application of Model Studio is to use.
                #[record(default = Some("qwen-max".to_owned()))]
                pub selected_model: Option<String>,
                /// How to find out what the user wants.
                pub intention_options: Option<IntentionOptions>,
                /// The path of a file that names MCP servers.
                pub mcp_config_file: Option<String>,
                $($fields)*
            }
        }
    };
}

with_modelstudio_parameters! {
    /// What a request to a model of Model Studio says besides messages and model.
    pub struct ModelstudioParameters {}
}

with_modelstudio_parameters! {
    /// A request to a model of Model Studio.
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
