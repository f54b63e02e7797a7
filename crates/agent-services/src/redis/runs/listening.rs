//! The subscription to changes of runs: one connection per store, opened when the first reader waits.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{FromRedisValue, PushInfo, PushKind, RedisResult, cmd};
use agent_schemas::RunId;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::redis::client::RedisClient;
use crate::retry::Backoff;
use crate::run::OwnerId;
use crate::run::wakeups::Wakeups;

/// How often the connection is tested, and unused subscriptions are ended.
const ROUND: Duration = Duration::from_secs(5);

/// The first and the longest delay before another connection is made.
const DELAYS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Listens while there are waiting readers.
#[derive(Debug)]
pub(super) struct Listening {
    client: RedisClient,
    pub(super) wakeups: Arc<Wakeups>,
    present: Mutex<Option<(Arc<Listener>, DropGuard)>>,
}

/// The state of the listening task.
#[derive(Debug)]
pub(super) struct Listener {
    /// The active subscriptions.
    heard: watch::Sender<HashSet<String>>,
    ended: CancellationToken,
    tasks: TaskTracker,
}

impl Listening {
    pub(super) fn new(client: RedisClient) -> Self {
        Listening { client, wakeups: Arc::default(), present: Mutex::default() }
    }

    /// The current listener; starts one if there is none.
    pub(super) fn listener(&self) -> Arc<Listener> {
        let mut present = self.present.lock();
        if let Some((listener, _)) = &*present {
            return Arc::clone(listener);
        }
        let listener = Arc::new(Listener {
            heard: watch::Sender::default(),
            ended: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let (client, wakeups, own) = (self.client.clone(), Arc::clone(&self.wakeups), Arc::clone(&listener));
        listener.tasks.spawn(async move {
            let ended = own.ended.clone();
            ended.run_until_cancelled(own.run(&client, &wakeups)).await;
        });
        *present = Some((Arc::clone(&listener), listener.ended.clone().drop_guard()));
        listener
    }

    /// Ends the listener and everything that waits for it.
    pub(super) async fn stop(&self) {
        let present = self.present.lock().take();
        if let Some((listener, guard)) = present {
            drop(guard);
            listener.tasks.close();
            listener.tasks.wait().await;
        }
    }
}

/// The channel of a run.
pub(super) fn run_channel(root: &str, id: &RunId) -> String {
    format!("{root}run:{id}")
}

fn owner_channel(root: &str, owner: &OwnerId) -> String {
    format!("{root}owner:{owner}")
}

impl Listener {
    /// Whether a subscription is active.
    pub(super) fn hears(&self, channel: &str) -> bool {
        self.heard.borrow().contains(channel)
    }

    /// Waits until a subscription is active.
    pub(super) async fn hearing(&self, channel: &str) {
        // This value owns the sender, so the sender does not end first.
        let _ = self.heard.subscribe().wait_for(|heard| heard.contains(channel)).await;
    }

    /// Waits for a future, but only as long as the listener runs; `None` if it has ended.
    pub(super) async fn while_listening<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        self.ended.run_until_cancelled(wait).await
    }

    /// Listens over one connection after another.
    async fn run(&self, client: &RedisClient, wakeups: &Arc<Wakeups>) {
        let mut backoff = Backoff::new(DELAYS.0, DELAYS.1);
        loop {
            let start = Instant::now();
            if let Err(error) = self.listen(client, wakeups).await {
                tracing::debug!(%error, "lost the subscription to Redis");
            }
            // A connection that lasted for a while broke by accident, and is replaced at once.
            if start.elapsed() > DELAYS.1 {
                backoff.reset();
            }
            backoff.wait().await;
        }
    }

    /// Listens over one connection until it breaks.
    async fn listen(&self, client: &RedisClient, wakeups: &Arc<Wakeups>) -> RedisResult<()> {
        let root = client.keys().root();
        let lost = Arc::new(Notify::new());
        let take = {
            let (lost, wakeups, root) = (Arc::clone(&lost), Arc::clone(wakeups), root.clone());
            move |push: PushInfo| match push.kind {
                PushKind::Disconnection => lost.notify_one(),
                PushKind::Message => tell(&wakeups, &root, push),
                _ => {}
            }
        };
        self.heard.send_replace(HashSet::new());
        let mut connection = client.listen(take).await?;
        let mut superfluous = HashSet::new();
        loop {
            let (runs, owners) = wakeups.awaited();
            let owners = owners.into_iter().map(|owner| (owner_channel(&root, &owner), owner));
            let runs: Vec<(String, RunId)> =
                runs.into_iter().map(|run| (run_channel(&root, &run), run)).collect();
            let owners: Vec<(String, OwnerId)> = owners.collect();
            let wanted =
                || runs.iter().map(|(channel, _)| channel).chain(owners.iter().map(|(channel, _)| channel));
            let more: Vec<String> = wanted().filter(|channel| !self.hears(channel)).cloned().collect();
            if !more.is_empty() {
                connection.subscribe(&more).await?;
                // Earlier messages are lost: waiting readers look again, and readers that look from now on miss
                // nothing.
                let new = runs.iter().filter(|(channel, _)| more.contains(channel));
                new.for_each(|(_, run)| wakeups.wake(run));
                let new = owners.iter().filter(|(channel, _)| more.contains(channel));
                new.for_each(|(_, owner)| wakeups.alarm(owner));
                self.heard.send_modify(|heard| heard.extend(more));
            }
            let changed = async {
                tokio::select! {
                    () = wakeups.changed() => true,
                    () = lost.notified() => false,
                }
            };
            match timeout(ROUND, changed).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(_) => {
                    // A reader usually returns for more at once, so only subscriptions unused for a while are ended.
                    let wanted: HashSet<String> = wanted().cloned().collect();
                    superfluous.retain(|channel| !wanted.contains(channel));
                    if !superfluous.is_empty() {
                        let gone: Vec<String> = superfluous.drain().collect();
                        self.heard.send_modify(|heard| heard.retain(|channel| !gone.contains(channel)));
                        connection.unsubscribe(&gone).await?;
                    }
                    superfluous.extend(self.heard.borrow().difference(&wanted).cloned());
                    let () = cmd("PING").exec_async(&mut connection).await?;
                }
            }
        }
    }
}

/// Forwards published messages.
fn tell(wakeups: &Wakeups, root: &str, push: PushInfo) {
    let Ok([channel, message]) = <[String; 2]>::try_from(
        push.data.into_iter().filter_map(|value| String::from_redis_value(value).ok()).collect::<Vec<_>>(),
    ) else {
        return;
    };
    let Some(name) = channel.strip_prefix(root) else { return };
    if let Some(run) = name.strip_prefix("run:") {
        wakeups.wake(&RunId::new(run));
    } else if let Some(owner) = name.strip_prefix("owner:") {
        wakeups.signal(&OwnerId::new(owner), &RunId::new(message));
    }
}
