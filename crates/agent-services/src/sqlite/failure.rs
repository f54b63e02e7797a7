//! Why work in the database failed, and what it means for the caller.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi;

use crate::{Error, ErrorKind, WriteFault};

/// The result of work in the database.
pub(super) type Outcome<T> = Result<T, Failure>;

/// Why work in the database failed. The caller adds the operation.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite returned an error.
    Sqlite(rusqlite::Error),
    /// The request is not possible.
    Refused(Error),
    /// The database has unexpected contents.
    Damaged(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

/// Shows the reason without the operation.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Sqlite(error) => error.fmt(f),
            Failure::Refused(error) => error.fmt(f),
            Failure::Damaged(what) => f.write_str(what),
        }
    }
}

impl Failure {
    /// The failure of an operation.
    pub(super) fn of(self, operation: &'static str) -> Error {
        match self {
            Failure::Sqlite(error) => of_sqlite(operation, &Arc::new(error)),
            Failure::Refused(error) => error,
            Failure::Damaged(what) => {
                let message = format!("the database is damaged: {what}; restore a backup");
                Error::new(ErrorKind::Unexpected, operation, message)
            }
        }
    }
}

/// The failure to open a file.
pub(super) fn of_file(operation: &'static str, file: &Path, failure: Failure) -> Error {
    match failure {
        Failure::Sqlite(error) => {
            let (kind, message) = meaning(&error);
            let found = Error::new(kind, operation, format!("{}: {message}", file.display()));
            found.with_write_fault(write_fault(&error)).with_source(error)
        }
        other => other.of(operation),
    }
}

/// The error for a failure in SQLite, which may have affected several operations at once.
pub(super) fn of_sqlite(operation: &'static str, error: &Arc<rusqlite::Error>) -> Error {
    let (kind, message) = meaning(error);
    Error::new(kind, operation, message).with_write_fault(write_fault(error)).with_source(Arc::clone(error))
}

/// The error of a database that has reached its limit.
pub(super) fn full(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation, FULL).with_write_fault(WriteFault::Full)
}

/// Why the database rejects writes, if that is the reason.
fn write_fault(error: &rusqlite::Error) -> Option<WriteFault> {
    let rusqlite::Error::SqliteFailure(error, _) = error else { return None };
    match error.code {
        _ if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Some(WriteFault::Full),
        ffi::ErrorCode::DiskFull => Some(WriteFault::Full),
        ffi::ErrorCode::ReadOnly => Some(WriteFault::ReadOnly),
        _ => None,
    }
}

/// The kind and the message of an error.
fn meaning(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    use ErrorKind::{InvalidInput, Unavailable, Unexpected};
    let rusqlite::Error::SqliteFailure(error, _) = error else {
        return (Unexpected, "the database has unexpected contents and may be damaged; restore a backup");
    };
    // SQLite reports a full disk as another error only when it enlarges the index of the write-ahead log.
    if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE {
        return (Unavailable, FULL);
    }
    match error.code {
        ffi::ErrorCode::DiskFull => (Unavailable, FULL),
        ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => {
            (Unavailable, "another process has locked the database; try again when it has finished")
        }
        ffi::ErrorCode::ReadOnly => {
            (Unexpected, "the database is read-only; check the permissions of its file and folder")
        }
        ffi::ErrorCode::CannotOpen | ffi::ErrorCode::PermissionDenied => {
            (Unexpected, "could not open the database; check the permissions of its file and folder")
        }
        ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase => {
            (Unexpected, "the database file is damaged; restore a backup")
        }
        ffi::ErrorCode::TooBig => (InvalidInput, "a value is too large for the database"),
        ffi::ErrorCode::SystemIoFailure => (Unexpected, "could not read or write the disk"),
        ffi::ErrorCode::OutOfMemory => (Unavailable, "the system is out of memory"),
        _ => (Unexpected, "the database returned an error"),
    }
}

const FULL: &str = "the disk is full, or the database has reached its maximum size; free disk space, or \
                    delete data";

/// The error if the system cannot start a thread.
pub(super) fn no_thread(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "open the database", "could not start a thread").with_source(error)
}
