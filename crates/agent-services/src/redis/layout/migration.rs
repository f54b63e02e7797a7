//! The migration from layout 1 to layout 2, in which keys have a tenant.
//!
//! Each key is only renamed within its slot, so nothing is copied, and Redis continues to serve other programs. A
//! server that ends during the migration leaves a mark; the next one that starts resumes it.
//!
//! 1. One server at a time migrates. The others wait until it is done, or until its lock expires.
//! 2. It waits until no server of layout 1 has a lease, and fails if one keeps renewing its lease.
//! 3. The data is marked as layout 2 and in migration: from here on, no server of layout 1 starts.
//! 4. Servers of layout 1 that were paused are locked out: the keys where they keep leases and register runs now have
//!    another type, so they neither execute nor create runs.
//! 5. All keys are renamed, until none is left. Then the mark is removed.

use std::collections::HashMap;
use std::time::Duration;

use ::redis::cmd;
use agent_schemas::IdSource;

use super::super::client::{RedisClient, Repeat};
use super::super::keys::LAYOUT;
use super::super::script::script;
use super::Layout;
use crate::clock::SystemIds;
use crate::retry::Backoff;
use crate::{Error, ErrorKind, Result};

script!(LOCK, "layout/lock.lua");
script!(UNLOCK, "layout/unlock.lua");
script!(FENCE, "layout/fence.lua");
script!(TAGS, "layout/tags.lua");
script!(RENAME, "layout/rename.lua");

/// The layout that is migrated.
pub(super) const FROM: u64 = 1;

/// How long the lock of a server that has ended delays the others, in milliseconds. Every step renews it.
const LOCK_MS: u64 = 20_000;

/// Roughly how many keys a step scans.
const STEP: usize = 1000;

/// How many keys are renamed at once. More would delay other programs.
const AT_ONCE: usize = 100;

/// The first and the longest delay before checking the progress of other servers.
const DELAYS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The migration, as seen by the server that does it.
struct Migration<'a> {
    client: &'a RedisClient,
    operation: &'static str,
    /// Identifies the holder of the lock.
    name: String,
}

impl RedisClient {
    /// Migrates the data to this program's layout, or waits until another server has done so.
    pub(super) async fn migrate(&self, operation: &'static str) -> Result<()> {
        let migration = Migration { client: self, operation, name: SystemIds.uuid() };
        let mut backoff = Backoff::new(DELAYS.0, DELAYS.1);
        let mut is_first = true;
        while !migration.lock().await? {
            if std::mem::take(&mut is_first) {
                tracing::info!(
                    "waiting for another server, which is migrating the data in Redis to layout {LAYOUT}"
                );
            }
            backoff.wait().await;
            if self.layout(operation).await? == Layout::Current {
                return Ok(());
            }
        }
        let done = migration.run().await;
        // If this fails, the lock expires by itself.
        let unlock = UNLOCK.with_keys([self.keys().lock()]).arg(&migration.name);
        let _ = self.ask::<u64>(operation, unlock, Repeat::Safe).await;
        done
    }
}

impl Migration<'_> {
    async fn run(&self) -> Result<()> {
        // Another server may just have migrated the data.
        if self.client.layout(self.operation).await? == Layout::Current {
            return Ok(());
        }
        let keys = self.client.keys();
        self.await_old_owners().await?;
        tracing::info!("migrating the data in Redis from layout {FROM} to layout {LAYOUT}");
        self.command(cmd("SET").arg(keys.migration()).arg(FROM)).await?;
        self.command(cmd("SET").arg(keys.layout()).arg(LAYOUT)).await?;
        if let Some((owner, _)) = self.old_owners(true).await?.into_iter().next() {
            // An old server began in the meantime. Nothing has been renamed yet, so nothing has changed.
            self.keep_lock().await?;
            self.command(cmd("SET").arg(keys.layout()).arg(FROM)).await?;
            self.command(cmd("DEL").arg(keys.migration())).await?;
            return Err(self.in_use(&owner));
        }
        self.move_tags().await?;
        let mut total = 0;
        loop {
            let (renamed, taken) = self.rename_all().await?;
            total += renamed;
            // A slot of a cluster may have moved to a node that was already scanned.
            if renamed > 0 && self.client.servers().is_cluster() {
                continue;
            }
            if taken > 0 {
                tracing::warn!(
                    keys = taken,
                    "could not rename some keys of layout {FROM}, because their new names are taken"
                );
            }
            break;
        }
        self.command(cmd("DEL").arg(keys.migration())).await?;
        tracing::info!(keys = total, "the data in Redis now has layout {LAYOUT}");
        Ok(())
    }

    /// Waits for the end of the leases that servers of the old layout left behind.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if one of them renews its lease.
    async fn await_old_owners(&self) -> Result<()> {
        let mut seen: HashMap<String, f64> = HashMap::new();
        let mut backoff = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            let living = self.old_owners(false).await?;
            for (owner, until) in &living {
                if seen.get(owner).is_some_and(|seen| seen < until) {
                    return Err(self.in_use(owner));
                }
            }
            if living.is_empty() {
                return Ok(());
            }
            if seen.is_empty() {
                tracing::info!("waiting until the leases of servers of an older version have expired");
            }
            seen.extend(living);
            self.keep_lock().await?;
            backoff.wait().await;
        }
    }

    /// The live servers of the old layout, each with the end of its lease. With `lock_out`, if there are none, also
    /// prevents any from becoming live again.
    async fn old_owners(&self, lock_out: bool) -> Result<Vec<(String, f64)>> {
        let key = self.client.keys().of_layout(FROM, "owners");
        let call = FENCE.with_keys([key]).arg(u64::from(lock_out));
        self.client.ask(self.operation, call, Repeat::Safe).await
    }

    fn in_use(&self, owner: &str) -> Error {
        let message = format!(
            "an older version of agent-server ({owner}) is still using the data in Redis, which this version migrates \
             to a new layout: stop all servers of the older version first"
        );
        Error::new(ErrorKind::Conflict, self.operation, message)
    }

    /// The tags. Their key has no hash tag, so a cluster cannot rename it.
    async fn move_tags(&self) -> Result<()> {
        let keys = self.client.keys();
        let call = TAGS.with_keys([keys.of_layout(FROM, "run-tags")]);
        let tags: String = self.client.ask(self.operation, call, Repeat::Safe).await?;
        let tags: Vec<&str> = tags.split(' ').filter(|tag| !tag.is_empty()).collect();
        for tags in tags.chunks(STEP) {
            let mut add = cmd("ZADD");
            add.arg(keys.run_tags()).arg("NX");
            for tag in tags {
                add.arg(0).arg(*tag);
            }
            self.command(&add).await?;
        }
        Ok(())
    }

    /// Scans every key once; returns how many were renamed, and how many could not be because the new names are taken.
    async fn rename_all(&self) -> Result<(u64, u64)> {
        let old = self.client.keys().of_layout(FROM, "");
        let (mut renamed, mut taken) = (0, 0);
        for node in self.client.masters(self.operation).await? {
            let mut cursor = 0_u64;
            loop {
                let mut scan = cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(format!("{old}{{*")).arg("COUNT").arg(STEP);
                let (next, names): (u64, Vec<String>) =
                    self.client.ask_master(self.operation, &node, scan).await?;
                for (done, left) in self.rename(&old, &names).await? {
                    (renamed, taken) = (renamed + done, taken + left);
                }
                self.keep_lock().await?;
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        Ok((renamed, taken))
    }

    /// Renames some keys in several steps; returns the result of each.
    async fn rename(&self, old: &str, names: &[String]) -> Result<Vec<(u64, u64)>> {
        let new = self.client.keys().of_tenant();
        // A script may access only one slot of a cluster.
        let mut slots: HashMap<&str, Vec<&String>> = HashMap::new();
        for name in names {
            let tag = if self.client.servers().is_cluster() { hash_tag(name) } else { "" };
            slots.entry(tag).or_default().push(name);
        }
        let mut steps = Vec::new();
        for names in slots.values().flat_map(|names| names.chunks(AT_ONCE)) {
            let renaming = names.iter().flat_map(|name| {
                let rest = name.strip_prefix(old).unwrap_or(name);
                [(*name).clone(), format!("{new}{rest}")]
            });
            let call = RENAME.with_keys(renaming);
            steps.push(self.client.ask(self.operation, call, Repeat::Safe).await?);
        }
        Ok(steps)
    }

    async fn lock(&self) -> Result<bool> {
        let call = LOCK.with_keys([self.client.keys().lock()]).arg(&self.name).arg(LOCK_MS);
        self.client.ask(self.operation, call, Repeat::Safe).await
    }

    async fn keep_lock(&self) -> Result<()> {
        if self.lock().await? {
            return Ok(());
        }
        let message = "another server has taken over the migration of the data in Redis";
        Err(Error::new(ErrorKind::Unavailable, self.operation, message))
    }

    async fn command(&self, command: &::redis::Cmd) -> Result<()> {
        self.client.ask::<::redis::Value>(self.operation, command.clone(), Repeat::Safe).await.map(drop)
    }
}

/// The part of a key that determines its slot.
fn hash_tag(key: &str) -> &str {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    tag.map_or(key, |(tag, _)| tag)
}
