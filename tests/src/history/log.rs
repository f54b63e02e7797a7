//! Checks one run in the store: its log is complete, ends once, and agrees with everything else that is known about the run.

use super::{Event, EventId, StoredRun, Violation};

pub(super) fn check(kept: &StoredRun, found: &mut Vec<Violation>) {
    check_order(&kept.run, None, &kept.log, found);
    check_end(kept, found);
    check_record(kept, found);
    check_pages(kept, found);
    check_writers(kept, found);
}

/// Expects events to follow each other, and the first one to follow `last`.
pub(super) fn check_order(run: &str, last: Option<EventId>, events: &[Event], found: &mut Vec<Violation>) {
    let mut last = last;
    for event in events {
        let (run, id) = (run.to_owned(), event.id);
        match last {
            _ if event.json["sequence_number"] != id.number => {
                found.push(Violation::Misnumbered { run, event: id });
            }
            Some(last) if id.number == last.number => found.push(Violation::Repeated { run, event: id }),
            Some(last) if id.number < last.number || id.epoch < last.epoch => {
                found.push(Violation::Reordered { run, after: last, found: id });
            }
            last if id.number != last.map_or(0, |last| last.number + 1) => {
                found.push(Violation::Gap { run, after: last, found: id });
            }
            _ => {}
        }
        last = Some(id);
    }
}

fn check_end(kept: &StoredRun, found: &mut Vec<Violation>) {
    let run = || kept.run.clone();
    match kept.log.iter().filter(|event| event.end().is_some()).count() {
        0 => found.push(Violation::NoEnd { run: run() }),
        1 => {}
        count => found.push(Violation::ManyEnds { run: run(), count }),
    }
    let behind = kept.log.iter().skip_while(|event| event.end().is_none()).skip(1);
    found.extend(
        behind
            .filter(|event| event.end().is_none())
            .map(|event| Violation::AfterEnd { run: run(), event: event.id }),
    );
}

fn check_record(kept: &StoredRun, found: &mut Vec<Violation>) {
    let mut expect = |what, known: String, logged: String| {
        if known != logged {
            found.push(Violation::NotAsLogged { run: kept.run.clone(), what, known, logged });
        }
    };
    expect("events", kept.count.to_string(), kept.log.len().to_string());
    if let Some(end) = kept.log.iter().find_map(Event::end) {
        expect("status", kept.status.clone(), end.to_owned());
    }
}

fn check_pages(kept: &StoredRun, found: &mut Vec<Violation>) {
    let streamed = kept.log.iter().map(|event| &event.json);
    let same = streamed.zip(&kept.pages).take_while(|(streamed, paged)| streamed == paged).count();
    if same < kept.log.len().max(kept.pages.len()) {
        found.push(Violation::PagesDiffer { run: kept.run.clone(), number: same as u64 });
    }
}

fn check_writers(kept: &StoredRun, found: &mut Vec<Violation>) {
    let mut latest = 0;
    for (number, mark) in kept.marks() {
        if mark <= latest {
            found.push(Violation::LateWrite { run: kept.run.clone(), number, mark });
        }
        latest = latest.max(mark);
    }
}
