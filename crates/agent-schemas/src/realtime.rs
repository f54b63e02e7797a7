//! Spoken conversations: how speech is recognized and made, and the messages of a voice chat.
//!
//! [`speech`] has the configurations of the vendors, [`chat`] what a client may set in a voice chat, [`request`] and
//! [`response`] what client and server send each other.

pub mod chat;
mod pair;
pub mod request;
pub mod response;
pub mod speech;

pub use chat::{
    ModelstudioKnowledgeBaseConfig, ModelstudioVoiceChatDownstream, ModelstudioVoiceChatInput,
    ModelstudioVoiceChatParameters, ModelstudioVoiceChatUpstream,
};
pub use request::{
    ModelstudioVoiceChatDirective, ModelstudioVoiceChatRequest, ModelstudioVoiceChatSessionStartPayload,
    ModelstudioVoiceChatSessionStopPayload,
};
pub use response::{
    ModelstudioVoiceChatAudioTranscriptPayload, ModelstudioVoiceChatEvent, ModelstudioVoiceChatResponse,
    ModelstudioVoiceChatResponseAudioStartedPayload, ModelstudioVoiceChatResponseAudioStoppedPayload,
    ModelstudioVoiceChatResponseTextPayload, ModelstudioVoiceChatSessionStartedPayload,
    ModelstudioVoiceChatSessionStoppedPayload,
};
pub use speech::{
    AsrConfig, AsrVendor, AzureAsrConfig, AzureConnection, AzureTtsConfig, ModelstudioAsrConfig,
    ModelstudioConnection, ModelstudioTtsConfig, TtsConfig, TtsVendor,
};
