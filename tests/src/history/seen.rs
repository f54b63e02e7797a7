//! Checks what clients saw (no gaps, and still stored at the end) and which statuses they received (none goes back).

use std::collections::{HashMap, HashSet};

use super::record::is_final;
use super::{Durability, Event, EventId, History, Place, Reading, Refused, StoredRun, Told, Violation, log};

pub(super) fn check(history: &History, found: &mut Vec<Violation>) {
    let kept: HashMap<&str, &StoredRun> = history.kept.iter().map(|kept| (kept.run.as_str(), kept)).collect();
    check_known(history, &kept, found);
    for reading in &history.readings {
        let Some(kept) = kept.get(reading.run.as_str()) else { continue };
        check_reading(reading, found);
        check_still_there(reading, kept, history.durability, found);
    }
    check_refused(history, found);
    check_told(history, &kept, found);
}

fn check_known(history: &History, kept: &HashMap<&str, &StoredRun>, found: &mut Vec<Violation>) {
    let read = history.readings.iter().map(|reading| reading.run.as_str());
    let told = history.told.iter().map(|told| told.run.as_str());
    let named: HashSet<&str> =
        history.asked.iter().filter_map(|asked| asked.run()).chain(read).chain(told).collect();
    let is_deleted = |run: &&str| history.deleted.iter().any(|deleted| deleted == run);
    let unknown = named.into_iter().filter(|run| !kept.contains_key(run) && !is_deleted(run));
    found.extend(unknown.map(|run| Violation::Unknown { run: run.to_owned() }));
}

fn check_reading(reading: &Reading, found: &mut Vec<Violation>) {
    let last = match (reading.from, reading.events.first()) {
        (Place::Beginning, _) => None,
        (Place::After(id), _) => Some(id),
        (Place::Anywhere, Some(first)) if first.id.number > 0 => {
            Some(EventId { number: first.id.number - 1, epoch: 1 })
        }
        (Place::Anywhere, _) => None,
    };
    log::check_order(&reading.run, last, &reading.events, found);
}

fn check_still_there(
    reading: &Reading,
    kept: &StoredRun,
    durability: Durability,
    found: &mut Vec<Violation>,
) {
    for event in &reading.events {
        let logged = usize::try_from(event.id.number).ok().and_then(|number| kept.log.get(number));
        let was_replaced = durability == Durability::Relaxed && is_replaced(event.id, &kept.log);
        let (run, id) = (reading.run.clone(), event.id);
        match logged {
            Some(logged) if logged == event => {}
            _ if was_replaced => {}
            Some(_) => found.push(Violation::Changed { run, event: id }),
            None => found.push(Violation::Vanished { run, event: id }),
        }
    }
}

/// A position may only be gone if a takeover may have replaced its event.
fn check_refused(history: &History, found: &mut Vec<Violation>) {
    let may_be_gone = |status| status == 410 && history.durability == Durability::Relaxed;
    let refused = history.refused.iter().filter(|refused| !may_be_gone(refused.status));
    found.extend(refused.map(|refused| {
        let Refused { run, from, status } = refused.clone();
        Violation::Refused { run, from, status }
    }));
}

/// Whether a later epoch began at an event or before it.
fn is_replaced(id: EventId, log: &[Event]) -> bool {
    let later = log.iter().find(|event| event.id.epoch > id.epoch);
    later.is_some_and(|first| first.id.number <= id.number)
}

/// Expects that no answer contradicts an earlier one, and that the last one agrees with the store.
fn check_told(history: &History, kept: &HashMap<&str, &StoredRun>, found: &mut Vec<Violation>) {
    let mut of_run: HashMap<&str, Vec<&Told>> = HashMap::new();
    for told in &history.told {
        of_run.entry(&told.run).or_default().push(told);
    }
    for (run, mut answers) in of_run {
        answers.sort_by_key(|told| told.asked);
        let mut pairs = Vec::new();
        for (position, later) in answers.iter().enumerate() {
            let before = answers[..position].iter().filter(|earlier| earlier.answered < later.asked);
            pairs.extend(before.map(|earlier| (earlier.status.as_str(), later.status.as_str())));
        }
        if let Some(kept) = kept.get(run) {
            pairs.extend(answers.iter().map(|told| (told.status.as_str(), kept.status.as_str())));
        }
        let back = pairs.into_iter().find(|(from, to)| goes_back(from, to));
        found.extend(back.map(|(from, to)| Violation::Revived {
            run: run.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }));
    }
}

fn goes_back(from: &str, to: &str) -> bool {
    let stage = |status: &str| if is_final(status) { 2 } else { u8::from(status == "in_progress") };
    stage(from) > stage(to) || (is_final(from) && from != to)
}
