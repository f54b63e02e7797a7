//! Laying the places that settings come from over each other.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use toml::{Table, Value};

use super::Config;

/// The settings that the environment can give: `AGENT_SERVER_` and the path in upper case with `_` for the dots.
const FROM_ENVIRONMENT: &[&str] = &[
    "host",
    "port",
    "agent",
    "allow_unauthenticated",
    "drain_seconds",
    "data_dir",
    "ephemeral",
    "services.url",
    "services.sessions",
    "services.states",
    "services.memories",
    "services.runs",
    "services.session_messages",
    "services.session_bytes",
    "services.item_bytes",
    "http.endpoint_path",
    "http.cors_origins",
    "http.allowed_hosts",
    "http.heartbeat_seconds",
    "http.body_limit_bytes",
    "http.json_depth",
    "http.header_timeout_seconds",
    "http.read_timeout_seconds",
    "http.write_timeout_seconds",
    "runs.max_runs",
    "runs.max_waiting",
    "runs.max_queued",
    "runs.lease_seconds",
    "runs.retention_seconds",
    "runs.retention_bytes",
    "runs.response_seconds",
    "runs.session_policy",
    "runs.durability",
    "runs.run_time_seconds",
    "runs.log_bytes",
    "runs.cancel_grace_seconds",
    "runs.on_disconnect",
    "runs.disconnect_grace_seconds",
    "log.format",
    "log.level",
];

/// Where the file's path is looked for if no flag gives it.
const FILE_VARIABLE: &str = "AGENT_SERVER_CONFIG";

/// Why there is no usable configuration. `Display` says what to change, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(String);

impl ConfigError {
    /// An error with a sentence that says what to change.
    pub(crate) fn from_message(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The environment variables of the process, read once. What is not UTF-8 counts as absent.
#[derive(Clone, Default)]
pub(crate) struct Environment(HashMap<String, String>);

impl Environment {
    /// Takes pairs of names and values.
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Environment(variables.into_iter().filter_map(text).collect())
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Values may be secrets, so only the names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the configuration: defaults, then the file, then the environment, then flags.
///
/// `flags` are pairs of a setting's path and its value as text. The file is `file`, else what `AGENT_SERVER_CONFIG`
/// names, else none.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read or a setting is unknown or has a wrong value.
pub(crate) fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &[(&str, String)],
) -> Result<Config, ConfigError> {
    let mut merged = match file.or_else(|| environment.get(FILE_VARIABLE).map(Path::new)) {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    for (variable, path) in [("HOST", "host"), ("PORT", "port")] {
        if let Some(value) = environment.get(variable) {
            set(&mut merged, variable, path, value)?;
        }
    }
    for path in FROM_ENVIRONMENT {
        let variable = format!("AGENT_SERVER_{}", path.replace('.', "_").to_ascii_uppercase());
        if let Some(value) = environment.get(&variable) {
            set(&mut merged, &variable, path, value)?;
        }
    }
    for (path, value) in flags {
        set(&mut merged, &format!("--{}", path.replace('_', "-")), path, value)?;
    }
    let config: Config = Value::Table(merged).try_into().map_err(|error: toml::de::Error| {
        ConfigError(format!("the configuration is wrong: {}", one_line(&error)))
    })?;
    config.check()?;
    Ok(config)
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let named =
        |what: &dyn fmt::Display| ConfigError(format!("configuration file {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    // The file is checked alone first, because only its own text gives an error a line number.
    toml::from_str::<Config>(&text).map_err(|error| named(&error))?;
    toml::from_str(&text).map_err(|error| named(&error))
}

/// Sets one setting from text, which is read as the type that the setting has by default.
fn set(table: &mut Table, source: &str, path: &str, text: &str) -> Result<(), ConfigError> {
    let value =
        typed(path, text).ok_or_else(|| ConfigError(format!("{source}: '{text}' is not a valid {path}")))?;
    let (section, key) = path.rsplit_once('.').map_or((None, path), |(section, key)| (Some(section), key));
    let target = match section {
        None => table,
        Some(section) => match table.entry(section).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => inner,
            _ => return Err(ConfigError(format!("'{section}' should be a section"))),
        },
    };
    target.insert(key.to_owned(), value.clone());
    // Checked one by one, so that the error can name where the value came from.
    let alone = single(path, value).try_into::<Config>();
    alone.map(|_| ()).map_err(|error| ConfigError(format!("{source}: {}", one_line(&error))))
}

/// Text as the TOML type that the setting has.
fn typed(path: &str, text: &str) -> Option<Value> {
    match path {
        "port" => text.parse::<u16>().ok().map(|port| Value::Integer(port.into())),
        "allow_unauthenticated" | "ephemeral" => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(Value::Boolean(true)),
            "0" | "false" | "no" | "off" => Some(Value::Boolean(false)),
            _ => None,
        },
        "http.cors_origins" | "http.allowed_hosts" => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ if ["_seconds", "_bytes", "_depth", "_messages", "max_runs"]
            .iter()
            .any(|suffix| path.ends_with(suffix)) =>
        {
            text.parse::<u32>().ok().map(|number| Value::Integer(number.into()))
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

/// A table with nothing but this setting.
fn single(path: &str, value: Value) -> Value {
    let mut value = value;
    for key in path.rsplit('.') {
        let mut table = Table::new();
        table.insert(key.to_owned(), value);
        value = Value::Table(table);
    }
    value
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
    }

    #[test]
    fn later_places_win() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, "port = 1\nhost = \"127.0.0.2\"\ndrain_seconds = 7\n[runs]\nmax_runs = 3\n")
            .expect("written");
        let environment =
            environment(&[("PORT", "2"), ("AGENT_SERVER_PORT", "3"), ("AGENT_SERVER_RUNS_MAX_RUNS", "4")]);
        let config = load(Some(&file), &environment, &[("port", "5".to_owned())]).expect("valid");
        assert_eq!((config.host.as_str(), config.port, config.drain_seconds), ("127.0.0.2", 5, 7));
        assert_eq!(config.runs.max_runs, 4);
        assert_eq!(config.http, agent_server::HttpConfig::default());
    }

    fn check_error(environment_pairs: &[(&str, &str)], flags: &[(&str, String)], expected: &str) {
        let error = load(None, &environment(environment_pairs), flags).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn errors_name_their_place() {
        check_error(&[("PORT", "http")], &[], "PORT: 'http' is not a valid port");
        check_error(&[("AGENT_SERVER_LOG_FORMAT", "xml")], &[], "AGENT_SERVER_LOG_FORMAT: ");
        check_error(&[], &[("host", "0.0.0.0".to_owned())], "--allow-unauthenticated");
        check_error(&[("AGENT_SERVER_HTTP_ENDPOINT_PATH", "process")], &[], "should look like '/process'");
        check_error(&[("AGENT_SERVER_RUNS_MAX_RUNS", "0")], &[], "runs.max_runs should be greater than 0");
        check_error(&[("AGENT_SERVER_CONFIG", "/does/not/exist")], &[], "/does/not/exist");
    }

    #[test]
    fn every_setting_of_the_environment_exists() {
        let defaults = Value::try_from(Config::default()).expect("serializable");
        for path in FROM_ENVIRONMENT {
            let found = path.split('.').try_fold(&defaults, |value, key| value.get(key));
            // What has no default is not written; its name is then checked by setting it to something wrong.
            let wrong = single(path, Value::Array(vec![Value::Boolean(true)]));
            let is_unknown = |error: toml::de::Error| error.to_string().contains("unknown field");
            assert!(
                found.is_some() || wrong.try_into::<Config>().is_err_and(|error| !is_unknown(error)),
                "{path}"
            );
        }
    }

    #[test]
    fn unknown_settings_in_a_file_are_refused_with_their_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, "port = 1\nprot = 2\n").expect("written");
        let error = load(Some(&file), &Environment::default(), &[]).expect_err("unknown");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
