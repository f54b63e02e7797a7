//! Ids of runs and of processes that execute them.

use std::fmt;

use agent_schemas::{IdSource, RunId, UserId};

/// A new run id: `run_`, the time, 128 random bits, and four digits that are the same for all runs of a user.
///
/// Anyone who knows the id may read and cancel the run, so it cannot be guessed. The last digits let a store that is
/// spread over several servers find a run by its id alone, next to the user's other data.
pub fn fresh_id(ids: &dyn IdSource, user: &UserId) -> RunId {
    RunId::new(format!("run_{}{}", ids.ordered(), tag(user)))
}

/// Whether an id has the form of those from [`fresh_id`]. They cannot be guessed, so anyone who has one has it from a run,
/// which may have been deleted.
pub fn may_exist(id: &RunId) -> bool {
    let characters = id.as_str().strip_prefix("run_").unwrap_or_default();
    [36, 48].contains(&characters.len())
        && characters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The four digits that all runs of a user end with.
pub fn tag(user: &UserId) -> String {
    // FNV-1a, folded: it only has to be the same in every process and version, and to spread well.
    let hash = user.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 32);
    format!("{:04x}", (folded ^ (folded >> 16)) & 0xffff)
}

/// Identifies a process that executes runs. A restarted process has a new one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerId(Box<str>);

impl OwnerId {
    /// Uses the id unchanged.
    pub fn new(id: impl Into<Box<str>>) -> Self {
        OwnerId(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to write a run's log. A later owner's token is greater, which locks out every earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(pub u64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    #[test]
    fn fresh_id__carries_the_users_tag() {
        let user = UserId::new("ann");
        assert_eq!(tag(&user), "8249");
        let (one, two) = (fresh_id(&SystemIds, &user), fresh_id(&SystemIds, &user));
        assert_ne!(one, two);
        assert!(one.as_str().starts_with("run_") && one.as_str().ends_with("8249"));
        assert_eq!(one.as_str().len(), 52);
        assert!(may_exist(&one));
        let bad = ["run_x", "", &one.as_str()[4..], &one.as_str().to_uppercase(), &format!("{one}0")];
        assert!(bad.iter().all(|id| !may_exist(&RunId::new(*id))));
    }
}
