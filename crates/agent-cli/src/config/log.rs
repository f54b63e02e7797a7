//! The `[log]` section.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;

/// Logging, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// `human` or `json`.
    pub(crate) format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or directives such as `info,agent_server=debug`.
    pub(crate) level: String,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { format: LogFormat::Human, level: "info".to_owned() }
    }
}

/// The names of levels.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// The minimum similarity, from 0 to 1, of a word to a level that counts as a mistyped level.
const SIMILAR: f64 = 0.8;

impl LogConfig {
    /// Checks the level. Otherwise, a word that is not a level would count as the name of a module, and only
    /// that module would log.
    ///
    /// # Errors
    /// A sentence that names the word.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let directives: Vec<_> =
            self.level.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
        let levels = directives
            .iter()
            .map(|directive| directive.rsplit_once('=').map_or(*directive, |(_, level)| level));
        let unknown = levels.into_iter().find(|level| !is_level(level));
        let reason = match unknown {
            Some(level) => {
                let best = LEVELS.iter().find(|known| is_similar(&level.to_ascii_lowercase(), known));
                let guess = best.map(|known| format!("; did you mean '{known}'?")).unwrap_or_default();
                format!("'{level}' is not a level{guess}")
            }
            None if directives.is_empty() => "it names no level".to_owned(),
            None => return Ok(()),
        };
        Err(ConfigError::from_message(format!(
            "log.level '{}': {reason} (levels are {}; one for a module is written as module=level)",
            self.level,
            LEVELS.join(", ")
        )))
    }
}

/// Returns whether a word is probably a misspelt level.
fn is_similar(word: &str, level: &str) -> bool {
    word.starts_with(level) || strsim::jaro(word, level) >= SIMILAR
}

fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(level: &str, expected: &str) {
        let config = LogConfig { level: level.to_owned(), ..LogConfig::default() };
        let found = config.check().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(found.is_empty(), expected.is_empty(), "{level}: {found}");
        assert!(found.contains(expected), "{level}: {found}");
    }

    #[test]
    fn level__not_one__is_refused_with_a_suggestion() {
        for good in ["info", "WARN", "off", "info,agent_server=debug", " warn , agent_runner::agents=trace "]
        {
            check(good, "");
        }
        check("verbose", "'verbose' is not a level (levels are error, warn");
        check("wran", "did you mean 'warn'?");
        check("warning", "did you mean 'warn'?");
        check("information", "did you mean 'info'?");
        check("info,agent_server=debugg", "'debugg' is not a level; did you mean 'debug'?");
        check("agent_server", "'agent_server' is not a level");
        check("[run]", "'[run]' is not a level");
        check("3", "'3' is not a level");
        check("info,", "");
        check("", "names no level");
        check(" , ", "names no level");
    }
}
