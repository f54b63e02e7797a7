//! What a client may set in a voice chat.

use agent_schemas_derive::Record;

use crate::realtime::speech::{AsrConfig, AsrVendor, TtsConfig, TtsVendor};
use crate::secret::SecretText;

/// What comes from the client, and how its speech is recognized.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatUpstream {
    /// How turns are taken: in `duplex` the user may speak at any time.
    #[record(default = Some("duplex".to_owned()))]
    pub dialog_mode: Option<String>,
    /// Whether the server finds out by itself when the user speaks.
    #[record(default = Some(true))]
    pub enable_server_vad: Option<bool>,
    /// What the client sends: `audio`, …
    #[record(default = Some(vec!["audio".to_owned()]))]
    pub modalities: Option<Vec<String>>,
    /// Who recognizes the speech.
    #[record(default = Some(AsrVendor::Modelstudio))]
    pub asr_vendor: Option<AsrVendor>,
    /// How; what is null there is left to the server.
    #[record(default = Some(AsrConfig::default()))]
    pub asr_options: Option<AsrConfig>,
}

/// What goes to the client, and how its speech is made.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatDownstream {
    /// What the server sends: `audio`, `text` or both.
    #[record(default = Some(vec!["audio".to_owned(), "text".to_owned()]))]
    pub modalities: Option<Vec<String>>,
    /// Who makes the speech.
    #[record(default = Some(TtsVendor::Modelstudio))]
    pub tts_vendor: Option<TtsVendor>,
    /// How; what is null there is left to the server.
    #[record(default = Some(TtsConfig::default()))]
    pub tts_options: Option<TtsConfig>,
}

/// What the agent may use while it answers.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatParameters {
    /// The knowledge base that it may search.
    pub modelstudio_kb: Option<ModelstudioKnowledgeBaseConfig>,
    /// Whether it may call tools.
    #[record(default = Some(false))]
    pub enable_tool_call: Option<bool>,
}

/// A knowledge base in Alibaba Cloud Model Studio.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioKnowledgeBaseConfig {
    /// The ids of its indexes.
    #[record(required)]
    pub index_ids: Vec<String>,
    /// The workspace that it is in.
    #[record(required)]
    pub workspace_id: String,
    /// The key of the account.
    #[record(required)]
    pub api_key: SecretText,
}

/// What the user said, for which agent.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ModelstudioVoiceChatInput {
    /// The dialog that it belongs to.
    pub dialog_id: Option<String>,
    /// The application that is to answer.
    pub app_id: Option<String>,
    /// What was said.
    pub text: Option<String>,
}
