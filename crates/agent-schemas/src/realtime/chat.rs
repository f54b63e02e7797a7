//! The client's settings of a voice chat.

use crate::realtime::speech::{AsrConfig, AsrVendor, TtsConfig, TtsVendor};
use crate::record::record;
use crate::secret::SecretText;

record! {
    /// The client's input, and how its speech is recognized.
    pub struct ModelstudioVoiceChatUpstream {
        /// The turn-taking mode. In `duplex` the user may speak at any time.
        dialog_mode: Option<String> => Some("duplex".to_owned()),
        /// Whether the server detects when the user speaks.
        enable_server_vad: Option<bool> => Some(true),
        /// The modality of the input: `audio`, …
        modalities: Option<Vec<String>> => Some(vec!["audio".to_owned()]),
        /// The speech recognition vendor.
        asr_vendor: Option<AsrVendor> => Some(AsrVendor::Modelstudio),
        /// Settings of the vendor; the server chooses those that are null.
        asr_options: Option<AsrConfig> => Some(AsrConfig::default()),
    }
}

record! {
    /// The server's output, and how its speech is synthesized.
    pub struct ModelstudioVoiceChatDownstream {
        /// The modalities of the output: `audio`, `text` or both.
        modalities: Option<Vec<String>> => Some(vec!["audio".to_owned(), "text".to_owned()]),
        /// The speech synthesis vendor.
        tts_vendor: Option<TtsVendor> => Some(TtsVendor::Modelstudio),
        /// Settings of the vendor; the server chooses those that are null.
        tts_options: Option<TtsConfig> => Some(TtsConfig::default()),
    }
}

record! {
    /// What the agent may use while it answers.
    pub struct ModelstudioVoiceChatParameters {
        /// The knowledge base to search.
        modelstudio_kb: Option<ModelstudioKnowledgeBaseConfig>,
        /// Whether the agent may call tools.
        enable_tool_call: Option<bool> => Some(false),
    }
}

record! {
    /// A knowledge base in Alibaba Cloud Model Studio.
    pub struct ModelstudioKnowledgeBaseConfig {
        /// The ids of its indexes.
        index_ids: Vec<String> = required,
        /// The workspace that contains it.
        workspace_id: String = required,
        /// The account's API key.
        api_key: SecretText = required,
    }
}

record! {
    /// The user's input, and the agent that it is for.
    pub struct ModelstudioVoiceChatInput {
        /// The dialog id.
        dialog_id: Option<String>,
        /// The id of the application that answers.
        app_id: Option<String>,
        /// The text of the input.
        text: Option<String>,
    }
}
