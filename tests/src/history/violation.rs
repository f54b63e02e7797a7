//! What a history may show that should not have happened.

use super::{EventId, Moment, Place};

/// Something that should not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the runs, events and sessions that the sentences speak of")]
pub enum Violation {
    /// A reader or a log misses events.
    Gap { run: String, after: Option<EventId>, found: EventId },
    /// An event came twice.
    Repeated { run: String, event: EventId },
    /// An event came after one with a greater number, or an epoch after a later one.
    Reordered { run: String, after: EventId, found: EventId },
    /// An event says another number than its id.
    Misnumbered { run: String, event: EventId },
    /// A log has no event that says how the run ended.
    NoEnd { run: String },
    /// A log has more than one of them.
    ManyEnds { run: String, count: usize },
    /// A log continues after its end.
    AfterEnd { run: String, event: EventId },
    /// What is known of a run does not fit its log.
    NotAsLogged { run: String, what: &'static str, known: String, logged: String },
    /// The log in pages differs from the log as a stream.
    PagesDiffer { run: String, number: u64 },
    /// A client has seen an event that the log does not have.
    Vanished { run: String, event: EventId },
    /// A client has seen a different event from the one in the log.
    Changed { run: String, event: EventId },
    /// A client that had read something was told that there is no such event, or no such run.
    Refused { run: String, from: Place, status: u16 },
    /// A client has read or was given a run that the store does not list.
    Unknown { run: String },
    /// A run ended otherwise although a client was told that it is asked to stop.
    NotCanceled { run: String, status: String },
    /// A run is there although a client was told that it is deleted.
    NotDeleted { run: String },
    /// A run's status went back.
    Revived { run: String, from: String, to: String },
    /// An agent's word went into the log behind a later one: who wrote it had lost the run by then.
    LateWrite { run: String, number: u64, mark: Moment },
    /// Two runs of a session were in progress at once.
    TwoAtOnce { session: String, runs: [String; 2], at: Moment },
    /// A run began before one that had waited longer.
    OutOfTurn { session: String, first: String, waited_longer: String },
    /// A run that was to interrupt began after one that had waited already.
    NotNext { session: String, interrupting: String, first: String },
    /// Requests with the same key and the same body are different runs.
    TwoRuns { key: String, runs: [String; 2] },
    /// Requests with the same key and different bodies were both taken.
    KeyShared { key: String },
    /// A key was refused that no other request had.
    KeyRefused { key: String },
    /// Two runs answer the same request.
    AnsweredTwice { tag: String, runs: [String; 2] },
    /// A run was completed without an answer to its request.
    Unanswered { tag: String, run: String },
    /// Input handed to a run was lost.
    Dropped { tag: String },
    /// A session remembers that the same was said twice.
    SaidTwice { session: String, tag: String },
    /// A session does not remember what a completed run had answered.
    Forgotten { session: String, tag: String },
    /// A session remembers in another order than it was answered.
    SaidOutOfOrder { session: String, first: String, second: String },
}
