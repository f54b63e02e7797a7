//! Copies of a database that may be in use.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::folder::{self, DATABASE};
use super::{SqliteDatabase, connection, migrations};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "back up the database";

/// The name of a copy that is not complete yet.
const PARTIAL: &str = "agent-server.sqlite-partial";

/// A copy of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteBackup {
    /// The folder, which can be used like the one it was copied from.
    pub folder: PathBuf,
    /// The size of the file in it.
    pub bytes: u64,
}

impl SqliteDatabase {
    /// Copies the database as it is now into another folder, even while it is in use by this or another process. The
    /// copy is a data folder itself. Only its owner may read it.
    ///
    /// Waits until the copy is on the disk. While it is made, the write-ahead log of a busy database grows.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no database, [`ErrorKind::Conflict`] if the other folder is not empty, or why
    /// one of them could not be read or written. The other folder is then as empty as before.
    ///
    /// # Cancellation
    /// If the future is dropped, the copy is made all the same.
    pub async fn backup(&self, into: impl Into<PathBuf>) -> Result<SqliteBackup> {
        let (from, into) = (self.file(), into.into());
        let copied = spawn_blocking(move || copy(&from, into)).await;
        copied.map_err(|error| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the copying was interrupted").with_source(error)
        })?
    }
}

fn copy(from: &Path, into: PathBuf) -> Result<SqliteBackup> {
    if !from.exists() {
        return Err(Error::new(ErrorKind::NotFound, OPERATION, format!("there is no {}", from.display())));
    }
    folder::create(&into)?;
    let failed = |error: std::io::Error| {
        let message = format!("could not write into {}: {error}", into.display());
        Error::new(ErrorKind::Unexpected, OPERATION, message).with_source(error)
    };
    if fs::read_dir(&into).map_err(failed)?.next().is_some() {
        let message = format!("the folder {} is not empty; name another one", into.display());
        return Err(Error::new(ErrorKind::Conflict, OPERATION, message));
    }
    let partial = into.join(PARTIAL);
    let file = folder::create_private(&partial).map_err(failed)?;
    let written = write(from, &partial).and_then(|()| {
        file.sync_all().map_err(failed)?;
        // A copy that has the name of a database is complete.
        fs::rename(&partial, into.join(DATABASE)).map_err(failed)?;
        folder::sync(&into).map_err(failed)?;
        Ok(file.metadata().map_err(failed)?.len())
    });
    match written {
        Ok(bytes) => Ok(SqliteBackup { folder: into, bytes }),
        Err(error) => {
            let _ = fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// Writes the last committed state into an empty file.
fn write(from: &Path, to: &Path) -> Result<()> {
    let to = to.to_str().ok_or_else(|| {
        let message = format!("the path {} is not UTF-8; name another folder", to.display());
        Error::new(ErrorKind::InvalidInput, OPERATION, message)
    })?;
    let copied = connection::open_reader(from).map_err(Into::into).and_then(|connection| {
        migrations::check(&connection, from)?;
        connection::set_up_reader(&connection)?;
        // Not the backup functions of SQLite: they start over whenever another process has written.
        Ok(connection.execute("VACUUM INTO ?1", [to]).map(drop)?)
    });
    copied.map_err(|failure: super::failure::Failure| failure.of(OPERATION))
}
