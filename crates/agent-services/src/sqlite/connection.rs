//! Opens and configures connections.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::Outcome;
use crate::{Error, ErrorKind};

/// The options of a database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Whether each commit waits until it is on the disk, so that it survives a power failure. Otherwise it only
    /// survives the end of the process, and costs much less.
    pub sync_every_commit: bool,
    /// The maximum size of the database in bytes, without its write-ahead log. A write beyond it is
    /// [`Unavailable`](ErrorKind::Unavailable) until data is deleted.
    pub max_bytes: Option<u64>,
    /// The number of concurrent readers; others wait.
    pub readers: usize,
}

impl Default for SqliteOptions {
    /// Does not wait for the disk, has no size limit, and allows four readers.
    fn default() -> Self {
        SqliteOptions { sync_every_commit: false, max_bytes: None, readers: 4 }
    }
}

/// How long a connection waits for another process's lock, such as that of a database tool.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than the number of statements.
const PREPARED_STATEMENTS: usize = 128;
/// In KiB. The system caches most of the file, so these stay small.
const WRITER_CACHE: i64 = 8192;
const READER_CACHE: i64 = 4096;

/// The size at which the write-ahead log is moved into the file, and to which a larger log is truncated. Pages that change
/// repeatedly are moved once.
pub(super) const LOG_BYTES: u64 = 64 << 20;

/// Opens the file for writing, and creates it if necessary. Reads and writes nothing yet.
pub(super) fn open_writer(file: &Path) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// Opens the file for reading. Reads nothing yet.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Two threads never use a connection at the same time.
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // Plans do not depend on values. Otherwise SQLite would plan some statements again each time, which takes longer
    // than executing them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Configures a writing connection and the file, which is known to be ours.
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
    // These return a row.
    let set =
        |name: &str, value: u64| connection.query_row(&format!("PRAGMA {name} = {value}"), [], |_| Ok(()));
    set("journal_size_limit", LOG_BYTES)?;
    if let Some(bytes) = options.max_bytes {
        set("max_page_count", (bytes / page).max(1))?;
    }
    Ok(())
}

/// Configures a reading connection.
pub(super) fn set_up_reader(connection: &Connection) -> Outcome<()> {
    Ok(set_up(connection, READER_CACHE)?)
}

fn set_up(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // With this, a damaged file causes an error, never a wrong result. Memory-mapped reading stays off for the same
    // reason: with it, a failing disk would kill the process.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}
