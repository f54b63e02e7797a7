//! The client's settings of a voice chat.

use agent_schemas_derive::Record;

use crate::realtime::speech::{AsrConfig, AsrVendor, TtsConfig, TtsVendor};
use crate::secret::SecretText;

/// The client's input, and how its speech is recognized.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatUpstream {
    /// The turn-taking mode. In `duplex` the user may speak at any time.
    #[record(default = Some("duplex".to_owned()))]
    pub dialog_mode: Option<String>,
    /// Whether the server detects when the user speaks.
    #[record(default = Some(true))]
    pub enable_server_vad: Option<bool>,
    /// The modality of the input: `audio`, …
    #[record(default = Some(vec!["audio".to_owned()]))]
    pub modalities: Option<Vec<String>>,
    /// The speech recognition vendor.
    #[record(default = Some(AsrVendor::Modelstudio))]
    pub asr_vendor: Option<AsrVendor>,
    /// Settings of the vendor; the server chooses those that are null.
    #[record(default = Some(AsrConfig::default()))]
    pub asr_options: Option<AsrConfig>,
}

/// The server's output, and how its speech is synthesized.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatDownstream {
    /// The modalities of the output: `audio`, `text` or both.
    #[record(default = Some(vec!["audio".to_owned(), "text".to_owned()]))]
    pub modalities: Option<Vec<String>>,
    /// The speech synthesis vendor.
    #[record(default = Some(TtsVendor::Modelstudio))]
    pub tts_vendor: Option<TtsVendor>,
    /// Settings of the vendor; the server chooses those that are null.
    #[record(default = Some(TtsConfig::default()))]
    pub tts_options: Option<TtsConfig>,
}

/// What the agent may use while it answers.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatParameters {
    /// The knowledge base to search.
    pub modelstudio_kb: Option<ModelstudioKnowledgeBaseConfig>,
    /// Whether the agent may call tools.
    #[record(default = Some(false))]
    pub enable_tool_call: Option<bool>,
}

/// A knowledge base in Alibaba Cloud Model Studio.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioKnowledgeBaseConfig {
    /// The ids of its indexes.
    #[record(required)]
    pub index_ids: Vec<String>,
    /// The workspace that contains it.
    #[record(required)]
    pub workspace_id: String,
    /// The account's API key.
    #[record(required)]
    pub api_key: SecretText,
}

/// The user's input, and the agent that it is for.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatInput {
    /// The dialog id.
    pub dialog_id: Option<String>,
    /// The id of the application that answers.
    pub app_id: Option<String>,
    /// The text of the input.
    pub text: Option<String>,
}
