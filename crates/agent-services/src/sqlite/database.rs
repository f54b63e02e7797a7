//! A database and its users.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::connection::SqliteOptions;
use super::folder::DATABASE;
use super::open::Open;
use crate::run::wakeups::Wakeups;
use crate::{DatabaseId, Error, ErrorKind, Result};

/// A database in a data folder, shared by its stores.
///
/// Creating this value does nothing yet. The first store that starts creates the folder if necessary, locks it, and
/// opens the database; the last one that stops closes it. Clones are the same database.
#[derive(Clone, Debug)]
pub struct SqliteDatabase(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    id: DatabaseId,
    folder: PathBuf,
    options: SqliteOptions,
    is_read_only: bool,
    /// Held while the database is opened, so that only one store opens it.
    opening: tokio::sync::Mutex<()>,
    /// Held from opening until closing has finished, so that the next opening waits for it.
    turn: Arc<tokio::sync::Mutex<()>>,
    users: Mutex<Users>,
    /// Tasks that wait for runs, whichever store writes to them.
    wakeups: Arc<Wakeups>,
}

/// The started stores.
#[derive(Debug, Default)]
struct Users {
    count: usize,
    open: Option<Arc<Open>>,
}

impl SqliteDatabase {
    /// The database of a folder. The folder belongs to this process while a store is started.
    pub fn new(folder: impl Into<PathBuf>, options: SqliteOptions) -> Self {
        SqliteDatabase::with_access(folder.into(), options, false)
    }

    /// The database of a folder that another process may own, for reading only. Its stores see committed data, and
    /// reject writes as [`InvalidInput`](ErrorKind::InvalidInput).
    pub fn read_only(folder: impl Into<PathBuf>) -> Self {
        SqliteDatabase::with_access(folder.into(), SqliteOptions::default(), true)
    }

    fn with_access(folder: PathBuf, options: SqliteOptions, is_read_only: bool) -> Self {
        let (opening, turn, users, wakeups) = Default::default();
        let id = DatabaseId::fresh();
        let shared = Shared { id, folder, options, is_read_only, opening, turn, users, wakeups };
        SqliteDatabase(Arc::new(shared))
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The file, whether or not it exists yet.
    pub fn file(&self) -> PathBuf {
        self.0.folder.join(DATABASE)
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.0.is_read_only
    }

    pub(super) fn id(&self) -> DatabaseId {
        self.0.id
    }

    pub(super) fn wakeups(&self) -> &Arc<Wakeups> {
        &self.0.wakeups
    }

    /// Opens the database unless it is open, and keeps it open as long as the lease lives.
    pub(super) async fn lease(&self) -> Result<Lease> {
        let _opening = self.0.opening.lock().await;
        if let Some(lease) = self.lease_of_open() {
            return Ok(lease);
        }
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        let shared = Arc::clone(&self.0);
        let opening = spawn_blocking(move || {
            if shared.is_read_only {
                Open::reader(&shared.folder, &shared.options)
            } else {
                Open::owner(&shared.folder, &shared.options, turn)
            }
        });
        let open = opening.await.map_err(|error| {
            Error::new(ErrorKind::Unexpected, "open the database", "opening the database was interrupted")
                .with_source(error)
        })??;
        let open = Arc::new(open);
        *self.0.users.lock() = Users { count: 1, open: Some(Arc::clone(&open)) };
        Ok(Lease { open, database: Arc::clone(&self.0) })
    }

    fn lease_of_open(&self) -> Option<Lease> {
        let mut users = self.0.users.lock();
        let open = Arc::clone(users.open.as_ref()?);
        users.count += 1;
        Some(Lease { open, database: Arc::clone(&self.0) })
    }
}

/// Keeps a database open.
#[derive(Debug)]
pub(super) struct Lease {
    open: Arc<Open>,
    database: Arc<Shared>,
}

impl Lease {
    pub(super) fn open(&self) -> &Arc<Open> {
        &self.open
    }

    /// Releases the database. The last user waits until it is closed, others until their queued writes are done;
    /// both happen even if nobody waits.
    pub(super) async fn end(self) -> Result<()> {
        let open = Arc::clone(&self.open);
        let database = Arc::clone(&self.database);
        drop(self);
        if database.users.lock().open.is_some() {
            return open.flush("stop the store").await;
        }
        open.closed().await;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut users = self.database.users.lock();
        users.count -= 1;
        if users.count == 0 {
            users.open = None;
        }
    }
}
