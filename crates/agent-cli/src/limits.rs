//! The limits that the system sets.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit of open files as far as the system allows: every stream needs one.
///
/// Where that fails the server works with what it has, so it is only logged.
pub(crate) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => tracing::debug!(open_files = ?limit.maximum, "raised the limit of open files"),
        Err(error) => tracing::warn!(error = %error, "the limit of open files could not be raised"),
    }
}
