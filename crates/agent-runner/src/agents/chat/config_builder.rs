//! A [`ChatConfig`] in one expression.

use std::time::Duration;

use agent_schemas::{Json, SecretText};

use super::{ChatConfig, SystemRole};

/// Each method sets the field of its name, or adds to it; [`Chat::new`](super::Chat::new) checks the values.
///
/// ```
/// use agent_runner::agents::ChatConfig;
///
/// let config = ChatConfig::new("qwen3")
///     .with_base_url("http://127.0.0.1:11434/v1")
///     .with_system_prompt("You are a helpful assistant.")
///     .with_tools(["calculator"])
///     .with_temperature(0.2);
/// assert_eq!(config.max_rounds, 8);
/// ```
impl ChatConfig {
    /// Sets the [`base_url`](Self::base_url).
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets [`api_key_env`](Self::api_key_env).
    #[must_use]
    pub fn with_api_key_env(mut self, variable: impl Into<String>) -> Self {
        self.api_key_env = Some(variable.into());
        self
    }

    /// Adds one of the [`extra_headers`](Self::extra_headers).
    #[must_use]
    pub fn with_extra_header(mut self, name: impl Into<String>, value: impl Into<SecretText>) -> Self {
        self.extra_headers.insert(name, value);
        self
    }

    /// Sets the member of this name in the [`extra_body`](Self::extra_body).
    #[must_use]
    pub fn with_extra_member(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.extra_body.insert(name.into(), value.into());
        self
    }

    /// Sets the members of requests that are [`passed_on`](Self::passed_on).
    #[must_use]
    pub fn with_passed_on(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.passed_on = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the [`system_role`](Self::system_role).
    #[must_use]
    pub fn with_system_role(mut self, role: SystemRole) -> Self {
        self.system_role = role;
        self
    }

    /// Sets the [`system_prompt`](Self::system_prompt).
    #[must_use]
    pub fn with_system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.system_prompt = Some(prompt.into());
        self
    }

    /// Sets the [`allowed_models`](Self::allowed_models).
    #[must_use]
    pub fn with_allowed_models(mut self, models: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_models = models.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the names of the [`tools`](Self::tools).
    #[must_use]
    pub fn with_tools(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tools = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets [`history_messages`](Self::history_messages).
    #[must_use]
    pub fn with_history_messages(mut self, count: usize) -> Self {
        self.history_messages = count;
        self
    }

    /// Sets [`history_tokens`](Self::history_tokens).
    #[must_use]
    pub fn with_history_tokens(mut self, count: usize) -> Self {
        self.history_tokens = count;
        self
    }

    /// Sets how many memories to [`recall`](Self::recall).
    #[must_use]
    pub fn with_recall(mut self, count: usize) -> Self {
        self.recall = count;
        self
    }

    /// Sets whether to [`remember`](Self::remember) each turn.
    #[must_use]
    pub fn with_remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Sets [`max_rounds`](Self::max_rounds).
    #[must_use]
    pub fn with_max_rounds(mut self, count: u32) -> Self {
        self.max_rounds = count;
        self
    }

    /// Sets [`max_retries`](Self::max_retries).
    #[must_use]
    pub fn with_max_retries(mut self, count: u32) -> Self {
        self.max_retries = count;
        self
    }

    /// Sets the [`retry_delay`](Self::retry_delay).
    #[must_use]
    pub fn with_retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = delay;
        self
    }

    /// Sets the [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the [`first_token_timeout`](Self::first_token_timeout).
    #[must_use]
    pub fn with_first_token_timeout(mut self, timeout: Duration) -> Self {
        self.first_token_timeout = timeout;
        self
    }

    /// Sets the [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets the [`temperature`](Self::temperature).
    #[must_use]
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets [`top_p`](Self::top_p).
    #[must_use]
    pub fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets [`max_tokens`](Self::max_tokens).
    #[must_use]
    pub fn with_max_tokens(mut self, count: i64) -> Self {
        self.max_tokens = Some(count);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builder__each_method__sets_its_field() {
        let second = Duration::from_secs(1);
        let config = ChatConfig::new("m")
            .with_base_url("http://h/v1")
            .with_api_key_env("KEY")
            .with_extra_header("x-team", "7")
            .with_extra_member("top_k", 5_i64)
            .with_passed_on(["seed"])
            .with_system_role(SystemRole::Developer)
            .with_system_prompt("Be brief.")
            .with_allowed_models(["a", "b"])
            .with_tools(["calculator".to_owned()])
            .with_history_messages(1)
            .with_history_tokens(2)
            .with_recall(3)
            .with_remember(true)
            .with_max_rounds(4)
            .with_max_retries(5)
            .with_retry_delay(second)
            .with_connect_timeout(second * 2)
            .with_first_token_timeout(second * 3)
            .with_idle_timeout(second * 4)
            .with_temperature(0.5)
            .with_top_p(0.25)
            .with_max_tokens(6);
        let expected = serde_json::json!({
            "base_url": "http://h/v1", "model": "m", "api_key_env": "KEY",
            "extra_headers": { "x-team": "7" }, "extra_body": { "top_k": 5 }, "passed_on": ["seed"],
            "system_role": "developer", "system_prompt": "Be brief.",
            "allowed_models": ["a", "b"], "tools": ["calculator"], "history_messages": 1, "history_tokens": 2,
            "recall": 3, "remember": true, "max_rounds": 4, "max_retries": 5, "retry_delay_seconds": 1.0,
            "connect_timeout_seconds": 2.0, "first_token_timeout_seconds": 3.0, "idle_timeout_seconds": 4.0,
            "temperature": 0.5, "top_p": 0.25, "max_tokens": 6
        });
        let same: ChatConfig = serde_json::from_value(expected).expect("a configuration");
        assert_eq!(config, same);
    }
}
