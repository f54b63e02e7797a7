//! Limits of the operating system.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit on open files as far as the system allows, because every stream needs one.
///
/// A failure is only logged: the server works with the existing limit.
pub(crate) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => tracing::debug!(open_files = ?limit.maximum, "raised the limit on open files"),
        Err(error) => tracing::warn!(error = %error, "could not raise the limit on open files"),
    }
}
