//! Orphaned and ended runs, which have to be found across the slots of all users.

use std::time::Duration;

use ::redis::cmd;
use agent_schemas::{RunId, SessionId, UserId};
use tokio::time::Instant;

use super::codec;
use super::places::{self, Place};
use super::{ENDED, FORGET, HEARTBEAT, OLDEST, ORPHANS, OWNERS, RedisRunStore, SWEPT, TAG, TRIM, UNTAG};
use crate::Result;
use crate::redis::keys::encode;
use crate::redis::store::{STEP, millis};
use crate::run::{EXPIRED_LEASES, OwnerId, tag};

/// How long a recorded tag need not be recorded again. It is far less than the minute after which a tag without runs
/// is removed.
const NOTED: Duration = Duration::from_secs(15);

impl RedisRunStore {
    /// The ended runs with complete logs, and their size in bytes, in one slot.
    fn ended_keys(&self) -> [String; 2] {
        ["runs", "bytes"].map(|name| format!("{}{name}", self.backend.keys().of_tag("ended")))
    }

    /// The same for trimmed runs.
    fn trimmed_keys(&self) -> [String; 2] {
        ["trimmed", "trimmed-bytes"].map(|name| format!("{}{name}", self.backend.keys().of_tag("ended")))
    }

    pub(super) async fn renew(
        &self,
        operation: &'static str,
        owner: &OwnerId,
        lease: Duration,
    ) -> Result<()> {
        let call = HEARTBEAT.with_keys([self.leases()]).arg(owner.as_str()).arg(millis(lease));
        self.backend.repeatable(operation, call.arg(EXPIRED_LEASES * 1000)).await
    }

    pub(super) async fn end_lease(&self, operation: &'static str, owner: &OwnerId) -> Result<()> {
        let mut command = cmd("HDEL");
        command.arg(self.leases()).arg(owner.as_str());
        self.backend.repeatable(operation, command).await
    }

    /// The key of the leases of the owners, which execute runs of all tenants.
    fn leases(&self) -> String {
        format!("{}leases", self.backend.keys().root())
    }

    /// The key of the leases if the step that takes over a run can read them. In a cluster it cannot, because
    /// they are in another slot: then this returns the leases of the new and the present owner, and the step
    /// compares the time with them. A renewal between this and the step has the same effect as one that arrives
    /// after the step.
    pub(super) async fn leases_to_take(
        &self,
        operation: &'static str,
        owner: &OwnerId,
        present: Option<&str>,
    ) -> Result<(Option<String>, [String; 2])> {
        let key = self.leases();
        if !self.backend.is_cluster() {
            return Ok((Some(key), Default::default()));
        }
        let mut command = cmd("HMGET");
        command.arg(key).arg(owner.as_str()).arg(present.unwrap_or_default());
        let read: [Option<String>; 2] = self.backend.repeatable(operation, command).await?;
        Ok((None, read.map(Option::unwrap_or_default)))
    }

    /// The owners with a live lease.
    pub(super) async fn living(&self, operation: &'static str) -> Result<Vec<Vec<u8>>> {
        self.backend.repeatable(operation, OWNERS.with_keys([self.leases()])).await
    }

    /// Records that runs with a tag will exist, so that they are found when they become orphans.
    pub(super) async fn note_tag(&self, operation: &'static str, tag: &str) -> Result<()> {
        if self.noted.lock().get(tag).is_some_and(|at| at.elapsed() < NOTED) {
            return Ok(());
        }
        let at = Instant::now();
        self.backend
            .repeatable::<()>(operation, TAG.with_keys([self.backend.keys().run_tags()]).arg(tag))
            .await?;
        // Tags are never removed: there are at most 65,536.
        self.noted.lock().insert(tag.to_owned(), at);
        Ok(())
    }

    /// The orphaned runs of all tags, one tag at a time.
    pub(super) async fn find_orphans(&self, operation: &'static str, most: usize) -> Result<Vec<RunId>> {
        let living = self.living(operation).await?;
        let mut range = cmd("ZRANGE");
        range.arg(self.backend.keys().run_tags()).arg(0).arg(-1).arg("WITHSCORES");
        let tags: Vec<(String, u64)> = self.backend.repeatable(operation, range).await?;
        let mut orphans = Vec::new();
        for (tag, used) in tags {
            let call = places::call(self.backend.keys(), &tag, &ORPHANS, ["unfinished".to_owned()]);
            let call = call.arg(most - orphans.len()).arg(&living);
            let (unfinished, found): (u64, Vec<String>) = self.backend.repeatable(operation, call).await?;
            orphans.extend(found.into_iter().map(RunId::new));
            if orphans.len() >= most {
                break;
            }
            if unfinished == 0 {
                let call = UNTAG.with_keys([self.backend.keys().run_tags()]).arg(&tag).arg(used);
                self.backend.repeatable::<()>(operation, call).await?;
            }
        }
        Ok(orphans)
    }

    /// Counts a run that has ended; a failure is only logged, because the run then still expires by its age.
    pub(super) async fn count_end(&self, operation: &'static str, id: &RunId, bytes: u64, user: &str) {
        if let Err(error) = self.note_end(operation, id, bytes, user).await {
            tracing::debug!(%error, "an ended run was not counted");
        }
    }

    /// Records that a run has ended. If the process ends before this, the run still expires.
    async fn note_end(&self, operation: &'static str, id: &RunId, bytes: u64, user: &str) -> Result<()> {
        let bytes = bytes + super::OVERHEAD;
        let call = ENDED.with_keys(self.ended_keys()).arg(format!("{id} {bytes} {user}")).arg(bytes);
        self.backend.repeatable(operation, call).await
    }

    /// Deletes an ended run. Returns `missing`, `unfinished`, or `gone` and how it was recorded. The user, as in keys,
    /// determines where it was listed.
    pub(super) async fn forget(&self, operation: &'static str, place: &Place, user: &str) -> Result<String> {
        let call = place.call(&FORGET, "").arg(user).arg(super::OVERHEAD).arg(0).arg("");
        self.backend.repeatable(operation, call).await
    }

    /// Deletes all present runs of a user or of one session, ended or not, newest first, so that none of them begins
    /// meanwhile.
    pub(super) async fn forget_all(
        &self,
        operation: &'static str,
        user: &UserId,
        session: Option<&SessionId>,
    ) -> Result<u64> {
        let (keys, who) = (self.backend.keys(), encode(user.as_str()));
        let list = format!("{}runs:{who}", keys.of_tag(&tag(user)));
        let only = session.map(|session| format!("{who}:{}", encode(session.as_str()))).unwrap_or_default();
        let (mut before, mut count) = ("+inf".to_owned(), 0);
        loop {
            let mut range = cmd("ZREVRANGEBYSCORE");
            range.arg(&list).arg(&before).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0).arg(STEP);
            let members: Vec<(String, u64)> = self.backend.repeatable(operation, range).await?;
            let Some((_, last)) = members.last() else { return Ok(count) };
            before = format!("({last}");
            for id in members.into_iter().map(|(id, _)| RunId::new(id)) {
                let Some(place) = Place::of(keys, &id) else { continue };
                let call = place.call(&FORGET, "").arg(&who).arg(super::OVERHEAD).arg(1).arg(&only);
                let answer: String = self.backend.repeatable(operation, call).await?;
                if let ("gone", noted) = codec::words(&answer)
                    && !noted.is_empty()
                {
                    self.listening.wakeups.wake(&id);
                    self.strike(operation, &[format!("{id} {noted}")]).await?;
                    count += 1;
                }
            }
        }
    }

    /// Deletes ended runs beyond the retention; returns how many.
    pub(super) async fn forget_old(&self, operation: &'static str) -> Result<u64> {
        let mut count = 0;
        for (keys, age, are_whole) in [
            (self.ended_keys(), self.retention.age, true),
            // Trimmed runs are recorded with the time at which they expire.
            (self.trimmed_keys(), Duration::ZERO, false),
        ] {
            loop {
                let call = OLDEST.with_keys(keys.clone());
                let call = call.arg(millis(age)).arg(self.retention.bytes).arg(STEP);
                let members: Vec<String> = self.backend.repeatable(operation, call).await?;
                if members.is_empty() {
                    break;
                }
                for member in &members {
                    count += u64::from(self.forget_noted(operation, member, are_whole).await?);
                }
                self.strike_from(operation, keys.clone(), &members).await?;
            }
        }
        Ok(count)
    }

    /// Deletes a recorded ended run, or trims it; returns whether it was deleted.
    async fn forget_noted(&self, operation: &'static str, member: &str, is_whole: bool) -> Result<bool> {
        let mut words = member.split(' ');
        let id = RunId::new(words.next().unwrap_or_default());
        let user = words.nth(1).unwrap_or_default();
        let Some(place) = Place::of(self.backend.keys(), &id) else { return Ok(false) };
        if is_whole && self.trim(operation, &id, &place, user).await? {
            return Ok(false);
        }
        Ok(self.forget(operation, &place, user).await?.starts_with("gone"))
    }

    /// Trims the log of an ended run to its last entry if the run is to be kept longer; returns whether it is. If the
    /// process dies in the middle, the run stays among the complete ones, so that this is done again.
    async fn trim(&self, operation: &'static str, id: &RunId, place: &Place, user: &str) -> Result<bool> {
        let trimmed: Option<(String, u64)> =
            self.backend.repeatable(operation, place.call(&TRIM, "")).await?;
        let Some((until, bytes)) = trimmed else { return Ok(false) };
        let bytes = bytes + super::OVERHEAD;
        let call =
            ENDED.with_keys(self.trimmed_keys()).arg(format!("{id} {bytes} {user}")).arg(bytes).arg(until);
        self.backend.repeatable::<()>(operation, call).await?;
        Ok(true)
    }

    /// Removes deleted or trimmed runs from the count of ended runs.
    pub(super) async fn strike(&self, operation: &'static str, members: &[String]) -> Result<()> {
        self.strike_from(operation, self.ended_keys(), members).await?;
        self.strike_from(operation, self.trimmed_keys(), members).await
    }

    async fn strike_from(
        &self,
        operation: &'static str,
        keys: [String; 2],
        members: &[String],
    ) -> Result<()> {
        self.backend.repeatable(operation, SWEPT.with_keys(keys).arg(members)).await
    }
}
