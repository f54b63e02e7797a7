//! Log lines, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use crate::config::{ConfigError, LogConfig, LogFormat};

/// Starts logging.
///
/// # Errors
/// If the level is invalid.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter: Targets = config
        .level
        .parse()
        .map_err(|error| ConfigError::from_message(format!("log.level '{}': {error}", config.level)))?;
    let lines = layer().with_writer(stderr);
    match config.format {
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            registry().with(lines).with(filter).init();
        }
        LogFormat::Human => {
            let lines = lines.with_ansi(stderr().is_terminal()).with_target(false);
            registry().with(lines).with(filter).init();
        }
    }
    Ok(())
}
