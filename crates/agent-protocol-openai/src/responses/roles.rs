//! The role `developer`, which the native protocol does not have.

/// The newer name of the role `system`. The native protocol has one role for both names.
pub(super) const DEVELOPER: &str = "developer";

/// The member of a message's metadata that keeps the original name.
pub(super) const ROLE: &str = "role";
