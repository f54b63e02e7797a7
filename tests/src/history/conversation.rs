//! Checks the histories of sessions: they contain each completed turn once, in the order of the turns.

use std::collections::HashSet;

use super::{History, Policy, Said, StoredRun, Violation};

pub(super) fn check(history: &History, found: &mut Vec<Violation>) {
    let sessions = history.sessions();
    for said in &history.said {
        let runs = sessions.get(&(said.user.as_str(), said.session.as_str()));
        check_session(history, said, runs.map(Vec::as_slice).unwrap_or_default(), found);
    }
}

fn check_session(history: &History, said: &Said, runs: &[&StoredRun], found: &mut Vec<Violation>) {
    let session = || said.session.clone();
    let mut known = HashSet::new();
    for tag in &said.tags {
        if !known.insert(tag.as_str()) {
            found.push(Violation::SaidTwice { session: session(), tag: tag.clone() });
        }
    }
    let mut completed: Vec<(&StoredRun, &str)> = runs
        .iter()
        .filter(|kept| kept.status == "completed")
        .filter_map(|kept| Some((*kept, own_tag(history, &kept.run)?)))
        .collect();
    completed.sort_by_key(|(kept, _)| kept.marks().next().map(|(_, mark)| mark));
    let mut last: Option<(usize, &str)> = None;
    for (_, tag) in completed {
        let Some(place) = said.tags.iter().position(|known| known == tag) else {
            found.push(Violation::Forgotten { session: session(), tag: tag.to_owned() });
            continue;
        };
        if let Some((_, first)) = last.filter(|(before, _)| place < *before) {
            let (first, second) = (first.to_owned(), tag.to_owned());
            found.push(Violation::SaidOutOfOrder { session: session(), first, second });
        }
        last = Some((place, tag));
    }
}

/// The request that created a run, if known.
fn own_tag<'a>(history: &'a History, run: &str) -> Option<&'a str> {
    let mut made =
        history.asked.iter().filter(|asked| asked.run() == Some(run) && asked.policy != Policy::Steer);
    made.next().map(|asked| asked.tag.as_str())
}
