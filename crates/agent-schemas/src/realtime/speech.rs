//! Settings of speech recognition (ASR) and synthesis (TTS), by vendor.
//!
//! The defaults are fixed. A deployment that needs others sets them in the values that it creates.

use agent_schemas_derive::Record;

use crate::secret::SecretText;
use crate::string_enum::closed_enum;

closed_enum! {
    /// The speech recognition vendor.
    pub enum AsrVendor {
        /// Alibaba Cloud Model Studio.
        Modelstudio = "modelstudio",
        /// Azure AI Speech.
        Azure = "azure",
    }
}

closed_enum! {
    /// The speech synthesis vendor.
    pub enum TtsVendor {
        /// Alibaba Cloud Model Studio.
        Modelstudio = "modelstudio",
        /// Azure AI Speech.
        Azure = "azure",
    }
}

/// Defines a [`Record`] that begins with what it takes to reach a vendor, or with nothing.
macro_rules! vendor_record {
    (none $(#[doc = $doc:literal])* $name:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name { $($fields)* }
    };
    (modelstudio $(#[doc = $doc:literal])* $name:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The service's URL; the vendor's public one if null.
            pub base_url: Option<String>,
            /// The account's API key.
            pub api_key: Option<SecretText>,
            /// The workspace that is used and billed; the account's default one if null.
            pub workspace_id: Option<String>,
            /// The client's `User-Agent` header.
            pub user_agent: Option<String>,
            /// Whether the vendor moderates the content; the value of its `X-DashScope-DataInspection` header.
            pub data_inspection: Option<String>,
            $($fields)*
        }
    };
    (azure $(#[doc = $doc:literal])* $name:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Record)]
        $(#[doc = $doc])*
        pub struct $name {
            /// The key of the Speech resource.
            pub key: Option<SecretText>,
            /// The region of the Speech resource, such as `eastus`.
            pub region: Option<String>,
            $($fields)*
        }
    };
}

/// Defines speech synthesis settings from a connection and default values.
macro_rules! tts_config {
    ($(#[doc = $doc:literal])* $connection:ident pub struct $name:ident {
        model: $model_type:ty $(=> $model:expr)?,
        voice: $voice_type:ty $(=> $voice:expr)?,
        sample_rate: $sample_rate_type:ty $(=> $sample_rate:expr)?,
        format $(=> $format:expr)?,
        bits_per_sample $(=> $bits_per_sample:expr)?,
        nb_channels $(=> $nb_channels:expr)?,
        chat_id $(=> $chat_id:expr)?,
    }) => {
        vendor_record! {
            $connection
            $(#[doc = $doc])*
            $name {
                /// The speech synthesis model.
                $(#[record(default = $model)])?
                pub model: $model_type,
                /// The vendor's name of the voice.
                $(#[record(default = $voice)])?
                pub voice: $voice_type,
                /// The sample rate in Hz.
                $(#[record(default = $sample_rate)])?
                pub sample_rate: $sample_rate_type,
                /// The audio encoding: `pcm`, `wav`, `mp3`, …
                $(#[record(default = $format)])?
                pub format: Option<String>,
                /// Bits per sample.
                $(#[record(default = $bits_per_sample)])?
                pub bits_per_sample: Option<i64>,
                /// The number of channels: 1 is mono, 2 is stereo.
                $(#[record(default = $nb_channels)])?
                pub nb_channels: Option<i64>,
                /// The id of the chat that the speech belongs to.
                $(#[record(default = $chat_id)])?
                pub chat_id: Option<String>,
            }
        }
    };
}

/// Defines speech recognition settings from a connection and default values.
macro_rules! asr_config {
    ($(#[doc = $doc:literal])* $connection:ident pub struct $name:ident {
        model $(=> $model:expr)?,
        language $(=> $language:expr)?,
        sample_rate $(=> $sample_rate:expr)?,
        format $(=> $format:expr)?,
        bits_per_sample $(=> $bits_per_sample:expr)?,
        nb_channels $(=> $nb_channels:expr)?,
        initial_silence_timeout $(=> $initial_silence_timeout:expr)?,
        max_end_silence $(=> $max_end_silence:expr)?,
        fast_vad_min_duration $(=> $fast_vad_min_duration:expr)?,
        fast_vad_max_duration $(=> $fast_vad_max_duration:expr)?,
    }) => {
        vendor_record! {
            $connection
            $(#[doc = $doc])*
            $name {
                /// The speech recognition model.
                $(#[record(default = $model)])?
                pub model: Option<String>,
                /// The spoken language, such as `en-US`; the vendor decides if null.
                $(#[record(default = $language)])?
                pub language: Option<String>,
                /// The sample rate in Hz.
                $(#[record(default = $sample_rate)])?
                pub sample_rate: Option<i64>,
                /// The audio encoding: `pcm`, `wav`, `mp3`, …
                $(#[record(default = $format)])?
                pub format: Option<String>,
                /// Bits per sample.
                $(#[record(default = $bits_per_sample)])?
                pub bits_per_sample: Option<i64>,
                /// The number of channels: 1 is mono, 2 is stereo.
                $(#[record(default = $nb_channels)])?
                pub nb_channels: Option<i64>,
                /// How long to wait for speech to start, in milliseconds.
                $(#[record(default = $initial_silence_timeout)])?
                pub initial_silence_timeout: Option<i64>,
                /// The silence that ends a sentence, in milliseconds.
                $(#[record(default = $max_end_silence)])?
                pub max_end_silence: Option<i64>,
                /// The lower bound of fast voice activity detection, in milliseconds.
                $(#[record(default = $fast_vad_min_duration)])?
                pub fast_vad_min_duration: Option<i64>,
                /// The upper bound of fast voice activity detection, in milliseconds.
                $(#[record(default = $fast_vad_max_duration)])?
                pub fast_vad_max_duration: Option<i64>,
            }
        }
    };
}

vendor_record! {
    modelstudio
    /// Connection settings for Alibaba Cloud Model Studio.
    ModelstudioConnection {}
}

vendor_record! {
    azure
    /// Connection settings for Azure AI Speech.
    AzureConnection {}
}

tts_config! {
    /// Speech synthesis settings that all vendors share.
    none pub struct TtsConfig {
        model: Option<String>,
        voice: Option<String>,
        sample_rate: Option<i64>,
        format,
        bits_per_sample,
        nb_channels,
        chat_id,
    }
}

tts_config! {
    /// Speech synthesis settings of Alibaba Cloud Model Studio.
    modelstudio pub struct ModelstudioTtsConfig {
        model: String => "cosyvoice-v2".to_owned(),
        voice: String => "longcheng_v2".to_owned(),
        sample_rate: i64 => 16_000,
        format => Some("pcm".to_owned()),
        bits_per_sample,
        nb_channels,
        chat_id,
    }
}

tts_config! {
    /// Speech synthesis settings of Azure AI Speech.
    azure pub struct AzureTtsConfig {
        model: Option<String>,
        voice: Option<String> => Some("en-US-AvaMultilingualNeural".to_owned()),
        sample_rate: Option<i64> => Some(16_000),
        format => Some("pcm".to_owned()),
        bits_per_sample => Some(16),
        nb_channels => Some(1),
        chat_id,
    }
}

asr_config! {
    /// Speech recognition settings that all vendors share.
    none pub struct AsrConfig {
        model,
        language,
        sample_rate,
        format,
        bits_per_sample,
        nb_channels,
        initial_silence_timeout,
        max_end_silence,
        fast_vad_min_duration,
        fast_vad_max_duration,
    }
}

asr_config! {
    /// Speech recognition settings of Alibaba Cloud Model Studio.
    modelstudio pub struct ModelstudioAsrConfig {
        model => Some("gummy-realtime-v1".to_owned()),
        language,
        sample_rate => Some(16_000),
        format => Some("pcm".to_owned()),
        bits_per_sample,
        nb_channels,
        initial_silence_timeout,
        max_end_silence => Some(700),
        fast_vad_min_duration => Some(200),
        fast_vad_max_duration => Some(1100),
    }
}

asr_config! {
    /// Speech recognition settings of Azure AI Speech.
    azure pub struct AzureAsrConfig {
        model,
        language => Some("en-US".to_owned()),
        sample_rate => Some(16_000),
        format => Some("pcm".to_owned()),
        bits_per_sample => Some(16),
        nb_channels => Some(1),
        initial_silence_timeout => Some(5000),
        max_end_silence => Some(800),
        fast_vad_min_duration,
        fast_vad_max_duration,
    }
}
