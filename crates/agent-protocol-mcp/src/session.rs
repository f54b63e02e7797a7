//! The sessions of versions before 2026-07-28.
//!
//! A session's id says all that the server has to know about it, so a session costs nothing, survives a restart, and exists
//! on every replica. What a client changes later is kept for the sessions that did so last.

use crate::capabilities::Capabilities;
use crate::version::Version;

/// A session, as its id describes it. The id proves nothing: a client that changes it deceives only itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The id: the version, the client's capabilities, and a random part.
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) capabilities: Capabilities,
}

impl Session {
    /// A new session; `random` are 32 hexadecimal digits that nobody can guess.
    pub(crate) fn new(version: Version, capabilities: Capabilities, random: &str) -> Self {
        let id = format!("{version}.{}.{random}", capabilities.letters());
        Session { id, version, capabilities }
    }

    /// The session with an id that this server may have made.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let mut parts = id.split('.');
        let version = Version::read(parts.next()?).filter(|version| !version.is_modern())?;
        let capabilities = Capabilities::from_letters(parts.next()?)?;
        let random = parts.next().filter(|random| random.len() == 32)?;
        let is_random = random.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
        let session = Session { id: id.to_owned(), version, capabilities };
        (is_random && parts.next().is_none()).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id__says_what_the_client_can_do() {
        let capabilities = Capabilities { elicitation: true, sampling: true, roots: false };
        let session = Session::new(Version::V20251125, capabilities, &format!("{:032x}", 7));
        assert_eq!(session.id, "2025-11-25.es.00000000000000000000000000000007");
        assert_eq!(Session::read(&session.id), Some(session));
    }

    #[test]
    fn id__not_of_this_server__is_none() {
        for id in [
            "",
            "2026-07-28..00000000000000000000000000000007",
            "2025-11-25.ee.00000000000000000000000000000007",
            "2025-11-25.se.00000000000000000000000000000007",
            "2025-11-25.x.00000000000000000000000000000007",
            "2025-11-25..0000000000000000000000000000000G",
            "2025-11-25..7",
            "2025-11-25..00000000000000000000000000000007.",
        ] {
            assert_eq!(Session::read(id), None, "{id}");
        }
    }
}
