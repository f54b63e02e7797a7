//! The types of OpenAI's chat completions: requests, messages, completions and chunks.
//!
//! Requests and messages are read as strictly as the agent protocol. Completions come from many kinds of model servers,
//! so any of their members may be missing.

mod chunk;
mod common;
mod completion;
mod content;
mod create;
mod foreign;
mod format;
mod logprobs;
mod message;
mod parameters;
mod part;
mod request;
mod stream_options;
mod tool_choice;
mod usage;

pub use crate::id::{prefixed_tool_call_id, tool_call_id};
pub use chunk::{
    ChatCompletionChunk, ChatCompletionChunkChoice, ChoiceDelta, ChoiceDeltaFunction, ChoiceDeltaToolCall,
};
pub(crate) use common::with_parameters;
pub use completion::{
    ChatCompletion, ChatCompletionAnnotation, ChatCompletionAudio, ChatCompletionChoice,
    ChatCompletionFunction, ChatCompletionMessage, ChatCompletionToolCall, UrlCitation,
};
pub use content::{ContentSummary, MessageContent};
pub use create::{create_chat_completion, create_chat_completion_chunk, is_json_string};
pub use format::{JsonSchemaFormat, ResponseFormat, ResponseFormatOrName};
pub use logprobs::{ChatCompletionTokenLogprob, ChoiceLogprobs, TopLogprob};
pub use message::{AssistantMessage, OpenAIMessage, OpenAIToolCall, SystemMessage, ToolMessage, UserMessage};
pub use parameters::Parameters;
pub use part::{
    AudioMessageContent, AudioPartType, ImageDetail, ImageMessageContent, ImagePartType, ImageUrl,
    InputAudioDetail, MessageContentPart, TextMessageContent, TextPartType,
};
pub use request::ChatCompletionRequest;
pub use stream_options::StreamOptions;
pub use tool_choice::{ToolChoice, ToolChoiceInputFunction, ToolChoiceOrMode};
pub use usage::{CompletionTokensDetails, CompletionUsage, FinishReason, PromptTokensDetails};
