//! The violations that a history may show.

use super::{EventId, Moment, Place};

/// A violation of a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the runs, events and sessions that the sentences mention")]
pub enum Violation {
    /// A reader or a log misses events.
    Gap { run: String, after: Option<EventId>, found: EventId },
    /// An event came twice.
    Repeated { run: String, event: EventId },
    /// An event came after one with a greater number, or an epoch after a later one.
    Reordered { run: String, after: EventId, found: EventId },
    /// An event contains another number than its id.
    Misnumbered { run: String, event: EventId },
    /// A log has no final event.
    NoEnd { run: String },
    /// A log has several final events.
    ManyEnds { run: String, count: usize },
    /// A log continues after its end.
    AfterEnd { run: String, event: EventId },
    /// Something known about a run does not agree with its log.
    NotAsLogged { run: String, what: &'static str, known: String, logged: String },
    /// The log in pages differs from the log as a stream.
    PagesDiffer { run: String, number: u64 },
    /// A client has seen an event that the log does not have.
    Vanished { run: String, event: EventId },
    /// A client has seen a different event from the one in the log.
    Changed { run: String, event: EventId },
    /// A client that resumed after an event was told that there is no such event, or no such run.
    Refused { run: String, from: Place, status: u16 },
    /// A client has read or received a run that the store does not list.
    Unknown { run: String },
    /// A run was not canceled although its cancellation was acknowledged.
    NotCanceled { run: String, status: String },
    /// A run exists although its deletion was acknowledged.
    NotDeleted { run: String },
    /// A run's status went back.
    Revived { run: String, from: String, to: String },
    /// An agent's word is in the log after a later one: its writer had lost the run by then.
    LateWrite { run: String, number: u64, mark: Moment },
    /// Two runs of a session were in progress at once.
    TwoAtOnce { session: String, runs: [String; 2], at: Moment },
    /// A run began before one that had waited longer.
    OutOfTurn { session: String, first: String, waited_longer: String },
    /// An interrupting run began after one that was already queued.
    NotNext { session: String, interrupting: String, first: String },
    /// Requests with the same key and the same body started different runs.
    TwoRuns { key: String, runs: [String; 2] },
    /// Requests with the same key and different bodies were both accepted.
    KeyShared { key: String },
    /// A key was rejected although no other request had used it.
    KeyRefused { key: String },
    /// Two runs answer the same request.
    AnsweredTwice { tag: String, runs: [String; 2] },
    /// A run was completed without an answer to its request.
    Unanswered { tag: String, run: String },
    /// Input handed to a run was lost.
    Dropped { tag: String },
    /// A session's history contains the same turn twice.
    SaidTwice { session: String, tag: String },
    /// A session's history lacks the turn of a completed run.
    Forgotten { session: String, tag: String },
    /// A session's history is not in the order of the turns.
    SaidOutOfOrder { session: String, first: String, second: String },
}
