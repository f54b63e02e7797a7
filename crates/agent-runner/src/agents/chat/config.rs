//! The settings of a `chat` agent.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_schemas::JsonObject;
use agent_services::page::MAX_PAGE;
use serde::{Deserialize, Serialize};

use super::ChatError;
use super::extra::OWN_MEMBERS;
use crate::open_json;
use crate::{SecretMap, seconds};

/// The members that are passed on by default. Model servers know them, but the native protocol does not: they control
/// sampling, the format of the answer, and whether and how much the model thinks.
const PASSED_ON: [&str; 28] = [
    "response_format",
    "reasoning_effort",
    "verbosity",
    "top_k",
    "top_a",
    "min_p",
    "typical_p",
    "repetition_penalty",
    "repeat_penalty",
    "min_tokens",
    "logit_bias",
    "stop_token_ids",
    "structured_outputs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "grammar",
    "json_schema",
    "chat_template_kwargs",
    "enable_thinking",
    "thinking",
    "thinking_budget",
    "thinking_config",
    "reasoning",
    "include_reasoning",
    "reasoning_format",
    "enable_search",
];

/// The role of instructions in requests to a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemRole {
    /// `system`, which every server knows.
    #[default]
    System,
    /// `developer`, its newer name.
    Developer,
}

impl SystemRole {
    /// The role's name in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        }
    }
}

/// The settings of a `chat` agent: one section of a configuration file, where times are numbers of seconds under names that
/// end in `_seconds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ChatConfig {
    /// The base URL of the endpoint; `/chat/completions` is appended. It must not contain a user name or a password.
    pub base_url: String,
    /// The model to use.
    pub model: String,
    /// The environment variable that holds the API key. Without it, requests carry no key.
    pub api_key_env: Option<String>,
    /// Further headers of requests to the endpoint, by name. Their values are not shown anywhere.
    pub extra_headers: SecretMap,
    /// The same with the names of environment variables that hold the values.
    pub extra_headers_env: BTreeMap<String, String>,
    /// Further members of requests to the endpoint, such as `chat_template_kwargs = { enable_thinking = false }`. A
    /// request's own members take precedence.
    #[serde(with = "open_json")]
    pub extra_body: JsonObject,
    /// The members of clients' requests that are passed to the endpoint unchanged, if they have a value.
    pub passed_on: Vec<String>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// The role of the message with the system prompt and all other instructions: `system`, or `developer` for
    /// endpoints that want that name.
    pub system_role: SystemRole,
    /// The models that a request may select with `model`; any other name is ignored.
    pub allowed_models: Vec<String>,
    /// The names of the server's tools that the model may call; all of them by default.
    pub tools: Option<Vec<String>>,
    /// The names of the MCP servers whose tools the model may call, too; all of them by default.
    pub mcp: Option<Vec<String>>,
    /// How many messages of the session's history precede the request's input, at most 1000; 0 for
    /// none.
    pub history_messages: usize,
    /// The maximum number of tokens of that history, by a rough estimate. The oldest tool calls are dropped first.
    pub history_tokens: usize,
    /// How many memories of the user the model receives, those that match the request's last user message best; 0 for
    /// none.
    pub recall: usize,
    /// Whether the user's input and the answer are added to the user's memories after a turn that completed.
    pub remember: bool,
    /// The maximum number of model calls per turn; a turn that needs more fails.
    pub max_rounds: u32,
    /// How often a model call is retried if it fails before its first token: because the server cannot be reached, is
    /// overloaded (429) or fails (5xx), or because its answer breaks off.
    pub max_retries: u32,
    /// The delay before the first retry; doubled for each further one. A server's
    /// `Retry-After` takes precedence, up to 30 seconds; if it is longer, the call is not retried.
    #[serde(rename = "retry_delay_seconds", with = "seconds")]
    pub retry_delay: Duration,
    /// The maximum time to connect.
    #[serde(rename = "connect_timeout_seconds", with = "seconds")]
    pub connect_timeout: Duration,
    /// The maximum time until the model's first token.
    #[serde(rename = "first_token_timeout_seconds", with = "seconds")]
    pub first_token_timeout: Duration,
    /// The maximum silence of the stream after that.
    #[serde(rename = "idle_timeout_seconds", with = "seconds")]
    pub idle_timeout: Duration,
    /// The sampling temperature of requests without one.
    pub temperature: Option<f64>,
    /// The nucleus sampling of requests without one.
    pub top_p: Option<f64>,
    /// The token limit of requests without one.
    pub max_tokens: Option<i64>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        ChatConfig {
            base_url: "https://api.openai.com/v1".to_owned(),
            model: String::new(),
            api_key_env: None,
            extra_headers: SecretMap::default(),
            extra_headers_env: BTreeMap::new(),
            extra_body: JsonObject::new(),
            passed_on: PASSED_ON.map(str::to_owned).to_vec(),
            system_prompt: None,
            system_role: SystemRole::System,
            allowed_models: Vec::new(),
            tools: None,
            mcp: None,
            history_messages: 100,
            history_tokens: 32_000,
            recall: 0,
            remember: false,
            max_rounds: 8,
            max_retries: 2,
            retry_delay: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(10),
            first_token_timeout: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(120),
            temperature: None,
            top_p: None,
            max_tokens: None,
        }
    }
}

impl ChatConfig {
    /// The defaults with this model.
    pub fn new(model: impl Into<String>) -> Self {
        ChatConfig { model: model.into(), ..ChatConfig::default() }
    }

    /// Checks what the types cannot.
    pub(super) fn times(&self) -> Result<Times, ChatError> {
        if self.model.trim().is_empty() {
            return Err(ChatError::NoModel);
        }
        if self.max_rounds == 0 {
            return Err(ChatError::Setting { name: "max_rounds", reason: "should be at least 1" });
        }
        let is_own = |name: &String| OWN_MEMBERS.contains(&name.as_str());
        let reason = "should not have a member that the agent sets itself: model, messages, stream, stream_options, tools";
        for (name, has_own) in [
            ("extra_body", self.extra_body.keys().any(is_own)),
            ("passed_on", self.passed_on.iter().any(is_own)),
        ] {
            if has_own {
                return Err(ChatError::Setting { name, reason });
            }
        }
        for (name, value) in [("history_messages", self.history_messages), ("recall", self.recall)] {
            if value > MAX_PAGE {
                return Err(ChatError::Setting { name, reason: "should be at most 1000" });
            }
        }
        for (name, time) in [
            ("retry_delay_seconds", self.retry_delay),
            ("connect_timeout_seconds", self.connect_timeout),
            ("first_token_timeout_seconds", self.first_token_timeout),
            ("idle_timeout_seconds", self.idle_timeout),
        ] {
            if time.is_zero() {
                return Err(ChatError::Setting { name, reason: "should be greater than 0 seconds" });
            }
        }
        Ok(Times {
            retry_delay: self.retry_delay,
            connect: self.connect_timeout,
            first_token: self.first_token_timeout,
            idle: self.idle_timeout,
        })
    }
}

/// The times of a [`ChatConfig`], checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) retry_delay: Duration,
    pub(super) connect: Duration,
    pub(super) first_token: Duration,
    pub(super) idle: Duration,
}
