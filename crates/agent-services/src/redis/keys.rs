//! The names of keys. The [module's documentation](super) describes the layout.

use sha2::{Digest, Sha256};

use agent_schemas::{SessionId, UserId};

use crate::tenant::TenantId;
use crate::{Error, ErrorKind, Result};

/// The version of the layout that this program reads and writes.
pub(super) const LAYOUT: u64 = 2;

/// Longer ids appear in keys as their hash.
const MAX_PLAIN: usize = 64;

/// The names of all keys that begin with one prefix.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Keys { prefix: prefix.to_owned() }
    }

    /// The key of the layout's version.
    pub(super) fn layout(&self) -> String {
        format!("{}:layout", self.prefix)
    }

    /// The key that marks data that is being migrated from the previous layout.
    pub(super) fn migration(&self) -> String {
        format!("{}:layout:migration", self.prefix)
    }

    /// The key of the lock for the migration to a new layout.
    pub(super) fn lock(&self) -> String {
        format!("{}:layout:lock", self.prefix)
    }

    /// A key of a given layout.
    pub(super) fn of_layout(&self, layout: u64, rest: &str) -> String {
        format!("{}:v{layout}:{rest}", self.prefix)
    }

    /// The start of the keys and channels that belong to all tenants.
    pub(super) fn root(&self) -> String {
        self.of_layout(LAYOUT, "")
    }

    /// The start of a tenant's keys. The tenant is not part of any hash tag: layout 1 had the same tags without tenants,
    /// so each key could be renamed within its slot.
    pub(super) fn of_tenant(&self) -> String {
        format!("{}{}:", self.root(), TenantId::DEFAULT)
    }

    /// The key of the tags in use by runs.
    pub(super) fn run_tags(&self) -> String {
        format!("{}run-tags", self.of_tenant())
    }

    /// The start of the keys of runs; the tag is derived from the user, and is the hash tag.
    pub(super) fn of_tag(&self, tag: &str) -> String {
        format!("{}{{{tag}}}:", self.of_tenant())
    }

    /// A key of a user. The user is the hash tag, so that all the user's keys are in one slot of a cluster.
    pub(super) fn of_user(&self, user: &UserId, kind: &str) -> String {
        format!("{}{{{}}}:{kind}", self.of_tenant(), encode(user.as_str()))
    }

    /// A key of a session; the session is given as [`encode`] writes it.
    pub(super) fn of_session(&self, user: &UserId, kind: &str, session: &str) -> String {
        format!("{}:{session}", self.of_user(user, kind))
    }
}

/// Rejects a prefix that could be mistaken for what follows it.
pub(super) fn check_prefix(prefix: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":.-_".contains(&byte);
    if (1..=64).contains(&prefix.len()) && prefix.bytes().all(is_plain) {
        return Ok(());
    }
    let message = "a prefix must consist of 1 to 64 letters, digits, colons, dots, hyphens and underscores";
    Err(Error::new(ErrorKind::InvalidInput, "configure Redis", message))
}

/// An id as it appears in keys: unchanged if it is plain, in hexadecimal after `%` if it is short, otherwise as its
/// hash after `#`. No two ids have the same form, and the form contains no `:`, `{`, `}`, spaces or control characters.
pub(super) fn encode(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    if id.len() > MAX_PLAIN {
        format!("#{}", hex(&Sha256::digest(id.as_bytes())))
    } else if !id.is_empty() && id.bytes().all(is_plain) {
        id.to_owned()
    } else {
        format!("%{}", hex(id.as_bytes()))
    }
}

/// A session's id as [`encode`] writes it.
pub(super) fn of(session: &SessionId) -> String {
    encode(session.as_str())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn encode__plain_id__stays_readable() {
        assert_eq!(encode("alice@example.org"), "alice@example.org");
        assert_eq!(encode(""), "%");
        assert_eq!(encode("a:b"), "%613a62");
        assert_eq!(encode("é"), "%c3a9");
        assert_eq!(encode(&"x".repeat(65)).len(), 65);
        assert_eq!(encode(&"x".repeat(64)), "x".repeat(64));
    }

    #[test]
    fn encode__different_ids__never_collide() {
        let mut ids: Vec<String> =
            ["", "%", "#", "a", "%61", "#61", "{", "}", "{}", "a:b", "a b", "\0", "\n", "é", "e\u{301}"]
                .map(str::to_owned)
                .into();
        ids.extend([60, 63, 64, 65, 10_000].map(|length| "x".repeat(length)));
        ids.push(encode(&"x".repeat(65)));
        let encoded: HashSet<String> = ids.iter().map(|id| encode(id)).collect();
        assert_eq!(encoded.len(), ids.len());
        let breaks = |c: char| ":{} ".contains(c) || !c.is_ascii_graphic();
        assert!(encoded.iter().all(|id| !id.is_empty() && !id.contains(breaks)), "{encoded:?}");
    }

    #[test]
    fn key__user__is_the_hash_tag() {
        let keys = Keys::new("agent");
        assert_eq!(keys.of_user(&UserId::new("u"), "sessions"), "agent:v2:default:{u}:sessions");
        assert_eq!(
            keys.of_session(&UserId::new("}{"), "session", &encode("a:b")),
            "agent:v2:default:{%7d7b}:session:%613a62"
        );
        assert_eq!(keys.layout(), "agent:layout");
    }

    #[test]
    fn check_prefix__unsafe_prefix__is_refused() {
        for prefix in ["", "a{", "a}b", "a b", "é", &"x".repeat(65)] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
        assert!(check_prefix("my-app:prod_1.x").is_ok());
    }
}
