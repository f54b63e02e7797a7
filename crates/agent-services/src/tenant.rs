//! Tenants, of which there is one so far.
//!
//! Every key of a user's data has a tenant, so that further tenants will not change the layout of stored data.

use std::fmt;

use agent_schemas::UserId;

/// The id of a tenant. Users of two tenants never share data, even if their ids are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TenantId(&'static str);

impl TenantId {
    /// The only tenant so far.
    pub(crate) const DEFAULT: TenantId = TenantId("default");

    /// The id as text. It has none of the characters that separate the parts of keys.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub(crate) fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A user of a tenant, as a key of data in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UserKey {
    tenant: TenantId,
    user: UserId,
}

impl UserKey {
    /// The key of a user of the only tenant.
    pub(crate) fn of(user: &UserId) -> Self {
        UserKey { tenant: TenantId::DEFAULT, user: user.clone() }
    }
}
