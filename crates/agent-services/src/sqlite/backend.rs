//! The backend for URLs that begin with `sqlite:`.

use std::sync::Arc;

use super::{
    SqliteDatabase, SqliteMemoryStore, SqliteOptions, SqliteRunStore, SqliteSessionStore, SqliteStateStore,
};
use crate::Result;
use crate::backend::{Backend, OpenOptions, StoreUrl, Stores};
use crate::run::Retention;

/// Keeps everything in one database in a folder: `sqlite:/path/to/folder`, or `sqlite:folder` for a relative path.
///
/// | parameter | meaning |
/// |---|---|
/// | `sync=full` | each commit waits for the disk, so that it survives a power failure; without it, `sync=normal` |
///
/// If the data is only read, another process may own it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteBackend;

impl Backend for SqliteBackend {
    fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Stores> {
        let parameters = url.parameters(&["sync"])?;
        let sync_every_commit = match parameters.get("sync") {
            None | Some("normal") => false,
            Some("full") => true,
            Some(_) => return Err(url.fault("the parameter `sync` should be `full` or `normal`")),
        };
        let settings = SqliteOptions { sync_every_commit, ..SqliteOptions::default() };
        let folder = url.path()?;
        let database = if options.is_read_only {
            SqliteDatabase::read_only(folder)
        } else {
            SqliteDatabase::new(folder, settings)
        };
        let context = &options.context;
        let runs = SqliteRunStore::new(database.clone(), context.clone())
            .with_retention(options.retention(Retention::DURABLE));
        let sessions = SqliteSessionStore::new(database.clone(), context.clone())
            .with_retention(options.session_retention(Retention::DURABLE));
        let states = SqliteStateStore::new(database.clone(), context.clone());
        let memories = SqliteMemoryStore::new(database, context.clone());
        let stores = Stores::new(Arc::new(runs), Arc::new(sessions), Arc::new(states));
        Ok(stores.with_memories(Arc::new(memories)))
    }
}
