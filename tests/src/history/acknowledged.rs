//! Checks acknowledged requests: a run that was asked to stop does not complete, and a deleted run is gone.

use super::{History, Violation};

pub(super) fn check(history: &History, found: &mut Vec<Violation>) {
    for run in &history.canceled {
        let kept = history.kept.iter().find(|kept| kept.run == *run);
        if let Some(kept) = kept.filter(|kept| kept.status != "canceled") {
            found.push(Violation::NotCanceled { run: run.clone(), status: kept.status.clone() });
        }
    }
    for run in &history.deleted {
        if history.kept.iter().any(|kept| kept.run == *run) {
            found.push(Violation::NotDeleted { run: run.clone() });
        }
    }
}
