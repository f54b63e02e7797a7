//! Why work in the database failed, and what that means to a caller.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi;

use crate::{Error, ErrorKind};

/// What a piece of work gives.
pub(super) type Outcome<T> = Result<T, Failure>;

/// Why a piece of work failed. What it was part of is added by whoever asked for it.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite could not do it.
    Sqlite(rusqlite::Error),
    /// What was asked for is not possible.
    Refused(Error),
    /// The database holds something that it should not.
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

/// Why, without what it was part of.
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
            Error::new(kind, operation, format!("{}: {message}", file.display())).with_source(error)
        }
        other => other.of(operation),
    }
}

/// An error of SQLite, which may have ended several operations at once.
pub(super) fn of_sqlite(operation: &'static str, error: &Arc<rusqlite::Error>) -> Error {
    let (kind, message) = meaning(error);
    Error::new(kind, operation, message).with_source(Arc::clone(error))
}

/// What the caller can do about an error, in a kind and in words.
fn meaning(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    use ErrorKind::{InvalidInput, Unavailable, Unexpected};
    let rusqlite::Error::SqliteFailure(error, _) = error else {
        return (Unexpected, "the database does not hold what it should: it is damaged, restore a backup");
    };
    // The index of the log is the one file that SQLite enlarges without saying that the disk is full.
    if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE {
        return (Unavailable, FULL);
    }
    match error.code {
        ffi::ErrorCode::DiskFull => (Unavailable, FULL),
        ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => {
            (Unavailable, "another process has locked the database: try again when it is done")
        }
        ffi::ErrorCode::ReadOnly => {
            (Unexpected, "the database may not be written: look at the permissions of its file and folder")
        }
        ffi::ErrorCode::CannotOpen | ffi::ErrorCode::PermissionDenied => {
            (Unexpected, "the database cannot be opened: look at the permissions of its file and folder")
        }
        ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase => {
            (Unexpected, "the database file is damaged: restore a backup")
        }
        ffi::ErrorCode::TooBig => (InvalidInput, "a value is larger than the database can hold"),
        ffi::ErrorCode::SystemIoFailure => (Unexpected, "the disk cannot be read or written"),
        ffi::ErrorCode::OutOfMemory => (Unavailable, "there is not enough memory"),
        _ => (Unexpected, "the database refused it"),
    }
}

const FULL: &str = "there is no room left: make room on the disk, or delete data if the database has reached the size \
                    that it may have";
