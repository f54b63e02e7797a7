//! Connections for reading, in addition to the writer's.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection;
use super::failure::Outcome;

/// A few connections, opened on demand.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(file: PathBuf, count: usize) -> Self {
        Readers { file, places: Arc::new(Semaphore::new(count.max(1))), idle: Mutex::default() }
    }

    /// Waits for a free connection.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Reads from a consistent state of the database, whatever is written meanwhile. Blocks the thread.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connection::open_reader(&self.file)?;
                connection::set_up_reader(&connection)?;
                connection
            }
        };
        connection.prepare_cached("BEGIN")?.execute([])?;
        let result = work(&connection);
        // A connection that could not end its transaction is closed, which ends it.
        if connection.prepare_cached("COMMIT")?.execute([]).is_ok() {
            self.idle.lock().push(connection);
        }
        result
    }
}
