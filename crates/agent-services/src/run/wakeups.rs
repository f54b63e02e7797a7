//! Wakes tasks of this process that wait for runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_schemas::RunId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::OwnerId;

/// Wakes readers of logs and owners of runs.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    readers: Mutex<HashMap<RunId, Arc<Notify>>>,
    /// The number of readers, so that runs without readers do not take the lock.
    count: AtomicUsize,
    owners: Mutex<HashMap<OwnerId, Arc<Signals>>>,
    /// Notified when a task starts to wait for something that no other task waits for.
    changed: Notify,
}

/// The signals that an owner has not received yet.
#[derive(Debug, Default)]
struct Signals {
    notifications: Mutex<Notifications>,
    told: Notify,
}

#[derive(Debug, Default)]
struct Notifications {
    runs: Vec<RunId>,
    /// Signals may have been missed, so the owner must check all of its runs.
    may_lack: bool,
}

impl Wakeups {
    /// Starts to wait for a run. Any change from now on wakes the waiter, so the caller can check the state afterwards.
    pub(crate) fn reader(&self, id: &RunId) -> Reader<'_> {
        let mut readers = self.readers.lock();
        self.count.fetch_add(1, Ordering::SeqCst);
        let notify = Arc::clone(readers.entry(id.clone()).or_insert_with(|| {
            self.changed.notify_one();
            Arc::default()
        }));
        let mut woken = Box::pin(Arc::clone(&notify).notified_owned());
        woken.as_mut().enable();
        Reader { wakeups: self, id: id.clone(), notify, woken }
    }

    /// Wakes the tasks that wait for a run.
    pub(crate) fn wake(&self, id: &RunId) {
        if self.count.load(Ordering::SeqCst) > 0
            && let Some(notify) = self.readers.lock().get(id)
        {
            notify.notify_waiters();
        }
    }

    /// Signals an owner that one of its runs has a request. No other owner receives it, and the owner need not listen
    /// yet.
    pub(crate) fn signal(&self, owner: &OwnerId, id: &RunId) {
        let signals = self.signals_of(owner);
        signals.notifications.lock().runs.push(id.clone());
        signals.told.notify_one();
    }

    /// Waits for signals to an owner; an empty list means that it must check all of its runs.
    pub(crate) async fn signals(&self, owner: &OwnerId) -> Vec<RunId> {
        let signals = self.signals_of(owner);
        loop {
            let Notifications { runs, may_lack } = std::mem::take(&mut *signals.notifications.lock());
            if may_lack {
                return Vec::new();
            }
            if !runs.is_empty() {
                return runs;
            }
            signals.told.notified().await;
        }
    }

    /// Removes an owner that has stopped.
    pub(crate) fn forget(&self, owner: &OwnerId) {
        self.owners.lock().remove(owner);
    }

    fn signals_of(&self, owner: &OwnerId) -> Arc<Signals> {
        Arc::clone(self.owners.lock().entry(owner.clone()).or_insert_with(|| {
            self.changed.notify_one();
            Arc::default()
        }))
    }
}

/// For stores that receive changes from other processes and may miss some.
#[cfg(feature = "redis")]
impl Wakeups {
    /// The runs and owners that tasks wait for.
    pub(crate) fn awaited(&self) -> (Vec<RunId>, Vec<OwnerId>) {
        let runs = self.readers.lock().keys().cloned().collect();
        (runs, self.owners.lock().keys().cloned().collect())
    }

    /// Waits until a task waits for something new.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Makes an owner check all of its runs, if it still listens.
    pub(crate) fn alarm(&self, owner: &OwnerId) {
        if let Some(signals) = self.owners.lock().get(owner) {
            signals.notifications.lock().may_lack = true;
            signals.told.notify_one();
        }
    }
}

/// A task that waits for a run.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    wakeups: &'a Wakeups,
    id: RunId,
    notify: Arc<Notify>,
    woken: std::pin::Pin<Box<OwnedNotified>>,
}

impl Reader<'_> {
    /// Resolves when something has changed since the wait began.
    pub(crate) async fn woken(&mut self) {
        self.woken.as_mut().await;
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut readers = self.wakeups.readers.lock();
        self.wakeups.count.fetch_sub(1, Ordering::SeqCst);
        // The map's, this one's, and that of the future in `woken`.
        if Arc::strong_count(&self.notify) <= 3 {
            readers.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wakeups__reader__is_woken_and_forgotten() {
        let wakeups = Wakeups::default();
        let (one, two) = (RunId::new("1"), RunId::new("2"));
        let mut first = wakeups.reader(&one);
        let mut second = wakeups.reader(&one);
        wakeups.wake(&two);
        wakeups.wake(&one);
        first.woken().await;
        second.woken().await;
        drop(first);
        assert_eq!(wakeups.readers.lock().len(), 1);
        drop(second);
        assert_eq!(wakeups.readers.lock().len(), 0);
    }

    #[tokio::test]
    async fn wakeups__signals__wait_for_their_owner() {
        let wakeups = Wakeups::default();
        let owner = OwnerId::new("owner");
        wakeups.signal(&owner, &RunId::new("1"));
        wakeups.signal(&owner, &RunId::new("2"));
        assert_eq!(wakeups.signals(&owner).await, [RunId::new("1"), RunId::new("2")]);
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn wakeups__alarm__makes_everyone_look() {
        let wakeups = Wakeups::default();
        let (run, owner) = (RunId::new("1"), OwnerId::new("owner"));
        wakeups.alarm(&owner);
        assert_eq!(wakeups.awaited(), (Vec::new(), Vec::new()));
        let mut reader = wakeups.reader(&run);
        wakeups.changed().await;
        wakeups.signal(&owner, &run);
        wakeups.changed().await;
        assert_eq!(wakeups.awaited(), (vec![run.clone()], vec![owner.clone()]));
        wakeups.alarm(&owner);
        wakeups.wake(&run);
        reader.woken().await;
        assert!(wakeups.signals(&owner).await.is_empty());
        wakeups.signal(&owner, &run);
        assert_eq!(wakeups.signals(&owner).await, [run]);
    }
}
