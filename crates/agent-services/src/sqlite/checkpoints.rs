//! Moves the write-ahead log into the file. That waits for the disk, so a thread of its own does it.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connection::{self, LOG_BYTES};
use super::failure::{Outcome, no_thread};

/// The size at which the writer moves the log itself. SQLite starts the log anew only after all of it was moved, which the
/// thread may never achieve while the writer keeps adding to it.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// How often the thread moves what was added while it moved the rest.
const PASSES: usize = 4;

/// The thread.
#[derive(Debug)]
pub(super) struct Checkpoints(JoinHandle<()>);

impl Checkpoints {
    /// Starts the thread. It works when the writer's log has grown.
    ///
    /// # Errors
    /// If the connection has no page size, or the system cannot start another thread.
    pub(super) fn spawn(writer: &mut Connection, file: PathBuf) -> Outcome<Self> {
        let page: u64 = writer.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let (due, log_grew) = sync_channel(1);
        writer.wal_hook(Some(move |wal: &mut Wal, pages: c_int| {
            let bytes = u64::try_from(pages).unwrap_or_default() * page;
            when_committed(bytes, wal, &due);
            Ok(())
        }))?;
        let thread = thread::Builder::new().name("sqlite-checkpoint".to_owned());
        Ok(Checkpoints(thread.spawn(move || work(&file, &log_grew)).map_err(no_thread)?))
    }

    /// Ends the thread, which closes its connection.
    pub(super) fn stop(self, writer: &mut Connection) {
        // Drops the sending side, which ends the thread. A panic of the thread has been reported by its hook.
        let _ = writer.wal_hook(None::<fn(&mut Wal, c_int) -> rusqlite::Result<()>>);
        let _ = self.0.join();
    }
}

/// Called after each commit with the size of the log. Its errors would be the commit's, so there are none: what cannot be
/// moved now is moved later.
fn when_committed(bytes: u64, wal: &mut Wal, due: &SyncSender<()>) {
    if bytes >= MAX_LOG_BYTES {
        let _ = wal.checkpoint();
    } else if bytes >= LOG_BYTES {
        // If the thread is busy, it is told after a later commit.
        let _ = due.try_send(());
    }
}

fn work(file: &Path, log_grew: &Receiver<()>) {
    let mut connection = None;
    while log_grew.recv().is_ok() {
        if connection.is_none() {
            connection = connection::open_writer(file).ok();
        }
        if let Some(open) = &connection
            && move_log(open).is_err()
        {
            // The next attempt uses another connection. Until one succeeds, the log grows to the size at which the writer
            // moves it.
            connection = None;
        }
    }
}

fn move_log(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 0..PASSES {
        let (pages, moved): (i64, i64) =
            connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
        if moved >= pages {
            break;
        }
    }
    Ok(())
}
