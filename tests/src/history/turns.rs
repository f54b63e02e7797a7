//! Checks the turns of a session: one run at a time, in the order of the queue.

use super::{History, Moment, Policy, StoredRun, Violation};

/// A run and when it was certainly in progress: from the first moment to the last.
struct Turn<'a> {
    run: &'a str,
    policy: Policy,
    /// When its request was certainly accepted.
    accepted: Option<Moment>,
    marks: Vec<Moment>,
    from: Moment,
    to: Moment,
}

pub(super) fn check(history: &History, found: &mut Vec<Violation>) {
    for ((_, session), runs) in history.sessions() {
        let turns: Vec<Turn<'_>> = runs.into_iter().map(|kept| turn_of(history, kept)).collect();
        check_one_at_a_time(session, &turns, found);
        check_queue(session, &turns, found);
        check_interrupts(session, &turns, found);
    }
}

fn turn_of<'a>(history: &'a History, kept: &'a StoredRun) -> Turn<'a> {
    let (run, policy) = (kept.run.as_str(), history.policy_of(&kept.run));
    let asked = history.asked.iter().filter(|asked| asked.run() == Some(run));
    let accepted = asked.filter(|asked| asked.policy == policy).map(|asked| asked.answered).min();
    let marks: Vec<Moment> = kept.marks().map(|(_, mark)| mark).collect();
    let told = history.told.iter().filter(|told| told.run == run && told.status == "in_progress");
    // A run that does not wait is in progress once it is accepted.
    let at_once = accepted.filter(|_| policy == Policy::Reject);
    // The answer was true at some moment between the request and its arrival.
    let from = marks.iter().copied().chain(told.clone().map(|told| told.answered)).chain(at_once);
    let to = marks.iter().copied().chain(told.map(|told| told.asked));
    let (from, to) = (from.min().unwrap_or(Moment::MAX), to.max().unwrap_or(0));
    Turn { run, policy, accepted, marks, from, to }
}

fn check_one_at_a_time(session: &str, turns: &[Turn<'_>], found: &mut Vec<Violation>) {
    let mut certain: Vec<&Turn<'_>> = turns.iter().filter(|turn| turn.from <= turn.to).collect();
    certain.sort_by_key(|turn| turn.from);
    let mut longest: Option<&Turn<'_>> = None;
    for turn in certain {
        if let Some(other) = longest
            && turn.from <= other.to
        {
            let runs = [other.run.to_owned(), turn.run.to_owned()];
            found.push(Violation::TwoAtOnce { session: session.to_owned(), runs, at: turn.from });
        }
        if longest.is_none_or(|other| other.to < turn.to) {
            longest = Some(turn);
        }
    }
}

/// When its agent first wrote.
fn began(turn: &Turn<'_>) -> Option<Moment> {
    turn.marks.iter().copied().min()
}

fn check_queue(session: &str, turns: &[Turn<'_>], found: &mut Vec<Violation>) {
    let waiting = turns.iter().filter(|turn| turn.policy == Policy::Enqueue);
    let mut before: Option<(&Turn<'_>, Moment)> = None;
    for (turn, first) in waiting.filter_map(|turn| Some((turn, began(turn)?))) {
        if let Some((earlier, moment)) = before
            && first < moment
        {
            let (first, waited_longer) = (turn.run.to_owned(), earlier.run.to_owned());
            found.push(Violation::OutOfTurn { session: session.to_owned(), first, waited_longer });
        }
        if before.is_none_or(|(_, moment)| moment < first) {
            before = Some((turn, first));
        }
    }
}

/// Expects an interrupting run to begin before those that were queued when it was accepted. A run was certainly queued if a
/// third run had the session after that, and the run began only later.
fn check_interrupts(session: &str, turns: &[Turn<'_>], found: &mut Vec<Violation>) {
    for (position, interrupting) in turns.iter().enumerate() {
        let (Policy::Interrupt, Some(taken), Some(own)) =
            (interrupting.policy, interrupting.accepted, began(interrupting))
        else {
            continue;
        };
        for waiting in turns[..position].iter().filter(|turn| turn.policy == Policy::Enqueue) {
            let Some(first) = began(waiting).filter(|first| *first < own) else { continue };
            let others = turns.iter().filter(|turn| turn.run != waiting.run && turn.run != interrupting.run);
            let mut marks = others.flat_map(|turn| &turn.marks);
            if marks.any(|mark| taken < *mark && *mark < first) {
                found.push(Violation::NotNext {
                    session: session.to_owned(),
                    interrupting: interrupting.run.to_owned(),
                    first: waiting.run.to_owned(),
                });
            }
        }
    }
}
