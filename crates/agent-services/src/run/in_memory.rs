//! Runs in memory: the reference backend.

use std::collections::HashMap;
use std::sync::Arc;

use agent_schemas::{RunId, Status, sse};
use async_trait::async_trait;
use bytes::BytesMut;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

use super::{Batch, FencingToken, Page, RunRecord, RunStore};
use crate::{Error, ErrorKind, Result};

/// Keeps runs in this process's memory until they are deleted.
#[derive(Debug, Default)]
pub struct InMemoryRunStore {
    // The map is locked for a look-up only; a run's log has its own lock, so that runs do not wait for each other.
    // Clients do not choose the keys, so a fast hash is safe.
    runs: RwLock<HashMap<RunId, Arc<Mutex<StoredRun>>, RandomState>>,
}

#[derive(Debug)]
struct StoredRun {
    record: RunRecord,
    token: FencingToken,
    batches: Vec<Batch>,
    /// How many of the last batches have not been looked at for merging.
    small: usize,
    ended: bool,
}

/// How many batches are merged into one, and up to which size.
const MERGED: usize = 16;
const MERGED_BYTES: usize = 16 * 1024;

impl InMemoryRunStore {
    /// A store with no runs.
    pub fn new() -> Self {
        InMemoryRunStore::default()
    }

    /// How many runs are kept.
    pub fn len(&self) -> usize {
        self.runs.read().len()
    }

    /// Whether no run is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, id: &RunId) -> Option<Arc<Mutex<StoredRun>>> {
        self.runs.read().get(id).cloned()
    }

    fn write(
        &self,
        operation: &'static str,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        end: Option<Status>,
    ) -> Result<()> {
        let run = self
            .find(id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, operation, format!("no run {id}")))?;
        run.lock().write(operation, token, batch, end)
    }
}

impl StoredRun {
    fn write(
        &mut self,
        operation: &'static str,
        token: FencingToken,
        batch: Batch,
        end: Option<Status>,
    ) -> Result<()> {
        let conflict = |message| Err(Error::new(ErrorKind::Conflict, operation, message));
        if token != self.token {
            return conflict("the run has another owner");
        }
        let next = self.batches.last().map_or(0, Batch::end);
        if batch.first != next {
            return if self.contains(&batch) {
                Ok(())
            } else {
                conflict("the entries do not continue the log")
            };
        }
        if self.ended {
            return conflict("the log has ended");
        }
        if batch.count > 0 {
            self.batches.push(batch);
            self.small += 1;
            if self.small == MERGED {
                self.merge();
            }
        }
        if let Some(status) = end {
            self.record.status = status;
            self.ended = true;
        }
        Ok(())
    }

    /// Whether exactly these entries were appended before.
    fn contains(&self, batch: &Batch) -> bool {
        let holder = self.batches.partition_point(|known| known.end() <= batch.first);
        let known = self.batches.get(holder).and_then(|known| known.starting_at(batch.first));
        // Batches are merged whole, so one that was appended lies in one of those that are kept.
        known.is_some_and(|known| {
            batch.first == known.first && batch.end() <= known.end() && {
                let end = usize::try_from(batch.count).map(|count| sse::skip_frames(&known.frames, count));
                end.is_ok_and(|end| known.frames[..end] == batch.frames)
            }
        })
    }

    /// Makes one batch of the last ones: a log of single words would else spend more on its parts than on its text.
    fn merge(&mut self) {
        self.small = 0;
        let parts = self.batches.split_off(self.batches.len() - MERGED);
        let bytes = parts.iter().map(|part| part.frames.len()).sum();
        if bytes > MERGED_BYTES {
            self.batches.extend(parts);
            return;
        }
        let mut frames = BytesMut::with_capacity(bytes);
        parts.iter().for_each(|part| frames.extend_from_slice(&part.frames));
        let count = parts.iter().map(|part| part.count).sum();
        self.batches.push(Batch { first: parts[0].first, count, frames: frames.freeze() });
    }

    fn read(&self, from: u64, max_bytes: usize) -> Page {
        let start = self.batches.partition_point(|batch| batch.end() <= from);
        let mut page = Page { batches: Vec::new(), is_end: self.ended };
        let mut bytes = 0;
        for batch in &self.batches[start..] {
            if bytes >= max_bytes && !page.batches.is_empty() {
                page.is_end = false;
                break;
            }
            bytes += batch.frames.len();
            page.batches.extend(batch.starting_at(from));
        }
        page
    }
}

#[async_trait]
impl RunStore for InMemoryRunStore {
    async fn create(&self, record: RunRecord) -> Result<FencingToken> {
        let token = FencingToken(1);
        let mut runs = self.runs.write();
        if runs.contains_key(&record.id) {
            let message = format!("run {} exists already", record.id);
            return Err(Error::new(ErrorKind::AlreadyExists, "create a run", message));
        }
        let run = StoredRun { record, token, batches: Vec::new(), small: 0, ended: false };
        runs.insert(run.record.id.clone(), Arc::new(Mutex::new(run)));
        Ok(token)
    }

    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>> {
        Ok(self.find(id).map(|run| run.lock().record.clone()))
    }

    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<()> {
        self.write("append to a run", id, token, batch, None)
    }

    async fn finish(&self, id: &RunId, token: FencingToken, batch: Batch, status: Status) -> Result<()> {
        self.write("finish a run", id, token, batch, Some(status))
    }

    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<Page>> {
        Ok(self.find(id).map(|run| run.lock().read(from, max_bytes)))
    }

    async fn delete(&self, id: &RunId) -> Result<bool> {
        Ok(self.runs.write().remove(id).is_some())
    }
}
