//! What a run in progress knows of its journal.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::Reservation;

pub(crate) use self::entry::{Entry, Key, run_of};

/// The journal of a run in progress. It is read when the agent first asks for it.
#[derive(Debug, Default)]
pub(crate) struct Journal(pub(crate) OnceCell<Box<Mutex<Turn>>>);

/// The journal of a turn: that of the run, and those of the runs that it continues.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) known: BTreeMap<String, Entry>,
    /// The steps that the agent has begun since it was started. Those that failed and may be repeated are not among them.
    pub(crate) used: BTreeSet<String>,
    pub(crate) bytes: usize,
    /// The memory of the entries that were read.
    _memory: Reservation,
}

impl Turn {
    /// A turn with these entries, which count in the reservation.
    pub(crate) fn new(known: BTreeMap<String, Entry>, mut memory: Reservation) -> Self {
        let bytes = known.iter().map(|(key, entry)| key.len() + entry.bytes()).sum();
        memory.set(bytes);
        Turn { known, used: BTreeSet::new(), bytes, _memory: memory }
    }
}
