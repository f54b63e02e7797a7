//! The contract of [`RunStore`], line by line.
//!
//! A broken promise panics, like a test's assertion. No test sleeps: an owner releases its lease, never has one, or creates
//! one of length 0. A backend's own clock may count whole seconds.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

mod deletion;
mod listing;
mod log;
mod owners;
mod steps;
mod turns;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use agent_schemas::{AgentRequest, RunId, Status, sse};

pub use self::deletion::*;
pub use self::listing::*;
pub use self::log::*;
pub use self::owners::*;
pub use self::steps::*;
pub use self::turns::*;
use super::{session, user};
use crate::ErrorKind;
use crate::clock::SystemIds;
use crate::page::PageSize;
use crate::run::{
    Batch, Created, FencingToken, FinishRun, Grant, IdempotencyKey, NewRun, OwnerId, Retention, RunFilter,
    RunRecord, RunStore, SessionPolicy, fresh_id,
};

/// Creates one test per line of the contract, for the store that an async expression returns. The second expression is
/// a closure that creates a store with another retention.
#[macro_export]
macro_rules! run_store_conformance {
    ($make:expr, $make_with_retention:expr) => {
        $crate::conformance_tests!(run_store, $make;
            runs_live_and_end create_is_exclusive unreadable_requests_are_refused append_keeps_order repeated_append_is_acknowledged
            overlaps_and_gaps_conflict stale_tokens_conflict finish_ends_the_log finish_repeats_without_entries
            history_needs_a_database
            read_from_any_position chains_are_read_from_their_end absence_is_not_an_error delete_forgets seal_keeps_the_ending
            enqueued_runs_wait_in_order full_queues_refuse queues_of_large_requests_refuse
            rejected_runs_are_not_made interrupting_runs_go_first beside_takes_no_turn finish_hands_on without_next_the_queue_waits steered_runs_are_handed_over
            steering_nothing_starts_or_waits keys_make_runs_once keys_of_handed_runs_lead_to_the_other
            racing_creates_with_one_key_make_one_run cancel_asks_a_run_to_stop cancel_takes_out_of_the_queue
            cancel_changes_nothing_of_the_ended cancel_wakes_readers_of_a_waiting_run
            delete_session_forgets_ended_runs delete_session_locks_out_owners
            delete_user_forgets_all_runs wait_resolves signals_reach_the_owner leases_keep_runs
            a_requested_stop_is_not_overlooked what_is_sealed_is_not_cancelled takers_need_a_lease owners_may_come_back
            take_over_locks_out own_runs_may_be_taken_again one_of_many_takes_over lists_are_stable
            lists_are_filtered readers_are_counted users_of_runs_never_meet long_ids_of_runs_are_refused
            many_creators_take_turns a_restart_forgets_no_run steps_are_kept_by_their_keys steps_outlive_their_owner
            one_of_many_claims_a_step);

        $crate::conformance_tests!(run_store, $make_with_retention($crate::conformance::run_store::SWEPT);
            sweep_forgets);
        $crate::conformance_tests!(run_store, $make_with_retention($crate::conformance::run_store::TRIMMED);
            sweep_trims);
    };
}

/// The retention for [`sweep_forgets`]: hardly anything is kept.
pub const SWEPT: Retention = Retention { age: Duration::from_secs(60 * 60), bytes: 1 };

/// The retention for [`sweep_trims`]: long logs are trimmed, and the trimmed runs are kept.
pub const TRIMMED: Retention = Retention { age: Duration::from_secs(60 * 60), bytes: 16 << 10 };

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60 * 60);

/// The shortest lease that can be renewed in time if a store counts whole seconds.
const SHORT: Duration = Duration::from_secs(2);

fn owner(id: &str) -> OwnerId {
    OwnerId::new(id)
}

fn size(items: usize) -> PageSize {
    PageSize::new(items).expect("a size")
}

fn kind<T>(result: crate::Result<T>) -> Result<T, ErrorKind> {
    result.map_err(|error| error.kind())
}

/// A run that has not been created yet, of the owner `owner`, with an empty log.
fn new_run(u: &str, s: &str) -> NewRun {
    let request = Arc::new(AgentRequest::new(Vec::new()));
    let id = fresh_id(&SystemIds, &user(u));
    let record = RunRecord::new(id, user(u), session(s), "agent", 7, request);
    NewRun::new(record, Batch::empty(0), owner("owner"))
}

fn keyed(key: &str, fingerprint: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey::new(key, fingerprint))
}

async fn create(store: &dyn RunStore, run: NewRun) -> (RunId, Created) {
    let id = run.record.id.clone();
    (id, store.create(run).await.expect("a store answers"))
}

/// A run that has its session.
async fn start(store: &dyn RunStore, u: &str, s: &str) -> (RunId, FencingToken) {
    match create(store, new_run(u, s)).await {
        (id, Created::Started(token)) => (id, token),
        (_, other) => panic!("a free session starts a run: {other:?}"),
    }
}

/// A run that is queued behind this many others.
async fn queue(store: &dyn RunStore, policy: SessionPolicy, behind: u64) -> RunId {
    let (id, created) = create(store, new_run("u", "s").with_policy(policy)).await;
    assert_eq!(created, Created::Queued { ahead: behind });
    id
}

/// A run that was handed to another.
async fn steer(store: &dyn RunStore, to: &RunId) -> RunId {
    let (id, created) = create(store, new_run("u", "s").with_policy(SessionPolicy::Steer)).await;
    assert_eq!(created, Created::Steered(to.clone()));
    id
}

async fn get(store: &dyn RunStore, id: &RunId) -> RunRecord {
    store.get(id).await.expect("readable").expect("the run is there")
}

async fn status(store: &dyn RunStore, id: &RunId) -> Status {
    get(store, id).await.status
}

/// Ends a log with these entries, and hands the session to `next`.
async fn end(
    store: &dyn RunStore,
    (id, token): (&RunId, FencingToken),
    last: Batch,
    status: Status,
    next: Option<&OwnerId>,
) -> Result<Option<Grant>, ErrorKind> {
    let run = FinishRun::new(id.clone(), token, last, status).with_next(next.cloned());
    let finished = store.finish(run).await.map_err(|error| error.kind())?;
    Ok(finished.granted)
}

/// Ends a log with the next entry, whether or not the run was asked to stop, and hands the session to `owner`.
async fn finish(store: &dyn RunStore, id: &RunId, token: FencingToken) -> Option<Grant> {
    let last = batch(get(store, id).await.entries, 1);
    let run = FinishRun::new(id.clone(), token, last, Status::Completed).with_next(Some(owner("owner")));
    let finished = store.finish(run.with_cancel_seen(true)).await.expect("finished");
    finished.granted
}

/// Ends runs, each of which has to hand the session to the next one.
async fn finish_in_order(store: &dyn RunStore, first: (&RunId, FencingToken), then: &[&RunId]) {
    let (mut id, mut token) = (first.0.clone(), first.1);
    for expected in then {
        let grant = finish(store, &id, token).await.expect("somebody waits");
        assert_eq!(grant.id, **expected);
        (id, token) = (grant.id, grant.token);
    }
    assert_eq!(finish(store, &id, token).await, None, "no run is queued");
}

async fn listed(store: &dyn RunStore, u: &str, filter: &RunFilter, items: usize) -> Vec<RunId> {
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = store.list(&user(u), filter, after, size(items)).await.expect("listed");
        assert!(page.items.len() <= items);
        assert!(page.items.iter().all(|record| record.user_id == user(u) && filter.matches(record)));
        found.extend(page.items.into_iter().map(|record| record.id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

async fn is_orphan(store: &dyn RunStore, id: &RunId) -> bool {
    store.orphans(size(1000)).await.expect("orphans are found").contains(id)
}

/// Entries `first..first + count`, each with its number as its JSON.
fn batch(first: u64, count: u64) -> Batch {
    let mut frames = Vec::new();
    for number in first..first + count {
        sse::start_frame(&mut frames, number);
        sse::write_number(&mut frames, number);
        sse::end_frame(&mut frames);
    }
    Batch { first, count, frames: frames.into() }
}

/// Starts to wait, then acts, then waits to the end, so that the event certainly happens during the wait.
async fn while_waiting<T>(waiting: impl Future<Output = T>, action: impl Future<Output = ()>) -> T {
    let mut waiting = pin!(waiting);
    let early = poll_fn(|context| {
        Poll::Ready(match waiting.as_mut().poll(context) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        })
    })
    .await;
    action.await;
    match early {
        Some(result) => result,
        None => waiting.await,
    }
}
