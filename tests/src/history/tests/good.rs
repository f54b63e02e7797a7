//! Good histories.

use serde_json::{Value, json};

use super::super::*;

/// What happens in a session.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// For each run: the words per attempt, the number of attempts, and whether its client used a key.
    pub(super) runs: Vec<(usize, u64, bool)>,
    /// After how many events a reader is cut off.
    pub(super) cut: usize,
}

/// Runs of one session that were all requested while the first was in progress. They were queued, except the last but one,
/// which interrupted, and the last, which was handed over and became a separate run.
pub(super) fn good(plan: &Plan) -> History {
    let clock = Clock::default();
    let mut history = History::default();
    let count = plan.runs.len();
    // The first begins before the others are requested.
    let first = write(&clock, 0, plan.runs[0]);
    let taken: Vec<Moment> = (0..count).map(|_| clock.now()).collect();
    let mut more = first;
    push(&mut more, 1, &json!({ "object": "content", "delta": true, "text": format!("@{}", clock.now()) }));
    let mut order: Vec<usize> = vec![0, count - 1, count - 2];
    order.extend(1..count - 2);
    let mut logs: Vec<(usize, Vec<Event>)> = vec![(0, more)];
    logs.extend(order[1..].iter().map(|number| (*number, write(&clock, *number, plan.runs[*number]))));
    logs.sort_by_key(|(number, _)| *number);
    for (number, mut log) in logs {
        end(&mut log, "completed");
        let policy = match number {
            _ if number == count - 1 => Policy::Steer,
            _ if number == count - 2 => Policy::Interrupt,
            _ => Policy::Enqueue,
        };
        ask(&mut history, number, policy, plan.runs[number].2, taken[number]);
        keep(&mut history, number, log, plan.cut);
    }
    tell(&mut history, &clock);
    forget(&mut history, &clock);
    let tags = order.iter().map(|number| tag(*number)).collect();
    history.said.push(Said { user: "u".to_owned(), session: "s".to_owned(), tags });
    history
}

fn run(number: usize) -> String {
    format!("run_{number}")
}

fn tag(number: usize) -> String {
    format!("tag{number}")
}

/// Adds an event of this epoch, or of the last one if that is later.
pub(super) fn push(log: &mut Vec<Event>, epoch: u64, json: &Value) {
    let number = log.len() as u64;
    let epoch = log.last().map_or(1, |event| event.id.epoch).max(epoch);
    let mut json = json.clone();
    json["sequence_number"] = number.into();
    log.push(Event { id: EventId { number, epoch }, json });
}

fn write(clock: &Clock, number: usize, (words, attempts, _): (usize, u64, bool)) -> Vec<Event> {
    let mut log = Vec::new();
    push(&mut log, 1, &json!({ "object": "response", "status": "created" }));
    for epoch in 1..=attempts {
        push(&mut log, epoch, &json!({ "object": "response", "status": "in_progress" }));
        for _ in 0..words {
            let text = format!("#{} @{} ", tag(number), clock.now());
            push(&mut log, epoch, &json!({ "object": "content", "delta": true, "text": text }));
        }
    }
    log
}

fn end(log: &mut Vec<Event>, status: &str) {
    push(log, 1, &json!({ "object": "message", "role": "assistant", "status": status }));
    push(log, 1, &json!({ "object": "response", "status": status }));
}

fn ask(history: &mut History, number: usize, policy: Policy, with_key: bool, answered: Moment) {
    // A client that steers gets the run in progress.
    let given = if policy == Policy::Steer { run(0) } else { run(number) };
    let asked = Submission {
        user: "u".to_owned(),
        session: "s".to_owned(),
        policy,
        key: with_key.then(|| format!("key{number}")),
        body: format!("{} and more", tag(number)),
        tag: tag(number),
        reply: Reply::Accepted(given),
        answered,
    };
    if with_key {
        history.asked.push(Submission { reply: Reply::Lost, ..asked.clone() });
        history.asked.push(asked.clone());
        let reply = Reply::Refused("IDEMPOTENCY_KEY_REUSED".to_owned());
        history.asked.push(Submission { body: "another".to_owned(), reply, ..asked.clone() });
    }
    history.asked.push(asked);
}

fn keep(history: &mut History, number: usize, log: Vec<Event>, cut: usize) {
    let cut = cut.min(log.len());
    let reading = |from, events: &[Event]| Reading { run: run(number), from, events: events.to_vec() };
    history.readings.push(reading(Place::Beginning, &log[..cut]));
    history.readings.push(reading(Place::After(log[cut - 1].id), &log[cut..]));
    history.readings.push(reading(Place::Anywhere, &log[cut..]));
    history.kept.push(StoredRun {
        run: run(number),
        user: "u".to_owned(),
        session: "s".to_owned(),
        status: "completed".to_owned(),
        count: log.len() as u64,
        pages: log.iter().map(|event| event.json.clone()).collect(),
        log,
    });
}

/// A run of another session was asked to stop and was deleted in the end.
fn forget(history: &mut History, clock: &Clock) {
    let run = "run_deleted".to_owned();
    history.told.push(Told {
        run: run.clone(),
        asked: clock.now(),
        answered: clock.now(),
        status: "canceled".to_owned(),
    });
    history.canceled.push(run.clone());
    history.deleted.push(run);
}

/// A client requested all runs after the end.
fn tell(history: &mut History, clock: &Clock) {
    for kept in &history.kept {
        let (asked, answered) = (clock.now(), clock.now());
        let (run, status) = (kept.run.clone(), kept.status.clone());
        history.told.push(Told { run, asked, answered, status });
    }
}
