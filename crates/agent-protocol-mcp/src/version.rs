//! The versions of MCP.

use std::fmt;

use agent_schemas::Json;

/// A version that the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V20250326,
    V20250618,
    V20251125,
    /// Without sessions: each request says all that there is to know about its client.
    V20260728,
}

impl Version {
    const ALL: [(Version, &str); 4] = [
        (Version::V20260728, "2026-07-28"),
        (Version::V20251125, "2025-11-25"),
        (Version::V20250618, "2025-06-18"),
        (Version::V20250326, "2025-03-26"),
    ];

    /// The newest version with sessions, for clients that want an unknown one.
    pub(crate) const NEWEST_WITH_SESSIONS: Version = Version::V20251125;

    pub(crate) fn read(text: &str) -> Option<Self> {
        Version::ALL.iter().find(|(_, name)| *name == text).map(|(version, _)| *version)
    }

    pub(crate) fn as_str(self) -> &'static str {
        Version::ALL.iter().find(|(version, _)| *version == self).map_or("", |(_, name)| name)
    }

    /// Whether the version has no sessions.
    pub(crate) fn is_modern(self) -> bool {
        self >= Version::V20260728
    }

    /// The names of all versions, the newest first.
    pub(crate) fn all() -> Json {
        Json::Array(Version::ALL.iter().map(|(_, name)| Json::from(*name)).collect())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
