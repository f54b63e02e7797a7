//! Merges the sources of settings.

use std::fmt;
use std::path::Path;

use toml::{Table, Value};

use super::Config;
use super::environment::{Environment, FILE_VARIABLE};
use super::error::ConfigError;
use super::settings::Setting;

/// A setting that was given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// The flag as the user types it.
    name: &'static str,
    /// The path of the setting.
    path: &'static str,
    value: String,
}

impl Flag {
    /// A flag such as `--store`, the path of its setting, and its value, if it was given.
    pub(crate) fn given(name: &'static str, path: &'static str, value: Option<String>) -> Option<Self> {
        value.map(|value| Flag { name, path, value })
    }
}

/// The configuration file: `file`, or else the one in `AGENT_SERVER_CONFIG`, or else none.
pub(crate) fn config_file<'a>(file: Option<&'a Path>, environment: &'a Environment) -> Option<&'a Path> {
    file.or_else(|| environment.get(FILE_VARIABLE).map(Path::new))
}

/// Reads the configuration: defaults, then the file, then the environment, then flags.
///
/// The file is `file`, or else the one in `AGENT_SERVER_CONFIG`, or else none.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read, or a setting is unknown or invalid. A variable with the prefix of
/// settings counts as a setting.
pub(crate) fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &[Flag],
) -> Result<Config, ConfigError> {
    environment.check()?;
    let mut merged = match config_file(file, environment) {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    let settings = Setting::all();
    // Variables set by platforms have lower priority than our own.
    for (variable, path) in [("HOST", "host"), ("PORT", "port")] {
        if let Some(text) = environment.get(variable) {
            set(&mut merged, variable, setting_at(&settings, variable, path)?, text)?;
        }
    }
    for setting in &settings {
        let variable = setting.variable();
        if let Some(text) = environment.setting(&variable) {
            set(&mut merged, &variable, setting, text)?;
        }
    }
    for Flag { name, path, value } in flags {
        set(&mut merged, name, setting_at(&settings, name, path)?, value)?;
    }
    let config: Config = Value::Table(merged).try_into().map_err(|error: toml::de::Error| {
        ConfigError::from_message(format!("the configuration is invalid: {}", one_line(&error)))
    })?;
    config.check()?;
    Ok(config)
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let named = |what: &dyn fmt::Display| {
        ConfigError::from_message(format!("configuration file {}: {what}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    // The file is checked on its own first: only then do errors have line numbers.
    toml::from_str::<Config>(&text).map_err(|error| named(&located(&error, &text)))?;
    toml::from_str(&text).map_err(|error| named(&located(&error, &text)))
}

/// An error with its line number, but without the line, which may contain a password.
fn located(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before.map(|before| before.matches('\n').count() + 1) {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

fn setting_at<'a>(settings: &'a [Setting], source: &str, path: &str) -> Result<&'a Setting, ConfigError> {
    let found = settings.iter().find(|setting| setting.path() == path);
    found.ok_or_else(|| ConfigError::from_message(format!("{source}: there is no setting '{path}'")))
}

/// Sets one setting from text. The error names the source.
fn set(table: &mut Table, source: &str, setting: &Setting, text: &str) -> Result<(), ConfigError> {
    let named = |error: String| ConfigError::from_message(format!("{source}: {error}"));
    // The value is checked on its own first, because its source is unknown once it is merged.
    let mut alone = Table::new();
    setting.set(text, &mut alone).map_err(named)?;
    Value::Table(alone).try_into::<Config>().map_err(|error: toml::de::Error| named(one_line(&error)))?;
    setting.set(text, table).map_err(named)
}

fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
    }

    fn flag(name: &'static str, path: &'static str, value: &str) -> Vec<Flag> {
        Flag::given(name, path, Some(value.to_owned())).into_iter().collect()
    }

    #[test]
    fn load__several_sources__later_one_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, "port = 1\nhost = \"127.0.0.2\"\ndrain_seconds = 7\n[runs]\nmax_runs = 3\n")
            .expect("written");
        let environment =
            environment(&[("PORT", "2"), ("AGENT_SERVER_PORT", "3"), ("AGENT_SERVER_RUNS_MAX_RUNS", "4")]);
        let config = load(Some(&file), &environment, &flag("--port", "port", "5")).expect("valid");
        assert_eq!((config.host.as_str(), config.port, config.drain_seconds), ("127.0.0.2", 5, 7));
        assert_eq!(config.runs.max_runs, 4);
        assert_eq!(config.http, agent_server::HttpConfig::default());
    }

    #[test]
    fn load__environment__parses_numbers_and_lists() {
        let environment = environment(&[
            ("AGENT_SERVER_RUNS_RETENTION_BYTES", "8589934592"),
            ("AGENT_SERVER_RUNS_MAX_WAITING", "9"),
            ("AGENT_SERVER_RUNS_MAX_QUEUED", "0"),
            ("AGENT_SERVER_HTTP_CORS_ORIGINS", "https://a.example, https://b.example"),
            ("AGENT_SERVER_EPHEMERAL", "Yes"),
        ]);
        let config = load(None, &environment, &[]).expect("valid");
        assert_eq!(config.runs.retention_bytes, Some(8 << 30));
        assert_eq!((config.runs.max_waiting, config.runs.max_queued), (9, 0));
        assert_eq!(config.http.cors_origins, ["https://a.example", "https://b.example"]);
        assert!(config.ephemeral);
    }

    #[test]
    fn load__kubernetes_service_link__is_not_a_port() {
        let environment = environment(&[("AGENT_SERVER_PORT", "tcp://10.0.0.1:8080")]);
        assert_eq!(load(None, &environment, &[]).expect("valid").port, Config::default().port);
    }

    fn check_error(environment_pairs: &[(&str, &str)], flags: &[Flag], expected: &str) {
        let error = load(None, &environment(environment_pairs), flags).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn load__invalid_value__names_its_source() {
        check_error(&[("PORT", "http")], &[], "PORT: expected a whole number, but got 'http'");
        check_error(&[("AGENT_SERVER_PORT", "70000")], &[], "AGENT_SERVER_PORT: ");
        check_error(&[("AGENT_SERVER_EPHEMERAL", "maybe")], &[], "AGENT_SERVER_EPHEMERAL: expected true or");
        check_error(&[("AGENT_SERVER_LOG_FORMAT", "xml")], &[], "AGENT_SERVER_LOG_FORMAT: ");
        check_error(&[("AGENT_SERVER_RUNS_MAX_QUEUED", "-1")], &[], "AGENT_SERVER_RUNS_MAX_QUEUED: ");
        check_error(&[], &flag("--log-format", "log.format", "xml"), "--log-format: ");
        check_error(&[], &flag("--host", "host", "0.0.0.0"), "--allow-unauthenticated");
        check_error(&[("AGENT_SERVER_HTTP_ENDPOINT_PATH", "process")], &[], "should look like '/process'");
        check_error(&[("AGENT_SERVER_RUNS_MAX_RUNS", "0")], &[], "runs.max_runs should be greater than 0");
        check_error(&[("AGENT_SERVER_CONFIG", "/does/not/exist")], &[], "/does/not/exist");
        check_error(
            &[("AGENT_SERVER_HTTP_CORS_ORIGINS", "a.example")],
            &[],
            "http.cors_origins 'a.example' has no",
        );
        check_error(&[("AGENT_SERVER_LOG_LEVEL", "verbose")], &[], "'verbose' is not a level");
        check_error(&[("AGENT_SERVER_PROT", "1")], &[], "AGENT_SERVER_PROT is not a setting");
    }

    #[test]
    fn load__unknown_setting_in_file__is_refused_with_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("agent.toml");
        std::fs::write(&file, "port = 1\nprot = 2\n").expect("written");
        let error = load(Some(&file), &Environment::default(), &[]).expect_err("unknown");
        assert!(error.to_string().contains("line 2: unknown field `prot`"), "{error}");
        std::fs::write(&file, "[services]\nredis_url = \"redis://me:geheim@h\"\n").expect("written");
        let error = load(Some(&file), &Environment::default(), &[]).expect_err("unknown").to_string();
        assert!(error.contains("unknown field `redis_url`, expected one of `url`"), "{error}");
        assert!(!error.contains("geheim"), "the line may hold a password: {error}");
    }
}
