//! Where sessions, states, memories and runs are kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_services::backend::{OpenOptions, StoreUrl};
use agent_services::limits::StoreLimits;
use agent_services::{Backends, ServiceUrls, Services, StoreContext};
use serde::{Deserialize, Serialize, Serializer};

use super::{Config, ConfigError, Environment};

/// Where sessions, states, memories and runs are kept.
///
/// Each store has a URL: `sqlite:` for a file in the data folder (`sqlite:/path` for another folder, `?sync=full` to
/// wait for the disk at each commit), `redis://host:port`, `rediss://…` with TLS, `redis-cluster://host:port,…` or
/// `redis-sentinel://host:port,…/master` (with `?prefix=NAME&ttl_seconds=N`), or `memory:`, which is lost when the
/// process stops.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServicesConfig {
    /// The store for everything; `sqlite:` by default.
    pub(crate) url: Option<UrlSetting>,
    /// The store of sessions, if it differs.
    pub(crate) sessions: Option<UrlSetting>,
    /// The store of agent states, if it differs.
    pub(crate) states: Option<UrlSetting>,
    /// The store of memories, if it differs.
    pub(crate) memories: Option<UrlSetting>,
    /// The store of runs, if it differs.
    pub(crate) runs: Option<UrlSetting>,
    /// The maximum number of messages in a session.
    pub(crate) session_messages: Option<u64>,
    /// The maximum size of all messages in a session, in bytes.
    pub(crate) session_bytes: Option<u64>,
    /// The maximum size of one message, state or metadata, in bytes.
    pub(crate) item_bytes: Option<usize>,
    /// How many bytes all data in memory may take, with `memory:` or `--ephemeral`. The default is 256 MiB.
    pub(crate) memory_bytes: Option<u64>,
}

/// A URL that may contain a password, which is never shown. It is parsed on use, because parse errors of a file quote
/// the line.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct UrlSetting(String);

impl UrlSetting {
    pub(super) fn new(url: impl Into<String>) -> Self {
        UrlSetting(url.into())
    }

    fn parse(&self) -> agent_services::Result<StoreUrl> {
        self.0.parse()
    }

    /// The URL without its secrets.
    pub(super) fn shown(&self) -> String {
        self.parse().map_or_else(|_| "[redacted]".to_owned(), |url| url.to_string())
    }
}

impl fmt::Debug for UrlSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for UrlSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

/// The default data folder: `agent-server` in `XDG_DATA_HOME`, else in `~/.local/share`.
fn default_data_dir(environment: &Environment) -> Option<PathBuf> {
    let base = match environment.get("XDG_DATA_HOME").map(Path::new).filter(|path| path.is_absolute()) {
        Some(path) => path.to_owned(),
        None => Path::new(environment.get("HOME")?).join(".local/share"),
    };
    Some(base.join("agent-server"))
}

impl Config {
    /// The server's data folder.
    ///
    /// # Errors
    /// If none is configured and the environment does not imply one.
    pub(crate) fn resolved_data_dir(&self, environment: &Environment) -> Result<PathBuf, ConfigError> {
        let named = self.data_dir.clone().or_else(|| default_data_dir(environment));
        named.ok_or_else(|| {
            ConfigError::from_message(
                "HOME is not set, so there is no default data folder; set one with --data-dir, or keep everything in \
                 memory with --ephemeral",
            )
        })
    }

    /// The configured services, not yet started.
    ///
    /// # Errors
    /// If a URL is invalid or no backend knows it.
    pub(crate) fn build_services(&self, environment: &Environment) -> Result<Services, ConfigError> {
        self.open(environment, self.open_options())
    }

    /// The services for reading, even while a server is using them; they may reject writes. Not yet started.
    ///
    /// # Errors
    /// If a URL is invalid or no backend knows it.
    pub(crate) fn build_services_to_read(&self, environment: &Environment) -> Result<Services, ConfigError> {
        self.open(environment, self.open_options().read_only())
    }

    fn open(&self, environment: &Environment, options: OpenOptions) -> Result<Services, ConfigError> {
        let urls = self.urls(environment)?;
        let opened = Backends::default().open_each(&urls, &options);
        opened.map_err(|error| ConfigError::from_message(error.to_string()))
    }

    fn open_options(&self) -> OpenOptions {
        let mut limits = StoreLimits::default();
        let named = &self.services;
        limits.session_messages = named.session_messages.unwrap_or(limits.session_messages);
        limits.session_bytes = named.session_bytes.unwrap_or(limits.session_bytes);
        limits.item_bytes = named.item_bytes.unwrap_or(limits.item_bytes);
        OpenOptions::default()
            .with_context(StoreContext::default().with_limits(limits))
            .with_retention(self.runs.retention_seconds.map(Duration::from_secs), self.runs.retention_bytes)
            .with_anonymous_age(self.runs.anonymous_session_seconds.map(Duration::from_secs))
            .with_memory_bytes(self.services.memory_bytes)
    }

    /// Returns whether any store is in the data folder.
    pub(super) fn uses_data_dir(&self) -> bool {
        let named = &self.services;
        let all = named.url.as_ref().map_or(DEFAULT, |UrlSetting(url)| url);
        let own = [&named.sessions, &named.states, &named.memories, &named.runs];
        let own = own.into_iter().flatten().map(|UrlSetting(url)| url.as_str());
        let is_folder = |url: &StoreUrl| url.scheme() == "sqlite" && url.location().is_empty();
        !self.ephemeral && own.chain([all]).any(|url| url.parse().is_ok_and(|url: StoreUrl| is_folder(&url)))
    }

    /// The URL of each service.
    ///
    /// # Errors
    /// If one is invalid, or if the data folder is needed but unknown.
    pub(crate) fn urls(&self, environment: &Environment) -> Result<ServiceUrls, ConfigError> {
        if self.ephemeral {
            return Ok(ServiceUrls::new(self.url("url", DEFAULT_EPHEMERAL, environment)?));
        }
        let named = &self.services;
        let own = |name: &str, setting: &Option<UrlSetting>| {
            setting.as_ref().map(|UrlSetting(url)| self.url(name, url, environment)).transpose()
        };
        let all = named.url.as_ref().map_or(DEFAULT, |UrlSetting(url)| url);
        let mut urls = ServiceUrls::new(self.url("url", all, environment)?);
        urls.sessions = own("sessions", &named.sessions)?;
        urls.states = own("states", &named.states)?;
        urls.memories = own("memories", &named.memories)?;
        urls.runs = own("runs", &named.runs)?;
        Ok(urls)
    }

    /// A URL, with the data folder if it has no path.
    fn url(&self, name: &str, text: &str, environment: &Environment) -> Result<StoreUrl, ConfigError> {
        let wrong =
            |error: agent_services::Error| ConfigError::from_message(format!("services.{name}: {error}"));
        let url: StoreUrl = text.parse().map_err(wrong)?;
        if url.scheme() != "sqlite" || !url.location().is_empty() {
            return Ok(url);
        }
        url.or_path(&self.resolved_data_dir(environment)?).map_err(wrong)
    }
}

/// The default store.
const DEFAULT: &str = if cfg!(feature = "sqlite") { "sqlite:" } else { DEFAULT_EPHEMERAL };

/// The in-memory store, which is lost when the process stops.
const DEFAULT_EPHEMERAL: &str = "memory:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, load};

    fn config(flags: &[(&'static str, &str)]) -> Config {
        let flags: Vec<_> = flags
            .iter()
            .filter_map(|(path, value)| Flag::given(path, path, Some((*value).to_owned())))
            .collect();
        load(None, &Environment::default(), &flags).expect("a configuration")
    }

    fn urls(flags: &[(&'static str, &str)]) -> Result<ServiceUrls, ConfigError> {
        config(flags).urls(&Environment::new([("HOME".into(), "/home/ann".into())]))
    }

    #[test]
    fn service_urls__settings__resolve_to_urls() {
        let default = urls(&[]).expect("a place").all;
        assert_eq!(default.expose(), "sqlite:/home/ann/.local/share/agent-server");
        let full =
            urls(&[("services.url", "sqlite:?sync=full"), ("data_dir", "/data/100%")]).expect("a place");
        assert_eq!(full.all.expose(), "sqlite:/data/100%25?sync=full");
        let mixed = [("services.url", "redis://h"), ("services.memories", "memory:")];
        let mixed = urls(&mixed).expect("places");
        assert_eq!(
            (mixed.all.expose(), mixed.memories.map(|url| url.expose().to_owned())),
            ("redis://h", Some("memory:".to_owned()))
        );
        let ephemeral = urls(&[("services.url", "redis://h"), ("ephemeral", "true")]).expect("a place");
        assert_eq!(ephemeral.all.expose(), "memory:");
    }

    #[test]
    fn build_services__invalid_url__hides_secrets() {
        for (url, expected) in
            [("geheim@h", "services.url: "), ("mysql://me:geheim@h", "no backend is known for `mysql:`")]
        {
            let environment = Environment::new([("HOME".into(), "/home/ann".into())]);
            let config = config(&[("services.url", url)]);
            let error = config.build_services(&environment).expect_err(url).to_string();
            assert!(error.contains(expected) && !error.contains("geheim"), "{error}");
            assert!(!format!("{config:?}").contains("geheim"));
        }
    }
}
