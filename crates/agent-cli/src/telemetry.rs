//! Log lines, on standard error.

use std::io::{IsTerminal, stderr};

use crate::config::{ConfigError, LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging.
///
/// # Errors
/// If the level is invalid.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|error| ConfigError::from_message(format!("log.level '{}': {error}", config.level)))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match config.format {
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
        LogFormat::Human => builder.with_ansi(stderr().is_terminal()).with_target(false).init(),
    }
    Ok(())
}
