//! Checks requests: one with a key starts one run however often it is sent, and each is answered exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use agent_schemas::ErrorBody;

use super::{History, Policy, Reply, StoredRun, Submission, Violation};

/// The error code for a key that another request has used.
const KEY_REUSED: &str = "IDEMPOTENCY_KEY_REUSED";

pub(super) fn check(history: &History, found: &mut Vec<Violation>) {
    check_keys(history, found);
    let answered = answered(history);
    check_once(&answered, found);
    check_answered(history, &answered, found);
    check_handed(history, &answered, found);
}

fn check_keys(history: &History, found: &mut Vec<Violation>) {
    let mut with_key: BTreeMap<(&str, &str), Vec<&Submission>> = BTreeMap::new();
    for asked in &history.asked {
        if let Some(key) = &asked.key {
            with_key.entry((&asked.user, key)).or_default().push(asked);
        }
    }
    for ((_, key), all) in with_key {
        let accepted: Vec<(&Submission, &str)> = all
            .iter()
            .filter_map(|asked| Some((*asked, asked.run()?)))
            .filter(|(_, run)| !history.kept.iter().any(|kept| kept.run == *run && was_refused(kept)))
            .collect();
        if let Some((first, run)) = accepted.first() {
            if accepted.iter().any(|(asked, _)| asked.body != first.body) {
                found.push(Violation::KeyShared { key: key.to_owned() });
            } else if let Some((_, other)) = accepted.iter().find(|(_, other)| other != run) {
                let runs = [(*run).to_owned(), (*other).to_owned()];
                found.push(Violation::TwoRuns { key: key.to_owned(), runs });
            }
        }
        let is_refused = all.iter().any(|asked| asked.reply == Reply::Refused(KEY_REUSED.to_owned()));
        let bodies: BTreeSet<&str> = all.iter().map(|asked| asked.body.as_str()).collect();
        if is_refused && bodies.len() == 1 {
            found.push(Violation::KeyRefused { key: key.to_owned() });
        }
    }
}

/// Whether a run failed with an error that says to repeat the request, which then starts another run.
fn was_refused(kept: &StoredRun) -> bool {
    let error = kept.log.last().map(|last| last.json["error"].clone()).unwrap_or_default();
    let status = serde_json::from_value(error).map(|error: ErrorBody| error.http_status());
    kept.status == "failed" && matches!(status, Ok(429 | 503))
}

/// The runs that answer each request, according to their output.
fn answered(history: &History) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut runs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kept in &history.kept {
        for tag in tags(kept) {
            runs.entry(tag).or_default().insert(&kept.run);
        }
    }
    runs
}

fn tags(kept: &StoredRun) -> impl Iterator<Item = &str> {
    kept.log.iter().flat_map(|event| event.tags())
}

fn check_once(answered: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Vec<Violation>) {
    for (tag, runs) in answered {
        let mut runs = runs.iter().map(|run| (*run).to_owned());
        if let (Some(first), Some(second)) = (runs.next(), runs.next()) {
            found.push(Violation::AnsweredTwice { tag: (*tag).to_owned(), runs: [first, second] });
        }
    }
}

fn check_answered(history: &History, answered: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Vec<Violation>) {
    let completed: HashSet<&str> =
        history.kept.iter().filter(|kept| kept.status == "completed").map(|kept| kept.run.as_str()).collect();
    let own: BTreeSet<(&str, &str)> = history
        .asked
        .iter()
        .filter(|asked| asked.policy != Policy::Steer)
        .filter_map(|asked| Some((asked.tag.as_str(), asked.run()?)))
        .collect();
    for (tag, run) in own {
        if completed.contains(run) && !answered.get(tag).is_some_and(|runs| runs.contains(run)) {
            found.push(Violation::Unanswered { tag: tag.to_owned(), run: run.to_owned() });
        }
    }
}

/// Expects handed-over input to be taken, or to become a separate run. Such a run may have ended before its first word, and
/// then its request is unknown.
fn check_handed(history: &History, answered: &BTreeMap<&str, BTreeSet<&str>>, found: &mut Vec<Violation>) {
    let mut missing: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
    for asked in history.asked.iter().filter(|asked| asked.policy == Policy::Steer && asked.run().is_some()) {
        if !answered.contains_key(asked.tag.as_str()) {
            missing.entry((&asked.user, &asked.session)).or_default().insert(&asked.tag);
        }
    }
    let sessions = history.sessions();
    for (session, tags_of_session) in missing {
        let runs = sessions.get(&session).map(Vec::as_slice).unwrap_or_default();
        let silent = runs.iter().filter(|kept| tags(kept).next().is_none());
        let silent = silent.filter(|kept| history.policy_of(&kept.run) == Policy::Steer).count();
        if tags_of_session.len() > silent {
            let dropped = tags_of_session.into_iter().map(|tag| Violation::Dropped { tag: tag.to_owned() });
            found.extend(dropped);
        }
    }
}
