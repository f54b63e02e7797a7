//! Runs in Redis. All of a user's runs are in one slot, which the run's id determines; each step is one script there.

mod codec;
mod contract;
mod ended;
mod listening;
mod places;

use std::collections::HashMap;
use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{IdSource, RunId};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use self::codec::Fields;
use self::listening::{Listening, run_channel};
use self::places::Place;
use super::client::RedisClient;
use super::failure::foreign;
use super::script::script;
use super::store::{Backend, LARGE_ANSWER};
use crate::clock::SystemIds;
use crate::context::StoreContext;
use crate::run::{Batch, FencingToken, Retention, RunRecord, Written, no_run};
use crate::{Result, Service};

script!(CREATE, "runs/common.lua", "runs/create.lua");
script!(APPEND, "runs/common.lua", "runs/frames.lua", "runs/write.lua", "runs/append.lua");
script!(FINISH, "runs/common.lua", "runs/frames.lua", "runs/write.lua", "runs/end.lua", "runs/finish.lua");
script!(READ, "runs/common.lua", "runs/read.lua");
script!(CHAIN, "runs/common.lua", "runs/frames.lua", "runs/chain.lua");
script!(RECORDS, "runs/common.lua", "runs/records.lua");
script!(UNLIST, "runs/common.lua", "runs/unlist.lua");
script!(CANCEL, "runs/common.lua", "runs/frames.lua", "runs/write.lua", "runs/end.lua", "runs/cancel.lua");
script!(STEERED, "runs/common.lua", "runs/steered.lua");
script!(DROP, "runs/common.lua", "runs/drop.lua");
script!(PUT_STEP, "runs/common.lua", "runs/put_step.lua");
script!(STEPS, "runs/common.lua", "runs/steps.lua");
script!(TAKE, "runs/common.lua", "runs/leases.lua", "runs/take.lua");
script!(ORPHANS, "runs/common.lua", "runs/orphans.lua");
script!(TOUCH_READER, "runs/common.lua", "runs/touch_reader.lua");
script!(FORGET, "runs/common.lua", "runs/forget.lua");
script!(TRIM, "runs/common.lua", "runs/frames.lua", "runs/trim.lua");
script!(HEARTBEAT, "runs/leases.lua", "runs/heartbeat.lua");
script!(OWNERS, "runs/leases.lua", "runs/owners.lua");
script!(TAG, "runs/tag.lua");
script!(UNTAG, "runs/untag.lua");
script!(ENDED, "runs/ended.lua");
script!(OLDEST, "runs/oldest.lua");
script!(SWEPT, "runs/swept.lua");

/// The approximate size of a run apart from its log.
const OVERHEAD: u64 = 1024;

/// The approximate maximum size of a log in one reply: a larger one would keep the server busy for too long.
const PAGE_BYTES: usize = 256 << 10;

/// The maximum time that a reader waits before it looks again, in case it cannot be woken.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Entry numbers from here on mean the end: it is the greatest integer that a script represents exactly.
const MAX_NUMBER: u64 = 1 << 53;

/// Runs in Redis, with their logs.
///
/// Ended runs are kept for a day, up to 1 GiB after a `sweep` ([`Self::with_retention`]). The store has a separate
/// connection over which it receives what other processes write; while it is broken, readers look every five
/// seconds. The Redis user needs permission for the channels that begin with the prefix.
#[derive(Debug)]
pub struct RedisRunStore {
    backend: Backend,
    retention: Retention,
    listening: Listening,
    /// When each tag was last recorded.
    noted: Mutex<HashMap<String, Instant>>,
}

#[async_trait]
impl Service for RedisRunStore {
    async fn start(&self) -> Result<()> {
        self.backend.start().await
    }

    async fn stop(&self) -> Result<()> {
        self.backend.stop().await?;
        self.listening.stop().await;
        Ok(())
    }

    async fn health(&self) -> Result<()> {
        self.backend.health().await
    }
}

impl RedisRunStore {
    /// A store of the runs in the client's Redis.
    pub fn new(client: RedisClient, context: StoreContext) -> Self {
        RedisRunStore {
            listening: Listening::new(client.clone()),
            backend: Backend::new(client, context),
            retention: Retention::DURABLE,
            noted: Mutex::default(),
        }
    }

    /// Sets how long ended runs are kept.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    fn place(&self, id: &RunId) -> Option<Place> {
        Place::of(self.backend.keys(), id)
    }

    fn place_to_write(&self, operation: &'static str, id: &RunId) -> Result<Place> {
        self.place(id).ok_or_else(|| no_run(operation, id))
    }

    /// A name for a call, by which a script recognizes its repetition after a lost reply.
    fn name() -> String {
        SystemIds.uuid()
    }

    /// Some fields of a run, or nils.
    async fn fields<const N: usize>(
        &self,
        operation: &'static str,
        place: &Place,
        names: [&str; N],
    ) -> Result<[Option<String>; N]> {
        let mut command = cmd("HMGET");
        command.arg(place.key()).arg(&names[..]);
        let found: Vec<Option<String>> = self.backend.repeatable(operation, command).await?;
        found.try_into().map_err(|_| foreign(operation))
    }

    /// The records of some runs of one user: nothing for a deleted run, an error for data that is not a record.
    async fn records(
        &self,
        operation: &'static str,
        tag: &str,
        ids: &[String],
    ) -> Result<Vec<Option<Result<RunRecord>>>> {
        let mut records = Vec::new();
        while let Some(rest) = ids.get(records.len()..).filter(|rest| !rest.is_empty()) {
            let keys = rest.iter().map(|id| format!("run:{id}"));
            let call = places::call(self.backend.keys(), tag, &RECORDS, keys).arg(LARGE_ANSWER);
            let found: Vec<Option<Fields>> = self.backend.repeatable(operation, call).await?;
            if found.is_empty() {
                return Err(foreign(operation));
            }
            records.extend(found.into_iter().map(|fields| fields.map(|fields| fields.decode(operation))));
        }
        Ok(records)
    }

    /// Appends to a log; with an ending, this is the last batch but one. The flag beside the ending is whether the caller
    /// knows of a request to stop.
    async fn write(
        &self,
        operation: &'static str,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: Option<(&str, bool)>,
    ) -> Result<Written> {
        let _call = self.backend.begin(operation, &[])?;
        let call = self.place_to_write(operation, id)?.call(&APPEND, "").arg(token.0);
        let call = call.arg(batch.first).arg(batch.count).arg(&batch.frames[..]);
        let (text, cancel_seen) = ending.unwrap_or_default();
        let call = call.arg(u64::from(ending.is_some())).arg(text).arg(u64::from(cancel_seen));
        let answer: String = self.backend.repeatable(operation, call).await?;
        let (answer, cancel) = codec::words(&answer);
        codec::check_written(operation, id, answer)?;
        self.listening.wakeups.wake(id);
        Ok(Written::new(!cancel.is_empty()))
    }

    /// Whether there is nothing to wait for: the log has the entry, has ended, or was deleted.
    async fn has_entry(&self, operation: &'static str, place: &Place, from: u64) -> Result<bool> {
        let [entries, ended] = self.fields(operation, place, ["entries", "ended"]).await?;
        let Some(entries) = entries else { return Ok(true) };
        let entries: u64 = entries.parse().map_err(|_| foreign(operation))?;
        Ok(ended.is_some() || entries > from)
    }

    /// Waits until a run has an entry, or may have it.
    async fn wait_for(&self, operation: &'static str, id: &RunId, from: u64) -> Result<()> {
        let call = self.backend.begin(operation, &[])?;
        let Some(place) = self.place(id) else { return Ok(()) };
        let first = self.listening.wakeups.reader(id);
        let listener = self.listening.listener();
        let channel = run_channel(&self.backend.keys().root(), id);
        if self.has_entry(operation, &place, from).await? {
            return Ok(());
        }
        // `stop` need not wait for calls that only wait.
        drop(call);
        let wait = async {
            let mut reader = first;
            if !listener.hears(&channel) {
                listener.hearing(&channel).await;
                // The first wake-up may only mean that the subscription is active; from here on nothing is missed.
                reader = self.listening.wakeups.reader(id);
                if self.has_entry(operation, &place, from).await? {
                    return Ok(());
                }
            }
            reader.woken().await;
            Ok(())
        };
        match listener.while_listening(timeout(LONGEST_WAIT, wait)).await {
            Some(Ok(done)) => done,
            Some(Err(_)) | None => Ok(()),
        }
    }
}
