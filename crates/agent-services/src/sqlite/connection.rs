//! How connections are opened and set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::Outcome;
use crate::{Error, ErrorKind};

/// How a database is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Whether each commit waits until it is on the disk, which makes it survive a loss of power. Otherwise it survives
    /// the end of the process only, and costs much less.
    pub sync_every_commit: bool,
    /// The most bytes that the database may have, its log not included. What would make it larger is
    /// [`Unavailable`](ErrorKind::Unavailable) until something is deleted.
    pub max_bytes: Option<u64>,
    /// How many readers may be at work at once; the others wait.
    pub readers: usize,
}

impl Default for SqliteOptions {
    /// No waiting for the disk, no limit but the disk's, and four readers.
    fn default() -> Self {
        SqliteOptions { sync_every_commit: false, max_bytes: None, readers: 4 }
    }
}

/// How long a connection waits for a lock that another process has: that of a person with a database tool.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than there are statements.
const PREPARED_STATEMENTS: usize = 128;
/// In KiB. Most of the cache is the system's, so these stay small.
const WRITER_CACHE: i64 = 8192;
const READER_CACHE: i64 = 4096;
/// The size at which what the log has is moved into the file, which waits for the disk, and to which the log is cut after
/// it has been larger. Pages that change again and again are moved once.
const LOG_BYTES: u64 = 16 << 20;

/// Opens the file for writing, and makes it if there is none. Nothing is read or written yet.
pub(super) fn open_writer(file: &Path) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// Opens the file for reading. Nothing is read yet.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // No connection is used by two threads at once.
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // Plans do not depend on values. Otherwise SQLite plans some statements anew each time, for longer than it executes
    // them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Sets up a connection that writes, and the file, which is known to be ours.
pub(super) fn set_up_writer(connection: &Connection, options: &SqliteOptions) -> Outcome<()> {
    set_up(connection, WRITER_CACHE)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        let message =
            format!("the database needs a write-ahead log, but its file system allows only '{mode}'");
        return Err(Error::new(ErrorKind::Unexpected, "open the database", message).into());
    }
    let synchronous = if options.sync_every_commit { "full" } else { "normal" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    let page: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    // These answer with a row.
    let set =
        |name: &str, value: u64| connection.query_row(&format!("PRAGMA {name} = {value}"), [], |_| Ok(()));
    set("journal_size_limit", LOG_BYTES)?;
    set("wal_autocheckpoint", LOG_BYTES / page)?;
    if let Some(bytes) = options.max_bytes {
        set("max_page_count", (bytes / page).max(1))?;
    }
    Ok(())
}

/// Sets up a connection that reads.
pub(super) fn set_up_reader(connection: &Connection) -> Outcome<()> {
    Ok(set_up(connection, READER_CACHE)?)
}

fn set_up(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // A damaged file is an error then, and never a wrong answer. Memory-mapped reading stays off for the same reason:
    // there, a failing disk would be the end of the process.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}
