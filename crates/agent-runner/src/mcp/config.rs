//! The settings of an MCP server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::McpError;
use super::auth_config::McpAuthConfig;
use crate::{SecretMap, seconds};

/// The tools whose calls the user has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "approval should be \"never\", \"always\" or a list of tools")]
pub enum Approval {
    /// All or none.
    All(When),
    /// Those with these names at the server.
    Of(Vec<String>),
}

/// Whether the user has to approve calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Calls are made at once.
    Never,
    /// The user is asked before each call.
    Always,
}

impl Default for Approval {
    fn default() -> Self {
        Approval::All(When::Never)
    }
}

impl Approval {
    pub(super) fn is_needed(&self, tool: &str) -> bool {
        match self {
            Approval::All(when) => *when == When::Always,
            Approval::Of(tools) => tools.iter().any(|name| name == tool),
        }
    }
}

/// The settings of an MCP server: one entry of a configuration file, where times are numbers of seconds under names that
/// end in `_seconds`. It has a `command` or a `url`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct McpServerConfig {
    /// Its name, which clients see as `server_label`.
    pub name: String,
    /// The program that is the server, which speaks over its standard input and output.
    pub command: Option<String>,
    /// The program's arguments.
    pub args: Vec<String>,
    /// Further environment variables of the program. Their values are not shown anywhere.
    pub env: SecretMap,
    /// The same with the names of the server's own environment variables that hold the values.
    pub env_from: BTreeMap<String, String>,
    /// The program's working directory.
    pub cwd: Option<PathBuf>,
    /// The address of a server that speaks over HTTP.
    pub url: Option<String>,
    /// Further headers of requests to that address. Their values are not shown anywhere.
    pub headers: SecretMap,
    /// The same with the names of environment variables that hold the values.
    pub headers_env: BTreeMap<String, String>,
    /// OAuth at that address.
    pub auth: Option<McpAuthConfig>,
    /// The tools that agents may use, by their names at the server; all of them by default.
    pub allowed_tools: Option<Vec<String>>,
    /// The tools whose calls the user has to approve: `never`, `always`, or a list of their names at the server.
    pub approval: Approval,
    /// What the names of its tools begin with for models, such as `files_`.
    pub prefix: String,
    /// How long the server may take to start and to list its tools.
    #[serde(rename = "connect_timeout_seconds", with = "seconds")]
    pub connect_timeout: Duration,
    /// How long a call may take in total.
    #[serde(rename = "call_timeout_seconds", with = "seconds")]
    pub call_timeout: Duration,
    /// How long a call may take without a report of its progress.
    #[serde(rename = "idle_timeout_seconds", with = "seconds")]
    pub idle_timeout: Duration,
    /// How many of its tools may be called at once. Others wait.
    pub max_calls: usize,
}

impl Default for McpServerConfig {
    fn default() -> Self {
        McpServerConfig {
            name: String::new(),
            command: None,
            args: Vec::new(),
            env: SecretMap::default(),
            env_from: BTreeMap::new(),
            cwd: None,
            url: None,
            headers: SecretMap::default(),
            headers_env: BTreeMap::new(),
            auth: None,
            allowed_tools: None,
            approval: Approval::default(),
            prefix: String::new(),
            connect_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(60),
            max_calls: 16,
        }
    }
}

impl McpServerConfig {
    /// A server that is a program.
    pub fn stdio(
        name: impl Into<String>,
        command: impl Into<String>,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        McpServerConfig {
            name: name.into(),
            command: Some(command.into()),
            args: args.into_iter().map(Into::into).collect(),
            ..McpServerConfig::default()
        }
    }

    /// A server at an address.
    pub fn http(name: impl Into<String>, url: impl Into<String>) -> Self {
        McpServerConfig { name: name.into(), url: Some(url.into()), ..McpServerConfig::default() }
    }

    /// Takes the values that are in environment variables.
    ///
    /// # Errors
    /// [`McpError`] if one of them is not set.
    pub fn with_variables<'a>(
        mut self,
        variable: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, McpError> {
        let unset =
            |name: &str| McpError::new(&self.name, format!("the environment variable {name} is not set"));
        if let Some(auth) = &mut self.auth {
            auth.take_variables(&variable).map_err(|name| unset(&name))?;
        }
        let named = [(&self.env_from, &mut self.env), (&self.headers_env, &mut self.headers)];
        for (names, values) in named {
            for (name, source) in names {
                let value = variable(source).ok_or_else(|| unset(source))?;
                values.insert(name.as_str(), value);
            }
        }
        Ok(self)
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first one that is wrong.
    pub(super) fn check(&self) -> Result<(), McpError> {
        let fault = |reason: &str| Err(McpError::new(&self.name, reason));
        let is_name = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(is_name) {
            return fault("name should be letters, digits, '-', '_' and '.', at most 64");
        }
        match (&self.command, &self.url) {
            (None, None) => return fault("set command, for a program, or url"),
            (Some(_), Some(_)) => return fault("set command or url, not both"),
            (Some(command), None) if command.is_empty() => return fault("command is empty"),
            (None, Some(url)) => self.check_url(url)?,
            _ if self.auth.is_some() => return fault("auth is for a server with a url"),
            _ => {}
        }
        if let Some(reason) = self.auth.as_ref().and_then(McpAuthConfig::fault) {
            return fault(reason);
        }
        let headers = self.headers.expose().map(|(name, _)| name);
        let mut headers = headers.chain(self.headers_env.keys().map(String::as_str));
        if self.auth.is_some() && headers.any(|name| name.eq_ignore_ascii_case("authorization")) {
            return fault("set auth or the header authorization, not both");
        }
        for (name, time) in [
            ("connect_timeout_seconds", self.connect_timeout),
            ("call_timeout_seconds", self.call_timeout),
            ("idle_timeout_seconds", self.idle_timeout),
        ] {
            if time.is_zero() {
                return fault(&format!("{name} should be greater than 0"));
            }
        }
        if self.max_calls == 0 {
            return fault("max_calls should be at least 1");
        }
        Ok(())
    }

    fn check_url(&self, url: &str) -> Result<(), McpError> {
        let fault = |reason: &str| Err(McpError::new(&self.name, reason));
        match Url::parse(url) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                fault("url should begin with http:// or https://")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                fault("url should have no user name and no password: use headers_env")
            }
            Ok(_) => Ok(()),
            Err(error) => fault(&format!("url is not an address: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut McpServerConfig), expected: &str) {
        let mut config = McpServerConfig::stdio("files", "server", ["x"]);
        change(&mut config);
        let error = config.check().expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn settings__that_are_wrong__are_named() {
        check(|config| config.name = "a b".to_owned(), "name should be");
        check(|config| config.command = None, "set command, for a program, or url");
        check(|config| config.url = Some("http://x".to_owned()), "not both");
        check(|config| *config = McpServerConfig::http("a", "ftp://x"), "should begin with http://");
        check(|config| *config = McpServerConfig::http("a", "http://ann:x@y"), "use headers_env");
        check(|config| config.call_timeout = Duration::ZERO, "call_timeout_seconds should be");
        check(|config| config.max_calls = 0, "max_calls should be");
        check(|config| config.auth = Some(McpAuthConfig::login("a")), "auth is for a server with a url");
        let check_auth = |auth: McpAuthConfig, expected: &str| {
            check(
                |config| {
                    *config = McpServerConfig { auth: Some(auth), ..McpServerConfig::http("a", "http://x") }
                },
                expected,
            );
        };
        check_auth(McpAuthConfig::default(), "set auth.file");
        let mut auth = McpAuthConfig::client_credentials("a", "geheim");
        auth.client_secret = None;
        check_auth(auth, "set auth.client_secret_env");
    }

    #[test]
    fn variables__with_values__are_taken_and_not_shown() {
        let mut config = McpServerConfig::http("a", "http://x");
        config.headers_env.insert("x-key".to_owned(), "KEY".to_owned());
        config.auth =
            Some(McpAuthConfig { client_secret_env: Some("KEY".to_owned()), ..McpAuthConfig::login("a") });
        let taken =
            config.clone().with_variables(|name| (name == "KEY").then_some("geheim")).expect("it is set");
        assert_eq!(taken.headers.expose().collect::<Vec<_>>(), [("x-key", "geheim")]);
        assert_eq!(taken.auth.clone().expect("auth").client_secret, Some("geheim".into()));
        assert!(!format!("{taken:?}{}", serde_json::to_string(&taken).expect("JSON")).contains("geheim"));
        let error = config.with_variables(|_| None).expect_err("it is not set");
        assert_eq!(error.to_string(), "the MCP server 'a': the environment variable KEY is not set");
    }
}
