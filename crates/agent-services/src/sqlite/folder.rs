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
        warn_of_others(folder);
        let path = folder.join(LOCK);
        let failed = |what: &str, error: std::io::Error| {
            Error::new(
                ErrorKind::Unexpected,
                OPERATION,
                format!("could not {what} {}: {error}", path.display()),
            )
            .with_source(error)
        };
        let mut lock = private(&path).map_err(|error| failed("opened", error))?;
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

/// Creates the database's file if it is missing. SQLite gives the other files of a database the mode of this one.
///
/// # Errors
/// The error of the system.
pub(super) fn create_database(file: &Path) -> std::io::Result<()> {
    if file.exists() { Ok(()) } else { private(file).map(drop) }
}

/// Makes a file that only its owner may read.
///
/// # Errors
/// The system's, and if there is such a file already.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Waits until the names of a folder's files are on the disk.
///
/// # Errors
/// The system's.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    // Other systems do not open folders as files.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes the files of a database readable only by their owner. Older versions left that to the umask.
pub(super) fn make_database_private(file: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let path = Path::new(&name);
        if let Err(error) = File::open(path).and_then(|file| make_private(&file))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "other users may read this file; could not make it private");
        }
    }
}

/// Opens a file for writing, or creates it, so that only its owner can read it, whatever the folder and the umask allow.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    check_is_at(path, &file)?;
    if let Err(error) = make_private(&file) {
        // Some file systems do not support modes.
        tracing::warn!(path = %path.display(), %error, "other users may read this file; could not make it private");
    }
    Ok(file)
}

/// Rejects a file that was opened through a link: if other users can write to the folder, they could make this process
/// change any of its user's files.
#[cfg(unix)]
fn check_is_at(path: &Path, file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (there, opened) = (path.symlink_metadata()?, file.metadata()?);
    if (there.dev(), there.ino()) == (opened.dev(), opened.ino()) {
        return Ok(());
    }
    Err(std::io::Error::other("it is a link; replace it with a file, or use another data folder"))
}

#[cfg(not(unix))]
fn check_is_at(_: &Path, _: &File) -> std::io::Result<()> {
    Ok(())
}

/// Warns if other users can replace the files of a folder. The folder may be shared on purpose, so its mode is not changed.
fn warn_of_others(folder: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = folder.metadata() {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o7777;
        // In a sticky folder, users can only replace their own files.
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            tracing::warn!(
                folder = %folder.display(),
                "other users can replace the files in the data folder (mode {mode:o}); make it private with chmod 700"
            );
        }
    }
}

#[cfg(unix)]
fn make_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o777 == 0o600 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
fn make_private(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Creates a folder that only its owner can read, because conversations are private.
pub(super) fn create(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let message = format!("could not create the data folder {}: {error}", folder.display());
        Error::new(ErrorKind::Unexpected, OPERATION, message).with_source(error)
    })
}
