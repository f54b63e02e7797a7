//! How severe a log message is.

use agent_schemas::Json;

use crate::rpc::RpcError;

/// The severities of syslog (RFC 5424), the least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    const ALL: [(LogLevel, &str); 8] = [
        (LogLevel::Debug, "debug"),
        (LogLevel::Info, "info"),
        (LogLevel::Notice, "notice"),
        (LogLevel::Warning, "warning"),
        (LogLevel::Error, "error"),
        (LogLevel::Critical, "critical"),
        (LogLevel::Alert, "alert"),
        (LogLevel::Emergency, "emergency"),
    ];

    /// The level of a request's parameter.
    pub(crate) fn of(value: &Json) -> Result<Self, RpcError> {
        value.as_str().and_then(LogLevel::read).ok_or_else(|| {
            let known = LogLevel::ALL.map(|(_, name)| name).join(", ");
            RpcError::invalid_params(format!("the log level should be one of {known}"))
        })
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        LogLevel::ALL.iter().find(|(_, name)| *name == text).map(|(level, _)| *level)
    }

    pub(crate) fn as_str(self) -> &'static str {
        LogLevel::ALL.iter().find(|(level, _)| *level == self).map_or("", |(_, name)| name)
    }
}
