//! An open database.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::spawn_blocking;

use super::checkpoints::Checkpoints;
use super::connection::{self, SqliteOptions};
use super::failure::{Outcome, full, no_thread, of_file};
use super::folder::{self, DATABASE, OwnedFolder};
use super::migrations;
use super::readers::Readers;
use super::runs;
use super::statement::statements;
use super::writer::{Urgency, Writer};
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "open the database";

statements! {
    PROBE: "SELECT key FROM users WHERE tenant = x'' AND id = x''";
}

/// An open database. Dropping it closes it, on a separate thread.
#[derive(Debug)]
pub(super) struct Open {
    // Dropped before the writer, which closes the readers at its end.
    readers: Arc<Readers>,
    /// `None` if the database is opened for reading only.
    writer: Option<Writer>,
    closed: watch::Receiver<()>,
}

impl Open {
    /// Locks the folder, opens its database and migrates it. Blocks the thread. `turn` is held
    /// until the database is closed again.
    pub(super) fn owner(folder: &Path, options: &SqliteOptions, turn: OwnedMutexGuard<()>) -> Result<Self> {
        let owned = OwnedFolder::take(folder)?;
        let file = folder.join(DATABASE);
        let mut connection =
            writer_of(&file, options).map_err(|failure| of_file(OPERATION, &file, failure))?;
        let checkpoints = Checkpoints::spawn(&mut connection, file.clone())
            .map_err(|failure| of_file(OPERATION, &file, failure))?;
        let readers = Arc::new(Readers::new(file, options.readers));
        let (closing, closed) = watch::channel(());
        let close = {
            let readers = Arc::clone(&readers);
            move |mut connection: Connection| {
                drop(readers);
                checkpoints.stop(&mut connection);
                // Moves the write-ahead log into the file. If that fails, the log stays and is read at the next start.
                let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                drop(connection);
                drop(owned);
                drop((turn, closing));
            }
        };
        let writer = Writer::spawn(connection, &Handle::current(), close).map_err(no_thread)?;
        Ok(Open { readers, writer: Some(writer), closed })
    }

    /// Opens the database of a folder that another process may own. Blocks the thread.
    pub(super) fn reader(folder: &Path, options: &SqliteOptions) -> Result<Self> {
        let file = folder.join(DATABASE);
        if !file.exists() {
            let message = format!("the folder {} has no agent-server data", folder.display());
            return Err(Error::new(ErrorKind::NotFound, OPERATION, message));
        }
        check_readable(&file).map_err(|failure| of_file(OPERATION, &file, failure))?;
        let readers = Arc::new(Readers::new(file, options.readers));
        Ok(Open { readers, writer: None, closed: watch::channel(()).1 })
    }

    /// Reads from a consistent state of the database. If the future is dropped, the work continues.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.readers.place().await;
        let open = Arc::clone(self);
        let read = spawn_blocking(move || {
            let result = open.readers.read(work);
            drop(place);
            result
        });
        let result = read.await.map_err(|error| {
            Error::new(ErrorKind::Unexpected, operation, "the database task was interrupted")
                .with_source(error)
        })?;
        result.map_err(|failure| failure.of(operation))
    }

    /// Writes; see [`Writer::write`].
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T> {
        match &self.writer {
            Some(writer) => writer.write(operation, urgency, work).await,
            None => Err(read_only(operation)),
        }
    }

    /// Waits until the queued writes are done.
    pub(super) async fn flush(&self, operation: &'static str) -> Result<()> {
        match &self.writer {
            Some(writer) => {
                // Each waits behind the writes of its urgency.
                writer.write(operation, Urgency::Soon { writer: 0 }, |_| Ok(())).await?;
                writer.write(operation, Urgency::Now, |_| Ok(())).await
            }
            None => Ok(()),
        }
    }

    /// Whether a query is answered and the writer, if there is one, can write.
    pub(super) async fn probe(self: &Arc<Self>, operation: &'static str) -> Result<()> {
        self.read(operation, |connection| Ok(PROBE.exists(connection, [])?)).await?;
        match &self.writer {
            Some(writer) => {
                let write = move |connection: &Connection| try_to_write(connection, operation);
                writer.write(operation, Urgency::Now, write).await
            }
            None => Ok(()),
        }
    }

    /// Waits until the database is closed, after its last user has ended.
    pub(super) async fn closed(self: Arc<Self>) {
        let mut closed = self.closed.clone();
        drop(self);
        // Nothing is ever sent; the other side is dropped at the end.
        while closed.changed().await.is_ok() {}
    }
}

/// A database with fewer free pages than this counts as full.
const ROOM: u64 = 16;

/// A disk with fewer free bytes than this counts as full, although a small write may still fit into the file.
const FREE_BYTES: u64 = 1024 * 1024;

/// Rewrites a page unchanged, which fails like any other write, and checks that the database can grow.
fn try_to_write(connection: &Connection, operation: &'static str) -> Outcome<()> {
    migrations::write_version_again(connection)?;
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u64>(0));
    let (most, pages, free) = (number("max_page_count")?, number("page_count")?, number("freelist_count")?);
    if most.saturating_sub(pages) + free < ROOM || free_bytes(connection) < FREE_BYTES {
        return Err(full(operation).into());
    }
    Ok(())
}

/// The free space on the database's disk; unlimited if it cannot be determined.
fn free_bytes(connection: &Connection) -> u64 {
    let folder = connection.path().and_then(|file| Path::new(file).parent());
    let disk = folder.and_then(|folder| rustix::fs::statvfs(folder).ok());
    disk.map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The error for an operation that only the owner of the database can do.
pub(super) fn read_only(operation: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, operation, "the database is open for reading only")
}

/// The writer's connection, to a migrated database.
fn writer_of(file: &Path, options: &SqliteOptions) -> Outcome<Connection> {
    folder::create_database(file).map_err(|error| cannot_be_made(file, error))?;
    let connection = connection::open_writer(file)?;
    let version = migrations::check(&connection, file)?;
    // The file is ours, so we may change its mode. Files that SQLite creates later get the same mode.
    folder::make_database_private(file);
    connection::set_up_writer(&connection, options)?;
    migrations::migrate(&connection, version)?;
    runs::forget_owners(&connection)?;
    Ok(connection)
}

fn cannot_be_made(file: &Path, error: std::io::Error) -> Error {
    let message = format!("could not create {}: {error}", file.display());
    Error::new(ErrorKind::Unavailable, OPERATION, message).with_source(error)
}

fn check_readable(file: &Path) -> Outcome<()> {
    migrations::check_is_current(&connection::open_reader(file)?, file)
}
