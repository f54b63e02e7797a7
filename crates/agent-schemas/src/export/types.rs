//! The table of exported types.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::api::runs::{RunInfo, RunPage};
use crate::api::sessions::{
    MessageAppend, MessagePage, MessagesAppended, SessionChange, SessionInfo, SessionPage,
};
use crate::decode::{FromJson, ValidationError};
use crate::json::Json;
use crate::openai::chat;
use crate::{
    AgentRequest, AgentResponse, Content, ErrorBody, Event, FunctionCall, FunctionCallOutput,
    FunctionParameters, FunctionTool, McpApprovalRequest, McpApprovalResponse, McpCall, McpCallOutput,
    McpListTools, McpListToolsTool, Message, RequestTool, Tool, ToolCall, ToolCallOutput,
};
use crate::{embedding, modelstudio, realtime, response_api, responses, session};

/// Who writes a type. This decides which form gets the type's own name: readers need to know what is always present,
/// writers what they may omit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Clients write it, the server reads it.
    Read,
    /// The server writes it, clients read it.
    Written,
    /// Both directions. If the forms differ, the one to send to the server has the suffix `Input`.
    Both,
}

/// A type whose schema is exported.
#[derive(Clone, Copy, Debug)]
pub struct ExportedType {
    /// Who writes it.
    pub direction: Direction,
    pub(super) name: fn() -> std::borrow::Cow<'static, str>,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    canonical: fn(Json) -> Result<Json, ValidationError>,
}

impl ExportedType {
    /// The type's name, as upstream has it.
    pub fn name(&self) -> String {
        (self.name)().into_owned()
    }

    /// Reads a value of the type and writes it again. The result has every field, with defaults where it was absent.
    ///
    /// # Errors
    /// The first error, with its location.
    pub fn canonical(&self, json: Json) -> Result<Json, ValidationError> {
        (self.canonical)(json)
    }
}

fn entry<T: JsonSchema + FromJson + Serialize>(direction: Direction) -> ExportedType {
    ExportedType {
        direction,
        name: T::schema_name,
        schema: |generator| generator.subschema_for::<T>(),
        canonical: |json| {
            let value = T::from_json(json)?;
            Json::from_serialize(&value)
                .map_err(|fault| ValidationError::new("serialization", fault.to_string(), Json::Null))
        },
    }
}

macro_rules! exported {
    ($($direction:ident: $($name:ty),* $(,)?;)*) => {
        /// Every exported type, starting with those of the agent protocol.
        pub fn types() -> Vec<ExportedType> {
            vec![$($(entry::<$name>(Direction::$direction),)*)*]
        }
    };
}

exported! {
    Read: AgentRequest;
    Written: Event, AgentResponse;
    Both: Message, Content, ErrorBody;
    Written: SessionInfo, SessionPage, MessagePage, MessagesAppended, RunInfo, RunPage;
    Read: SessionChange, MessageAppend;
    Read: RequestTool, Tool, FunctionTool, FunctionParameters;
    Both: FunctionCall, FunctionCallOutput, McpCall, McpCallOutput, McpListTools, McpListToolsTool,
        McpApprovalRequest, McpApprovalResponse, ToolCall, ToolCallOutput;
    Both: chat::Parameters, chat::StreamOptions, chat::ToolChoice, chat::ToolChoiceInputFunction,
        chat::ResponseFormat, chat::JsonSchemaFormat, chat::OpenAIMessage, chat::UserMessage,
        chat::AssistantMessage, chat::SystemMessage, chat::ToolMessage, chat::OpenAIToolCall,
        chat::MessageContentPart, chat::TextMessageContent, chat::ImageMessageContent, chat::ImageUrl,
        chat::AudioMessageContent, chat::InputAudioDetail;
    Read: chat::ChatCompletionRequest;
    Both: chat::ChatCompletion, chat::ChatCompletionChoice, chat::ChatCompletionMessage,
        chat::ChatCompletionToolCall, chat::ChatCompletionFunction, chat::ChatCompletionAudio,
        chat::ChatCompletionAnnotation, chat::UrlCitation, chat::ChatCompletionChunk, chat::ChatCompletionChunkChoice,
        chat::ChoiceDelta, chat::ChoiceDeltaToolCall, chat::ChoiceDeltaFunction, chat::ChoiceLogprobs,
        chat::ChatCompletionTokenLogprob, chat::TopLogprob, chat::CompletionUsage,
        chat::CompletionTokensDetails, chat::PromptTokensDetails;
    Written: responses::Response, responses::ResponseItem;
    Both: session::Session;
    Written: embedding::EmbeddingResponse, embedding::Embedding, embedding::Usage;
    Read: response_api::ResponseAPI, response_api::ResponseInputMessage, response_api::ResponsePrompt,
        response_api::Reasoning, response_api::ResponseTextConfig;
    Read: modelstudio::ModelstudioParameters, modelstudio::ModelstudioChatRequest, modelstudio::SearchOptions, modelstudio::IntentionOptions,
        modelstudio::RagOptions, modelstudio::FallbackOptions, modelstudio::RewriteOptions,
        modelstudio::RerankOptions;
    Both: modelstudio::KnowledgeHolder;
    Read: realtime::ModelstudioConnection, realtime::AzureConnection, realtime::TtsConfig,
        realtime::ModelstudioTtsConfig, realtime::AzureTtsConfig, realtime::AsrConfig,
        realtime::ModelstudioAsrConfig, realtime::AzureAsrConfig, realtime::AsrVendor, realtime::TtsVendor;
    Read: realtime::ModelstudioVoiceChatRequest, realtime::ModelstudioVoiceChatDirective,
        realtime::ModelstudioVoiceChatSessionStartPayload, realtime::ModelstudioVoiceChatSessionStopPayload,
        realtime::ModelstudioVoiceChatUpstream, realtime::ModelstudioVoiceChatDownstream,
        realtime::ModelstudioVoiceChatParameters, realtime::ModelstudioKnowledgeBaseConfig,
        realtime::ModelstudioVoiceChatInput;
    Written: realtime::ModelstudioVoiceChatResponse, realtime::ModelstudioVoiceChatEvent,
        realtime::ModelstudioVoiceChatSessionStartedPayload, realtime::ModelstudioVoiceChatSessionStoppedPayload,
        realtime::ModelstudioVoiceChatAudioTranscriptPayload, realtime::ModelstudioVoiceChatResponseTextPayload,
        realtime::ModelstudioVoiceChatResponseAudioStartedPayload,
        realtime::ModelstudioVoiceChatResponseAudioStoppedPayload;
}
