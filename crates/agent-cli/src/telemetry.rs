//! Log lines, on standard error.

use std::io::{IsTerminal, stderr};
#[cfg(feature = "client")]
use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;

use crate::config::{ConfigError, LogConfig, LogFormat};
#[cfg(feature = "client")]
use tracing::{Event, Subscriber};
#[cfg(feature = "client")]
use tracing_subscriber::{
    fmt::FmtContext,
    fmt::format::{FormatEvent, FormatFields, Writer, debug_fn},
    registry::LookupSpan,
};

/// Starts logging.
///
/// # Errors
/// If the level is invalid.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = filter(&config.level)?;
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

fn filter(level: &str) -> Result<Targets, ConfigError> {
    let invalid = |why: &str| ConfigError::from_message(format!("log.level '{level}': {why}"));
    // It would be taken for a target, which nothing has.
    if level.contains('[') {
        return Err(invalid("a directive is a level or target=level, without spans and fields"));
    }
    let targets = level.parse::<Targets>().map_err(|error| invalid(&error.to_string()))?;
    let says_nothing_of_it =
        !level.contains(MCP_LIBRARY) && targets.default_level() == Some(LevelFilter::INFO);
    Ok(if says_nothing_of_it { targets.with_target(MCP_LIBRARY, LevelFilter::WARN) } else { targets })
}

/// Tells at the level `info` what only its authors need, such as every message of some kinds.
const MCP_LIBRARY: &str = "rmcp";

/// Log lines for a person, one sentence each, until they are shown.
#[cfg(feature = "client")]
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLines(Arc<Mutex<Vec<u8>>>);

#[cfg(feature = "client")]
impl LogLines {
    /// Starts logging to these lines.
    ///
    /// # Errors
    /// If the level is invalid.
    pub(crate) fn start(&self, level: &str) -> anyhow::Result<()> {
        let lines = self.clone();
        let sentence = debug_fn(|writer, field, value| match field.name() {
            "message" => write!(writer, "{value:?}"),
            "error" => write!(writer, ": {value:?}"),
            _ => Ok(()),
        });
        let layer = layer().with_ansi(false).with_writer(move || lines.clone());
        registry().with(layer.fmt_fields(sentence).event_format(Sentence)).with(filter(level)?).init();
        Ok(())
    }

    /// Takes what was logged since the last call.
    pub(crate) fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(feature = "client")]
impl io::Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log line without time, spans and fields.
#[cfg(feature = "client")]
struct Sentence;

#[cfg(feature = "client")]
impl<S, N> FormatEvent<S, N> for Sentence
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn filter__at_info__leaves_out_what_the_mcp_library_tells() {
        let lets_pass = |level: &str, expected: bool| {
            let filter = filter(level).expect(level);
            assert_eq!(filter.would_enable("rmcp::service", &Level::INFO), expected, "{level}");
            assert!(filter.would_enable("rmcp::service", &Level::WARN), "{level}");
        };
        lets_pass("info", false);
        lets_pass("info,agent_server=debug", false);
        lets_pass("warn", false);
        lets_pass("debug", true);
        lets_pass("info,rmcp=debug", true);
    }
}
