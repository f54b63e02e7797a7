//! Voice chats: speech recognition and synthesis settings, and the messages exchanged.
//!
//! [`speech`] has the vendors' settings, [`chat`] the client's settings, [`request`] and [`response`] the messages
//! between client and server.

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
