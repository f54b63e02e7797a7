//! What a client may set in a voice chat.

use crate::realtime::speech::{AsrConfig, AsrVendor, TtsConfig, TtsVendor};
use crate::record::record;
use crate::secret::SecretText;

record! {
    /// What comes from the client, and how its speech is recognized.
    pub struct ModelstudioVoiceChatUpstream {
        /// How turns are taken: in `duplex` the user may speak at any time.
        dialog_mode: Option<String> => Some("duplex".to_owned()),
        /// Whether the server finds out by itself when the user speaks.
        enable_server_vad: Option<bool> => Some(true),
        /// What the client sends: `audio`, …
        modalities: Option<Vec<String>> => Some(vec!["audio".to_owned()]),
        /// Who recognizes the speech.
        asr_vendor: Option<AsrVendor> => Some(AsrVendor::Modelstudio),
        /// How; what is null there is left to the server.
        asr_options: Option<AsrConfig> => Some(AsrConfig::default()),
    }
}

record! {
    /// What goes to the client, and how its speech is made.
    pub struct ModelstudioVoiceChatDownstream {
        /// What the server sends: `audio`, `text` or both.
        modalities: Option<Vec<String>> => Some(vec!["audio".to_owned(), "text".to_owned()]),
        /// Who makes the speech.
        tts_vendor: Option<TtsVendor> => Some(TtsVendor::Modelstudio),
        /// How; what is null there is left to the server.
        tts_options: Option<TtsConfig> => Some(TtsConfig::default()),
    }
}

record! {
    /// What the agent may use while it answers.
    pub struct ModelstudioVoiceChatParameters {
        /// The knowledge base that it may search.
        modelstudio_kb: Option<ModelstudioKnowledgeBaseConfig>,
        /// Whether it may call tools.
        enable_tool_call: Option<bool> => Some(false),
    }
}

record! {
    /// A knowledge base in Alibaba Cloud Model Studio.
    pub struct ModelstudioKnowledgeBaseConfig {
        /// The ids of its indexes.
        index_ids: Vec<String> = required,
        /// The workspace that it is in.
        workspace_id: String = required,
        /// The key of the account.
        api_key: SecretText = required,
    }
}

record! {
    /// What the user said, for which agent.
    pub struct ModelstudioVoiceChatInput {
        /// The dialog that it belongs to.
        dialog_id: Option<String>,
        /// The application that is to answer.
        app_id: Option<String>,
        /// What was said.
        text: Option<String>,
    }
}
