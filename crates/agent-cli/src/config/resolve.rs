//! The effective configuration: fills in the defaults that depend on other settings.

use std::path::{Path, PathBuf};

use agent_services::backend::{OpenOptions, StoreUrl};
use agent_services::limits::StoreLimits;
use agent_services::run::Retention;

use super::services::{ServicesConfig, UrlSetting};
use super::{Config, ConfigError, Environment};

impl Config {
    /// Fills in the data folder, the URLs of the stores, their limits, the allowed hosts and the files of logins. If
    /// everything is kept in memory, removes the data folder and the other URLs.
    ///
    /// # Errors
    /// If a URL is invalid, or if the data folder is needed but unknown.
    pub(crate) fn resolve(mut self, environment: &Environment) -> Result<Config, ConfigError> {
        self.data_dir = match &self.data_dir {
            _ if self.ephemeral => None,
            _ if self.uses_data_dir() => Some(absolute(&self.resolved_data_dir(environment)?)),
            given => given.as_deref().map(absolute),
        };
        let urls = self.urls(environment)?;
        let limits = StoreLimits::default();
        let setting = |url: &StoreUrl| UrlSetting::new(with_absolute_path(url));
        let given = &self.services;
        self.services = ServicesConfig {
            url: Some(setting(&urls.all)),
            sessions: urls.sessions.as_ref().map(setting),
            states: urls.states.as_ref().map(setting),
            memories: urls.memories.as_ref().map(setting),
            runs: urls.runs.as_ref().map(setting),
            session_messages: given.session_messages.or(Some(limits.session_messages)),
            session_bytes: given.session_bytes.or(Some(limits.session_bytes)),
            item_bytes: given.item_bytes.or(Some(limits.item_bytes)),
            memory_bytes: given.memory_bytes.or(Some(OpenOptions::MEMORY_BYTES)),
        };
        let is_in_memory = urls.runs.as_ref().unwrap_or(&urls.all).scheme() == "memory";
        let retention = if is_in_memory { Retention::IN_MEMORY } else { Retention::DURABLE };
        let seconds = *self.runs.retention_seconds.get_or_insert(retention.age.as_secs());
        self.runs.anonymous_session_seconds.get_or_insert(seconds);
        self.runs.retention_bytes.get_or_insert(retention.bytes);
        self.http = self.resolved_http();
        #[cfg(feature = "mcp")]
        self.place_logins(environment);
        Ok(self)
    }

    /// A short description of the stores, without secrets.
    pub(crate) fn stores(&self) -> String {
        let ServicesConfig { url, sessions, states, memories, runs, .. } = &self.services;
        let all = url.as_ref().map_or_else(String::new, UrlSetting::shown);
        let own = [("sessions", sessions), ("states", states), ("memories", memories), ("runs", runs)];
        let own = own.iter().filter_map(|(name, url)| Some(format!(", {name} at {}", url.as_ref()?.shown())));
        format!("{all}{}", own.collect::<String>())
    }
}

/// The absolute path; the file need not exist.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The text of a URL. A relative path becomes absolute.
fn with_absolute_path(url: &StoreUrl) -> String {
    let text = url.expose();
    let folder = url.path().ok().filter(|path| url.scheme() == "sqlite" && path.is_relative());
    let Some(Ok(whole)) = folder.map(|folder| StoreUrl::of_path(url.scheme(), &absolute(&folder))) else {
        return text.to_owned();
    };
    let parameters = text.find('?').map_or("", |start| &text[start..]);
    format!("{}{parameters}", whole.expose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, load};

    fn resolved(flags: &[(&'static str, &str)]) -> Config {
        let environment = Environment::new([("HOME".into(), "/home/ann".into())]);
        let flags: Vec<_> = flags
            .iter()
            .filter_map(|(path, value)| Flag::given(path, path, Some((*value).to_owned())))
            .collect();
        load(None, &environment, &flags).expect("valid").resolve(&environment).expect("resolved")
    }

    fn shown(config: &Config) -> String {
        toml::to_string(config).expect("TOML")
    }

    #[test]
    fn resolve__defaults__are_filled_in() {
        let config = resolved(&[]);
        let text = shown(&config);
        for line in [
            "data_dir = \"/home/ann/.local/share/agent-server\"",
            "url = \"sqlite:/home/ann/.local/share/agent-server\"",
            "session_messages = 100000",
            "retention_seconds = 86400",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
        let read: Config = toml::from_str(&text).expect("it can be read back");
        assert_eq!(read.resolve(&Environment::default()).expect("resolved"), config);
    }

    #[test]
    fn resolve__what_has_no_effect__is_left_out() {
        let config =
            resolved(&[("ephemeral", "true"), ("services.url", "redis://me:geheim@h"), ("data_dir", "/d")]);
        assert_eq!((config.data_dir.clone(), config.runs.retention_seconds), (None, Some(600)));
        assert!(!shown(&config).contains("redis"), "{}", shown(&config));
        let config = resolved(&[
            ("services.url", "redis://h?prefix=mine"),
            ("services.memories", "sqlite:?sync=full"),
        ]);
        assert_eq!(
            config.data_dir.as_deref().and_then(|path| path.to_str()),
            Some("/home/ann/.local/share/agent-server")
        );
        let text = shown(&config);
        assert!(text.contains("url = \"redis://h?prefix=mine\""), "{text}");
        assert!(
            text.contains("memories = \"sqlite:/home/ann/.local/share/agent-server?sync=full\""),
            "{text}"
        );
    }

    #[test]
    fn resolve__relative_paths__become_absolute() {
        let here = std::env::current_dir().expect("a folder");
        let config = resolved(&[("data_dir", "data"), ("services.runs", "sqlite:runs?sync=full")]);
        assert_eq!(config.data_dir, Some(here.join("data")));
        let text = shown(&config);
        let runs = format!("runs = \"sqlite:{}?sync=full\"", here.join("runs").display());
        assert!(text.contains(&runs), "{runs} is missing in {text}");
    }

    #[test]
    fn resolve__secrets__are_not_shown() {
        let config = resolved(&[
            ("services.url", "redis://me:geheim@h"),
            ("services.runs", "redis://h?password=geheim"),
        ]);
        let text = shown(&config);
        assert!(text.contains("redis://[redacted]@h") && !text.contains("geheim"), "{text}");
        assert_eq!(config.stores(), "redis://[redacted]@h, runs at redis://h?[redacted]");
    }

    #[test]
    fn resolve__public_address__allows_any_host() {
        let config = resolved(&[("host", "0.0.0.0"), ("allow_unauthenticated", "true")]);
        assert_eq!(config.http.allowed_hosts, ["*"]);
    }
}
