//! Shows the effective configuration: one log line at startup, and the output of `--print-config`.

#[cfg(feature = "chat")]
mod secrets;

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use crate::agents;
use crate::config::{AgentConfig, Config, absolute};

/// Shown instead of a secret.
#[cfg(feature = "chat")]
const REDACTED: &str = "[redacted]";

/// The essentials of a server's configuration, for people.
#[derive(Debug)]
pub(super) struct Summary {
    /// The default agent.
    agent: String,
    /// Why this agent is the default.
    reason: String,
    /// All agents, each with its model, if any.
    agents: String,
    stores: String,
    data_dir: String,
    config_file: String,
}

impl Summary {
    /// Summarizes a resolved configuration that came from this file.
    pub(super) fn new(config: &Config, file: Option<&Path>, reason: String) -> Self {
        let path = |path: Option<&Path>| {
            path.map_or_else(|| "none".to_owned(), |path| absolute(path).display().to_string())
        };
        let agents: Vec<_> =
            config.agents.iter().map(|(name, agent)| agents::describe(name, agent)).collect();
        Summary {
            agent: agents::default_name(config).to_owned(),
            reason,
            agents: agents.join(", "),
            stores: config.stores(),
            data_dir: path(config.data_dir.as_deref()),
            config_file: path(file),
        }
    }

    /// Logs the summary of a server at this address.
    pub(super) fn log(&self, address: SocketAddr) {
        tracing::info!(
            address = %address,
            agent = self.agent,
            why = self.reason,
            agents = self.agents,
            stores = self.stores,
            data_dir = self.data_dir,
            config_file = self.config_file,
            "serving"
        );
    }

    /// The configuration as TOML without secrets. Comments say where it comes from.
    pub(super) fn to_toml(&self, config: &Config) -> anyhow::Result<String> {
        let mut shown = config.clone();
        shown.agents.values_mut().for_each(hide_secrets);
        let mut text = format!("# agent-server {}: the effective configuration\n", env!("CARGO_PKG_VERSION"));
        writeln!(text, "# configuration file: {}", self.config_file)?;
        writeln!(text, "# default agent: {} ({})", self.agent, self.reason)?;
        text.push_str(&toml::to_string(&shown)?);
        Ok(text)
    }
}

/// Hides what may be a secret: the query of a model's address, and members of its requests by their names. Headers never
/// show their values.
fn hide_secrets(agent: &mut AgentConfig) {
    #[cfg(feature = "chat")]
    if let AgentConfig::Chat(chat) = agent {
        if let Some(start) = chat.base_url.find('?') {
            chat.base_url.replace_range(start + 1.., REDACTED);
        }
        secrets::hide(&mut chat.extra_body);
    }
    #[cfg(not(feature = "chat"))]
    let _ = agent;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, load};

    /// A resolved configuration and its summary.
    fn summary(pairs: &[(&str, &str)]) -> (Config, Summary) {
        let environment = Environment::new(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        let config = load(None, &environment, &[]).expect("valid");
        let mut config = config.resolve(&environment).expect("resolved");
        let reason = agents::resolve(&mut config, &environment).expect("resolved");
        let summary = Summary::new(&config, None, reason);
        (config, summary)
    }

    #[cfg(feature = "chat")]
    #[test]
    fn summary__model_from_the_environment__is_shown_without_its_secrets() {
        let (config, summary) = summary(&[
            ("HOME", "/home/ann"),
            ("OPENAI_API_KEY", "sk-geheim"),
            ("OPENAI_BASE_URL", "https://h/v1?key=geheim"),
            ("OPENAI_MODEL", "m"),
            ("AGENT_SERVER_SERVICES_URL", "redis://me:geheim@h"),
        ]);
        assert_eq!(summary.agents, "chat (m at https://h/v1)");
        assert_eq!((summary.stores.as_str(), summary.data_dir.as_str()), ("redis://[redacted]@h", "none"));
        let text = summary.to_toml(&config).expect("TOML");
        for line in [
            "# default agent: chat (OPENAI_API_KEY is set)",
            "agent = \"chat\"",
            "[agents.chat]",
            "api_key_env = \"OPENAI_API_KEY\"",
            "base_url = \"https://h/v1?[redacted]\"",
            "model = \"m\"",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
        assert!(!text.contains("geheim") && !format!("{summary:?}").contains("geheim"), "{text}");
    }

    #[cfg(feature = "chat")]
    #[test]
    fn summary__members_and_headers_for_the_model__hide_their_secrets() {
        let (mut config, summary) = summary(&[("HOME", "/home/ann"), ("OPENAI_API_KEY", "sk-geheim")]);
        let Some(AgentConfig::Chat(chat)) = config.agents.get_mut("chat") else { panic!("no chat agent") };
        **chat = chat.as_ref().clone().with_extra_header("x-title", "geheim");
        **chat =
            chat.as_ref().clone().with_extra_member("api_token", "geheim").with_extra_member("top_k", 5_i64);
        let text = summary.to_toml(&config).expect("TOML");
        assert!(!text.contains("geheim"), "{text}");
        for line in ["x-title = \"[redacted]\"", "api_token = \"[redacted]\"", "top_k = 5"] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn summary__nothing_configured__names_the_demo_and_the_data_folder() {
        let (config, summary) = summary(&[("HOME", "/home/ann")]);
        assert_eq!((summary.agent.as_str(), summary.agents.as_str()), ("demo", "demo"));
        assert_eq!(summary.data_dir, "/home/ann/.local/share/agent-server");
        let text = summary.to_toml(&config).expect("TOML");
        let read: Config = toml::from_str(&text).expect("it can be read back");
        assert_eq!(read, config);
    }
}
