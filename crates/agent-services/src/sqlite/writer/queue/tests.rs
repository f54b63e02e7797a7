//! When jobs are due, and which of them go into a commit.

use rusqlite::Connection;

use super::*;
use crate::sqlite::writer::job::Write;

#[test]
fn writers__several_at_once__are_counted_once_each() {
    let (mut writers, start) = (Writers::default(), Instant::now());
    for (writer, count) in [(1, 1), (1, 1), (2, 2), (1, 2), (3, 3), (4, BUSY)] {
        writers.note(writer, start);
        assert_eq!(writers.count(start), count, "{writer}");
    }
    assert_eq!(writers.count(start + WINDOW), 0, "they have become quiet");
}

fn job() -> Box<dyn Job> {
    let (reply, _) = tokio::sync::oneshot::channel();
    Box::new(Write { operation: "test", work: |_: &Connection| Ok(()), result: None, reply })
}

/// A queue whose writers are busy, right after a commit.
async fn busy_queue() -> Queue {
    let queue = Queue::default();
    for writer in 0..BUSY as u64 {
        assert!(queue.push(job(), Urgency::Soon { writer }).await.is_ok());
    }
    queue.state.lock().last_commit = Some(Instant::now() + Duration::from_secs(3600));
    queue
}

#[tokio::test]
async fn next__urgent_job__commits_all_at_once() {
    let queue = busy_queue().await;
    assert!(queue.push(job(), Urgency::Now).await.is_ok());
    assert!(queue.next().is_some(), "it does not wait for the hour to end");
    assert_eq!(queue.more(QUEUE).len(), BUSY);
    assert!(!queue.state.lock().is_due(), "nothing is left");
}

#[tokio::test]
async fn push__full_of_appends__has_places_for_urgent_jobs() {
    let queue = busy_queue().await;
    for writer in BUSY..QUEUE {
        assert!(queue.push(job(), Urgency::Soon { writer: writer as u64 }).await.is_ok());
    }
    assert!(queue.push(job(), Urgency::Now).await.is_ok());
    assert_eq!(queue.next().map(|due| due.jobs.len()), Some(1));
    assert!(queue.push(job(), Urgency::Now).await.is_ok());
    assert_eq!(queue.more(QUEUE).len(), 1 + TAKEN_ALONG, "it does not wait for all appends");
}

#[tokio::test]
async fn next__full_queue__commits_at_once() {
    let queue = busy_queue().await;
    for writer in BUSY..QUEUE {
        assert!(queue.push(job(), Urgency::Soon { writer: writer as u64 }).await.is_ok());
    }
    assert!(queue.next().is_some());
}

#[tokio::test]
async fn close__waiting_jobs__are_committed_first() {
    let queue = busy_queue().await;
    queue.close();
    assert!(queue.push(job(), Urgency::Now).await.is_err());
    let jobs = std::iter::from_fn(|| queue.next()).map(|due| due.jobs.len()).sum::<usize>();
    assert_eq!(jobs, BUSY);
}

#[tokio::test]
async fn next__several_writers__takes_all_when_due() {
    let queue = busy_queue().await;
    queue.state.lock().last_commit = Some(Instant::now());
    let due = queue.next().expect("jobs");
    assert_eq!((due.jobs.len(), due.is_complete), (BUSY, true));
}

#[test]
fn shared_commit__few_writers_or_late__is_none() {
    let now = Instant::now();
    let mut state = State { last_commit: Some(now), ..State::default() };
    (1..BUSY as u64).for_each(|writer| state.writers.note(writer, now));
    assert_eq!(state.shared_commit(now), None, "few writers wait for nobody");
    state.writers.note(BUSY as u64, now);
    assert_eq!(state.shared_commit(now), Some(now + WINDOW));
    assert_eq!(state.shared_commit(now + WINDOW), None, "it is due");
}
