//! The data folder, which belongs to one process at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::{Error, ErrorKind, Result};

/// The database in a data folder.
pub(super) const DATABASE: &str = "agent-server.sqlite";
/// The file whose lock marks the owner of a data folder.
pub(super) const LOCK: &str = "agent-server.lock";

const OPERATION: &str = "open the data folder";

/// A data folder that this process owns as long as this value lives. The system releases the lock when the
/// process ends, however it ends.
#[derive(Debug)]
pub(super) struct OwnedFolder {
    _lock: File,
}

impl OwnedFolder {
    /// Creates a folder if necessary, and locks it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another process owns it.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        create(folder)?;
        let path = folder.join(LOCK);
        let failed = |what: &str, error: std::io::Error| {
            Error::new(
                ErrorKind::Unexpected,
                OPERATION,
                format!("could not {what} {}: {error}", path.display()),
            )
            .with_source(error)
        };
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let mut lock = lock.map_err(|error| failed("open", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(folder, &path)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        // Tells people which process owns the folder. If a full disk prevents that, the start goes ahead.
        if lock.set_len(0).is_ok() {
            let _ = write!(lock, "{}", std::process::id());
        }
        Ok(OwnedFolder { _lock: lock })
    }
}

fn taken(folder: &Path, lock: &Path) -> Error {
    let id = std::fs::read_to_string(lock).ok().and_then(|text| text.trim().parse::<u32>().ok());
    if id == Some(std::process::id()) {
        let message = format!(
            "this process has already opened the data folder {}; use exactly the same URL for all services in it",
            folder.display()
        );
        return Error::new(ErrorKind::Conflict, OPERATION, message);
    }
    let owner = id.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"));
    let message = format!(
        "the data folder {} is in use by {owner}; stop it, or use another data folder",
        folder.display()
    );
    Error::new(ErrorKind::Conflict, OPERATION, message)
}

/// Creates a folder that only its owner can read, because conversations are private.
fn create(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let message = format!("could not create the data folder {}: {error}", folder.display());
        Error::new(ErrorKind::Unexpected, OPERATION, message).with_source(error)
    })
}
