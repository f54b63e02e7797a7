//! Who waits for runs in this process, and for what.

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
    /// How many readers there are, so that runs which nobody waits for do not take the lock.
    count: AtomicUsize,
    owners: Mutex<HashMap<OwnerId, Arc<Signals>>>,
}

/// What an owner has not yet been told.
#[derive(Debug, Default)]
struct Signals {
    runs: Mutex<Vec<RunId>>,
    told: Notify,
}

impl Wakeups {
    /// Begins to wait for a run. What happens from now on wakes the waiter, so the caller looks first.
    pub(crate) fn reader(&self, id: &RunId) -> Reader<'_> {
        let mut readers = self.readers.lock();
        self.count.fetch_add(1, Ordering::SeqCst);
        let notify = Arc::clone(readers.entry(id.clone()).or_default());
        let mut woken = Box::pin(Arc::clone(&notify).notified_owned());
        woken.as_mut().enable();
        Reader { wakeups: self, id: id.clone(), notify, woken }
    }

    /// Wakes those who wait for a run.
    pub(crate) fn wake(&self, id: &RunId) {
        if self.count.load(Ordering::SeqCst) > 0
            && let Some(notify) = self.readers.lock().get(id)
        {
            notify.notify_waiters();
        }
    }

    /// Tells an owner that something was asked of a run; nobody else is told, and it need not listen yet.
    pub(crate) fn signal(&self, owner: &OwnerId, id: &RunId) {
        let signals = self.signals_of(owner);
        signals.runs.lock().push(id.clone());
        signals.told.notify_one();
    }

    /// Waits until there is something to tell an owner.
    pub(crate) async fn signals(&self, owner: &OwnerId) -> Vec<RunId> {
        let signals = self.signals_of(owner);
        loop {
            let runs = std::mem::take(&mut *signals.runs.lock());
            if !runs.is_empty() {
                return runs;
            }
            signals.told.notified().await;
        }
    }

    /// Forgets an owner that has gone.
    pub(crate) fn forget(&self, owner: &OwnerId) {
        self.owners.lock().remove(owner);
    }

    fn signals_of(&self, owner: &OwnerId) -> Arc<Signals> {
        Arc::clone(self.owners.lock().entry(owner.clone()).or_default())
    }
}

/// One that waits for a run.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    wakeups: &'a Wakeups,
    id: RunId,
    notify: Arc<Notify>,
    woken: std::pin::Pin<Box<OwnedNotified>>,
}

impl Reader<'_> {
    /// Resolves when something has happened since the waiting began.
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
    async fn readers_are_woken_and_forgotten() {
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
    async fn signals_wait_for_their_owner() {
        let wakeups = Wakeups::default();
        let owner = OwnerId::new("owner");
        wakeups.signal(&owner, &RunId::new("1"));
        wakeups.signal(&owner, &RunId::new("2"));
        assert_eq!(wakeups.signals(&owner).await, [RunId::new("1"), RunId::new("2")]);
    }
}
