//! The run store's contract, in Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{RunId, SessionId, UserId};
use async_trait::async_trait;

use super::codec::{self, Fields, StoredBatch};
use super::places::{self, Place};
use super::{
    CANCEL, CHAIN, CREATE, DROP, FINISH, MAX_NUMBER, PAGE_BYTES, PUT_STEP, READ, RedisRunStore, STEERED,
    STEPS, TAKE, TOUCH_READER, UNLIST,
};
use crate::page::{Page, PageSize, PageToken};
use crate::redis::failure::foreign;
use crate::redis::keys::encode;
use crate::redis::store::{STEP, millis};
use crate::run::{
    Batch, Canceled, ChainedRun, Created, FencingToken, FinishRun, Finished, LogChunk, NewRun, OwnerId,
    Retention, RunFilter, RunRecord, RunStore, SessionPolicy, Step, Written, no_lease, no_run, no_sessions,
    tag,
};
use crate::{Error, ErrorKind, Result};

/// A run to be created, as the script expects it; `repeat` creates none if the key is unknown.
fn policy(run: &NewRun) -> &'static str {
    match run.record.options.session_policy {
        _ if run.key.as_ref().is_some_and(|key| key.is_repeated) => "repeat",
        SessionPolicy::Enqueue => "enqueue",
        SessionPolicy::Reject => "reject",
        SessionPolicy::Interrupt => "interrupt",
        SessionPolicy::Steer => "steer",
        SessionPolicy::Concurrent => "concurrent",
    }
}

/// The script's result of creating a run.
fn created(operation: &'static str, id: &RunId, answer: &str) -> Result<Created> {
    let (word, rest) = codec::words(answer);
    Ok(match word {
        "started" => Created::Started(codec::token(operation, rest)?),
        "queued" => Created::Queued { ahead: codec::token(operation, rest)?.0 },
        "steered" => Created::Steered(RunId::new(rest)),
        "repeated" => Created::Repeated(RunId::new(rest)),
        "busy" => Created::Busy(RunId::new(rest)),
        "full" => Created::QueueFull,
        "reused" => Created::KeyReused,
        "unknown" => Created::KeyUnknown,
        "exists" => {
            let message = format!("run {id} already exists");
            return Err(Error::new(ErrorKind::AlreadyExists, operation, message));
        }
        _ => return Err(foreign(operation)),
    })
}

#[async_trait]
impl RunStore for RedisRunStore {
    async fn create(&self, run: NewRun) -> Result<Created> {
        const OPERATION: &str = "create a run";
        let NewRun { record, first, owner, .. } = &run;
        let key = run.key.as_ref().map(|key| key.key.as_str());
        let (user, session) = (&record.user_id, &record.session_id);
        let ids = [user.as_str(), session.as_str(), key.unwrap_or_default(), record.id.as_str()];
        let _call = self.backend.begin(OPERATION, &ids)?;
        let Some(place) = Place::of_user(self.backend.keys(), &record.id, user) else {
            let message = "a run's id must be `run_`, at least 32 letters and digits, and its user's tag";
            return Err(Error::new(ErrorKind::InvalidInput, OPERATION, message));
        };
        if first.first != 0 {
            let message = "the first entry should have number 0";
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message));
        }
        let fields = codec::fields(OPERATION, record)?;
        self.note_tag(OPERATION, place.tag()).await?;
        let fingerprint = run.key.as_ref().map_or("", |key| key.fingerprint.as_str());
        let call = place
            .call_with(&CREATE, &Self::name(), place.keys_to_create(user, session, key))
            .arg(owner.as_str())
            .arg(policy(&run))
            .arg(run.max_queued)
            .arg(run.queued_bytes)
            .arg(first.count)
            .arg(&first.frames[..])
            .arg(encode(user.as_str()))
            .arg(encode(session.as_str()))
            .arg(key.map(encode).unwrap_or_default())
            .arg(fingerprint)
            .arg(fields);
        let answer: String = self.backend.repeatable(OPERATION, call).await?;
        created(OPERATION, &record.id, &answer)
    }

    async fn get(&self, id: &RunId) -> Result<Option<RunRecord>> {
        const OPERATION: &str = "get a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(None) };
        let found = self.records(OPERATION, place.tag(), &[id.as_str().to_owned()]).await?;
        found.into_iter().next().flatten().transpose()
    }

    async fn append(&self, id: &RunId, token: FencingToken, batch: Batch) -> Result<Written> {
        self.write("append to a run", id, token, batch, None).await
    }

    async fn seal(
        &self,
        id: &RunId,
        token: FencingToken,
        batch: Batch,
        ending: &str,
        cancel_seen: bool,
    ) -> Result<()> {
        self.write("seal a run", id, token, batch, Some((ending, cancel_seen))).await.map(drop)
    }

    async fn finish(&self, run: FinishRun) -> Result<Finished> {
        const OPERATION: &str = "finish a run";
        let FinishRun { id, token, batch, status, next, history, cancel_seen } = run;
        if history.is_some() {
            return Err(no_sessions(OPERATION));
        }
        let _call = self.backend.begin(OPERATION, &[])?;
        let call = self
            .place_to_write(OPERATION, &id)?
            .call(&FINISH, "")
            .arg(token.0)
            .arg(batch.first)
            .arg(batch.count)
            .arg(&batch.frames[..])
            .arg(status.as_str())
            .arg(self.backend.context.clock.unix_seconds())
            .arg(u64::from(next.is_some()))
            .arg(next.as_ref().map_or("", OwnerId::as_str))
            .arg(millis(self.retention.age))
            .arg(u64::from(cancel_seen));
        let (answer, granted, user, bytes): (String, String, String, u64) =
            self.backend.repeatable(OPERATION, call).await?;
        codec::check_written(OPERATION, &id, &answer)?;
        self.listening.wakeups.wake(&id);
        self.count_end(OPERATION, &id, bytes, &user).await;
        Ok(Finished::new(codec::grant(OPERATION, &granted)?))
    }

    async fn read(&self, id: &RunId, from: u64, max_bytes: usize) -> Result<Option<LogChunk>> {
        const OPERATION: &str = "read a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(None) };
        let call = place.call(&READ, "").arg(from.min(MAX_NUMBER)).arg(max_bytes.min(PAGE_BYTES));
        let found: Option<(bool, Vec<StoredBatch>)> = self.backend.repeatable(OPERATION, call).await?;
        Ok(found.map(|(is_end, found)| {
            let batches = found.into_iter().filter_map(|batch| Batch::from(batch).starting_at(from));
            LogChunk { batches: batches.collect(), is_end }
        }))
    }

    async fn chain(&self, id: &RunId, max_bytes: usize) -> Result<Vec<ChainedRun>> {
        const OPERATION: &str = "read a chain of runs";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(Vec::new()) };
        let call = place.call(&CHAIN, "").arg(max_bytes.min(PAGE_BYTES));
        let found: Vec<(Fields, Vec<u8>)> = self.backend.repeatable(OPERATION, call).await?;
        let runs = found.into_iter().map(|(fields, frames)| {
            let record = fields.decode(OPERATION)?;
            let last = record.last_entry().filter(|_| !frames.is_empty());
            let last = last.map(|first| Batch { first, count: 1, frames: frames.into() });
            Ok(ChainedRun { record, last })
        });
        runs.collect()
    }

    async fn wait(&self, id: &RunId, from: u64) -> Result<()> {
        self.wait_for("wait for a run", id, from).await
    }

    async fn list(
        &self,
        user: &UserId,
        filter: &RunFilter,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<RunRecord>> {
        const OPERATION: &str = "list runs";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        let (keys, tag) = (self.backend.keys(), tag(user));
        let list = format!("runs:{}", encode(user.as_str()));
        let mut before = after.map_or("+inf".to_owned(), |after| format!("({}", after.0));
        let mut items = Vec::new();
        while items.len() <= size.get() {
            let mut range = cmd("ZREVRANGEBYSCORE");
            range.arg(format!("{}{list}", keys.of_tag(&tag))).arg(&before).arg("-inf").arg("WITHSCORES");
            range.arg("LIMIT").arg(0).arg((size.get() + 1 - items.len()).min(STEP));
            let members: Vec<(String, u64)> = self.backend.repeatable(OPERATION, range).await?;
            let Some((_, last)) = members.last() else { break };
            before = format!("({last}");
            let ids: Vec<String> = members.into_iter().map(|(id, _)| id).collect();
            let found = self.records(OPERATION, &tag, &ids).await?;
            for (id, run) in ids.iter().zip(&found) {
                if let Some(Err(error)) = run {
                    tracing::error!(run.id = id, error = %error, "a run cannot be read and is left out of a list");
                }
            }
            let gone: Vec<String> =
                ids.into_iter().zip(&found).filter(|(_, run)| run.is_none()).map(|(id, _)| id).collect();
            if !gone.is_empty() {
                let call = places::call(keys, &tag, &UNLIST, [list.clone()]).arg(&gone);
                self.backend.repeatable::<()>(OPERATION, call).await?;
            }
            items.extend(found.into_iter().flatten().flatten().filter(|run| filter.matches(run)));
        }
        Ok(Page::from_one_more(items, size, |run: &RunRecord| run.number))
    }

    async fn cancel(&self, id: &RunId, last: Batch) -> Result<Option<Canceled>> {
        const OPERATION: &str = "cancel a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(None) };
        let call = place.call(&CANCEL, &Self::name()).arg("");
        let call = call.arg(last.first).arg(last.count).arg(&last.frames[..]);
        let call = call.arg(self.backend.context.clock.unix_seconds()).arg(millis(self.retention.age));
        let (answer, user, bytes): (String, String, u64) = self.backend.repeatable(OPERATION, call).await?;
        match answer.as_str() {
            "missing" => Ok(None),
            "ended" => Ok(Some(Canceled::Ended)),
            "requested" => Ok(Some(Canceled::Requested)),
            "dequeued" => {
                self.listening.wakeups.wake(id);
                self.count_end(OPERATION, id, bytes, &user).await;
                Ok(Some(Canceled::Dequeued))
            }
            refused => {
                codec::check_written(OPERATION, id, refused)?;
                Err(foreign(OPERATION))
            }
        }
    }

    async fn steered(&self, id: &RunId) -> Result<Vec<RunRecord>> {
        const OPERATION: &str = "read the input handed to a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(Vec::new()) };
        let found: Vec<Fields> = self.backend.repeatable(OPERATION, place.call(&STEERED, "")).await?;
        found.into_iter().map(|fields| fields.decode(OPERATION)).collect()
    }

    async fn drop_steered(&self, id: &RunId, token: FencingToken, taken: &[RunId]) -> Result<()> {
        const OPERATION: &str = "drop the input handed to a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let call = self.place_to_write(OPERATION, id)?.call(&DROP, "").arg(token.0);
        let call = taken.iter().fold(call, |call, taken| call.arg(taken.as_str()));
        let answer: String = self.backend.repeatable(OPERATION, call).await?;
        codec::check_written(OPERATION, id, &answer)
    }

    async fn put_step(&self, id: &RunId, token: FencingToken, step: Step) -> Result<()> {
        const OPERATION: &str = "keep a step of a run";
        let (answer, _) = self.write_step(OPERATION, id, &token.0.to_string(), &step).await?;
        codec::check_written(OPERATION, id, &answer)
    }

    async fn claim_step(&self, id: &RunId, step: Step) -> Result<Step> {
        const OPERATION: &str = "claim a step of a run";
        let (answer, kept) = self.write_step(OPERATION, id, "", &step).await?;
        if answer == "kept" {
            return Ok(Step::new(step.key, kept));
        }
        codec::check_written(OPERATION, id, &answer)?;
        Ok(step)
    }

    async fn steps(&self, id: &RunId) -> Result<Vec<Step>> {
        const OPERATION: &str = "read the steps of a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(Vec::new()) };
        let found: BTreeMap<String, String> =
            self.backend.repeatable(OPERATION, place.call(&STEPS, "")).await?;
        Ok(found.into_iter().map(|(key, data)| Step::new(key, data)).collect())
    }

    async fn signals(&self, owner: &OwnerId) -> Result<Vec<RunId>> {
        const OPERATION: &str = "wait for signals";
        let call = self.backend.begin(OPERATION, &[])?;
        let listener = self.listening.listener();
        // `stop` need not wait for calls that only wait.
        drop(call);
        let signals = listener.while_listening(self.listening.wakeups.signals(owner)).await;
        signals.ok_or_else(|| Error::new(ErrorKind::Unavailable, OPERATION, "the service has stopped"))
    }

    async fn heartbeat(&self, owner: &OwnerId, lease: Duration) -> Result<()> {
        const OPERATION: &str = "renew a lease";
        let _call = self.backend.begin(OPERATION, &[])?;
        self.renew(OPERATION, owner, lease).await
    }

    async fn release_lease(&self, owner: &OwnerId) -> Result<()> {
        const OPERATION: &str = "release a lease";
        let _call = self.backend.begin(OPERATION, &[])?;
        self.end_lease(OPERATION, owner).await?;
        self.listening.wakeups.forget(owner);
        Ok(())
    }

    async fn orphans(&self, size: PageSize) -> Result<Vec<RunId>> {
        const OPERATION: &str = "find orphaned runs";
        let _call = self.backend.begin(OPERATION, &[])?;
        self.find_orphans(OPERATION, size.get()).await
    }

    async fn take_over(&self, id: &RunId, owner: &OwnerId) -> Result<Option<FencingToken>> {
        const OPERATION: &str = "take over a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(None) };
        let [present, token] = self.fields(OPERATION, &place, ["owner", "token"]).await?;
        let Some(token) = token else { return Ok(None) };
        // The owner of this token cannot change without a new token.
        let (leases, read) = self.leases_to_take(OPERATION, owner, present.as_deref()).await?;
        let call =
            place.call_with(&TAKE, &Self::name(), [leases]).arg(owner.as_str()).arg(token).arg(&read[..]);
        let answer: String = self.backend.repeatable(OPERATION, call).await?;
        match codec::words(&answer) {
            ("taken", token) => codec::token(OPERATION, token).map(Some),
            ("lapsed", _) => Err(no_lease(OPERATION, owner)),
            _ => Ok(None),
        }
    }

    async fn touch_reader(&self, id: &RunId, time: Duration) -> Result<()> {
        self.touch_reader_for("register a reader of a run", id, time).await.map(drop)
    }

    async fn reader_ttl(&self, id: &RunId) -> Result<Duration> {
        self.touch_reader_for("check for readers of a run", id, Duration::ZERO).await
    }

    async fn sweep(&self) -> Result<u64> {
        const OPERATION: &str = "delete old runs";
        let _call = self.backend.begin(OPERATION, &[])?;
        self.forget_old(OPERATION).await
    }

    async fn delete(&self, id: &RunId) -> Result<bool> {
        const OPERATION: &str = "delete a run";
        let _call = self.backend.begin(OPERATION, &[])?;
        let Some(place) = self.place(id) else { return Ok(false) };
        let answer = self.forget(OPERATION, &place, "").await?;
        match codec::words(&answer) {
            ("unfinished", _) => {
                Err(Error::new(ErrorKind::Conflict, OPERATION, format!("run {id} has not ended")))
            }
            ("gone", noted) => {
                self.listening.wakeups.wake(id);
                self.strike(OPERATION, &[format!("{id} {noted}")]).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64> {
        const OPERATION: &str = "delete a session's runs";
        let _call = self.backend.begin(OPERATION, &[user.as_str(), session.as_str()])?;
        self.forget_all(OPERATION, user, Some(session)).await
    }

    async fn delete_user(&self, user: &UserId) -> Result<u64> {
        const OPERATION: &str = "delete a user's runs";
        let _call = self.backend.begin(OPERATION, &[user.as_str()])?;
        self.forget_all(OPERATION, user, None).await
    }

    fn retention(&self) -> Retention {
        self.retention
    }
}

impl RedisRunStore {
    /// Keeps a step; without a token, only if there is none with its key. Returns the script's answer, and the data of the
    /// earlier step if that is kept.
    async fn write_step(
        &self,
        operation: &'static str,
        id: &RunId,
        token: &str,
        step: &Step,
    ) -> Result<(String, String)> {
        step.check(operation)?;
        let _call = self.backend.begin(operation, &[])?;
        let call = self.place_to_write(operation, id)?.call(&PUT_STEP, "");
        self.backend.repeatable(operation, call.arg(token).arg(&step.key).arg(&step.data)).await
    }

    /// Extends the time for which a run counts as having a reader; returns the remaining time.
    async fn touch_reader_for(
        &self,
        operation: &'static str,
        id: &RunId,
        time: Duration,
    ) -> Result<Duration> {
        let _call = self.backend.begin(operation, &[])?;
        let call = self.place_to_write(operation, id)?.call(&TOUCH_READER, "").arg(millis(time));
        let left: Option<u64> = self.backend.repeatable(operation, call).await?;
        left.map(Duration::from_millis).ok_or_else(|| no_run(operation, id))
    }
}
