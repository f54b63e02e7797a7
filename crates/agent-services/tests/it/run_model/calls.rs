//! The random calls.

use agent_schemas::Status;
use agent_services::run::SessionPolicy;
use proptest::collection::vec;
use proptest::prelude::*;

pub(super) const USERS: [&str; 2] = ["u", "u\0"];
pub(super) const SESSIONS: [&str; 2] = ["s", ""];

/// Which of the entries that continue a log, or do not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The next ones.
    Next(u64),
    /// A batch that was written before, exactly.
    Again(usize),
    /// As many as a batch that was written before, with another text.
    Other(usize),
    /// The last one and the next.
    Overlap,
    /// The one after the next.
    Gap,
}

/// What is asked; a run is one of those that were to be made, counted from the last.
#[derive(Clone, Debug)]
pub(super) enum Use {
    Create {
        place: (usize, usize),
        policy: SessionPolicy,
        bound: usize,
        key: Option<(u8, u8, bool)>,
        owner: u8,
        first: u64,
        kept_for: u64,
    },
    CreateAgain(usize, SessionPolicy),
    Append(usize, Part, Age),
    Close(usize, Part, Age, bool),
    Finish(usize, Part, Age, (bool, bool), Option<u8>),
    Read(usize, u64, usize),
    Get(usize),
    List(usize, Option<usize>, Option<Status>, usize),
    Cancel(usize, Part),
    Steered(usize),
    DropSteered(usize, Vec<usize>, Age),
    Heartbeat(u8),
    Retire(u8),
    Orphans,
    TakeOver(usize, u8),
    Attend(usize),
    Delete(usize),
    DeleteSession(usize, usize),
    DeleteUser(usize),
}

/// How many tokens of a run are newer than the one that is used.
pub(super) type Age = usize;

fn run() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..4_usize, 2 => 0..40_usize]
}

fn age() -> impl Strategy<Value = Age> {
    prop_oneof![9 => Just(0), 1 => 1..3_usize]
}

fn owner() -> impl Strategy<Value = u8> {
    0..3_u8
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        8 => (0..4_u64).prop_map(Part::Next),
        3 => (0..4_usize).prop_map(Part::Again),
        1 => (0..4_usize).prop_map(Part::Other),
        1 => Just(Part::Overlap),
        1 => Just(Part::Gap),
    ]
}

fn policy() -> impl Strategy<Value = SessionPolicy> {
    prop_oneof![
        5 => Just(SessionPolicy::Enqueue),
        1 => Just(SessionPolicy::Reject),
        2 => Just(SessionPolicy::Interrupt),
        3 => Just(SessionPolicy::Steer),
        1 => Just(SessionPolicy::Concurrent),
    ]
}

/// Mostly the first session of the first user, so that its queue gets long.
fn place() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![6 => Just((0, 0)), 2 => (0..2_usize, 0..2_usize)]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Queued), Just(Status::InProgress), Just(Status::Completed), Just(Status::Failed)]
}

pub(super) fn usage() -> impl Strategy<Value = Use> {
    let key = || proptest::option::weighted(0.3, (0..3_u8, 0..2_u8, proptest::bool::weighted(0.2)));
    let bound = || prop_oneof![1 => 0..3_usize, 3 => Just(16)];
    let kept_for = prop_oneof![Just(0), Just(60 * 60)];
    let create = (place(), policy(), bound(), key(), owner(), 0..3_u64, kept_for).prop_map(
        |(place, policy, bound, key, owner, first, kept_for)| Use::Create {
            place,
            policy,
            bound,
            key,
            owner,
            first,
            kept_for,
        },
    );
    let list = (0..2_usize, proptest::option::of(0..2_usize), proptest::option::of(status()), 1..9_usize);
    let next = || proptest::option::weighted(0.7, owner());
    prop_oneof![
        16 => create,
        1 => (run(), policy()).prop_map(|(run, policy)| Use::CreateAgain(run, policy)),
        8 => (run(), part(), age()).prop_map(|(run, part, age)| Use::Append(run, part, age)),
        3 => (run(), part(), age(), any::<bool>())
            .prop_map(|(run, part, age, is_seen)| Use::Close(run, part, age, is_seen)),
        10 => (run(), part(), age(), any::<(bool, bool)>(), next())
            .prop_map(|(run, part, age, how, next)| Use::Finish(run, part, age, how, next)),
        2 => (run(), 0..12_u64, 0..300_usize).prop_map(|(run, from, bytes)| Use::Read(run, from, bytes)),
        2 => run().prop_map(Use::Get),
        2 => list.prop_map(|(user, session, status, size)| Use::List(user, session, status, size)),
        4 => (run(), part()).prop_map(|(run, part)| Use::Cancel(run, part)),
        2 => run().prop_map(Use::Steered),
        2 => (run(), vec(run(), 0..4), age()).prop_map(|(run, taken, age)| Use::DropSteered(run, taken, age)),
        4 => owner().prop_map(Use::Heartbeat),
        1 => owner().prop_map(Use::Retire),
        2 => Just(Use::Orphans),
        6 => (run(), owner()).prop_map(|(run, owner)| Use::TakeOver(run, owner)),
        1 => run().prop_map(Use::Attend),
        2 => run().prop_map(Use::Delete),
        1 => (0..2_usize, 0..2_usize).prop_map(|(user, session)| Use::DeleteSession(user, session)),
        1 => (0..2_usize).prop_map(Use::DeleteUser),
    ]
}
