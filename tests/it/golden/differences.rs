//! The numbered differences of `docs/compatibility.md`, as rules that remove each of them.

mod rules;

use agent_schemas::Json;

use super::Case;
use super::answer::{Answer, Body, members};

/// The effect of a difference.
#[derive(Clone, Copy)]
enum Kind {
    /// Both answers are the same once the rule has been applied to them.
    Rule(fn(&mut Answer, &mut Answer)),
    /// Upstream's events, without their numbers, are among ours in the same order; the others only open and close.
    AddsEvents,
    /// We have nothing at this path.
    NotServed,
    /// The case cannot be replayed here.
    NotReplayed,
    /// The answer is another one.
    Other,
}

/// The differences that have cases, in the order in which their rules are applied.
const DIFFERENCES: [(&str, Kind); 37] = [
    ("D1", Kind::Rule(rules::time_of_the_end)),
    ("D2", Kind::Rule(rules::contents_in_messages)),
    ("D3", Kind::AddsEvents),
    ("D4", Kind::Rule(rules::left_open)),
    ("D5", Kind::Rule(rules::second_completion)),
    ("D6", Kind::Rule(rules::responses_of_the_agent)),
    ("D7", Kind::Rule(rules::stray_contents)),
    ("D8", Kind::Rule(rules::sum_of_usage)),
    ("D9", Kind::Rule(rules::empty_output)),
    ("D10", Kind::Other),
    ("D11", Kind::Other),
    ("D12", Kind::Rule(rules::tools)),
    ("D13", Kind::Other),
    ("D14", Kind::NotReplayed),
    ("D15", Kind::Rule(rules::one_object)),
    ("D17", Kind::Rule(rules::refused_before_the_stream)),
    ("D18", Kind::Rule(rules::error_member)),
    ("D19", Kind::Rule(rules::own_words)),
    ("D20", Kind::Rule(rules::mode)),
    ("D21", Kind::Other),
    ("D22", Kind::Other),
    ("D23", Kind::Other),
    ("D24", Kind::NotServed),
    ("D25", Kind::Other),
    ("D26", Kind::Rule(rules::allowed_methods)),
    ("D27", Kind::Other),
    ("D28", Kind::Rule(rules::preflight)),
    ("D29", Kind::Rule(rules::origin)),
    ("D30", Kind::Rule(rules::redirect)),
    ("D31", Kind::Rule(rules::cors_of_errors)),
    ("D32", Kind::NotReplayed),
    ("D57", Kind::Rule(rules::texts_of_unexpected_errors)),
    ("D61", Kind::Rule(rules::status_and_wait_of_errors)),
    ("D64", Kind::Rule(rules::form_of_frameworks)),
    ("D65", Kind::Other),
    ("D66", Kind::Other),
    ("D67", Kind::NotReplayed),
];

pub(super) fn is_known(number: &str) -> bool {
    DIFFERENCES.iter().any(|(known, _)| *known == number)
}

fn kind_of(number: &str) -> Kind {
    DIFFERENCES.iter().find(|(known, _)| *known == number).expect("checked when the table was read").1
}

/// Checks that a case shows exactly the listed differences.
pub(super) fn check(case: &Case, listed: &[String]) -> Result<(), String> {
    let numbers: Vec<&str> = listed.iter().map(String::as_str).collect();
    let ours = match (&case.ours, &numbers[..]) {
        (Ok(ours), _) => ours,
        (Err(_), [number]) if matches!(kind_of(number), Kind::NotReplayed) => return Ok(()),
        (Err(why), _) => return Err(format!("is not replayed ({why}) and not listed with one such reason")),
    };
    if let [number] = numbers[..] {
        let differs = !equal(&case.upstream, ours, &[]);
        let as_listed = match kind_of(number) {
            Kind::Rule(_) | Kind::AddsEvents => None,
            Kind::NotServed => Some(ours.status == 404 && differs),
            Kind::NotReplayed => Some(false),
            Kind::Other => Some(differs),
        };
        match as_listed {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("is listed with {number}, which is not what it shows")),
            None => {}
        }
    }
    if !equal(&case.upstream, ours, &numbers) {
        return Err(complaint(&case.upstream, ours, &numbers));
    }
    let without = |left_out: usize| {
        let rest: Vec<&str> =
            numbers.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, n)| *n).collect();
        equal(&case.upstream, ours, &rest)
    };
    match (0..numbers.len()).find(|at| without(*at)) {
        Some(at) => Err(format!("is listed with {}, but matches without it", numbers[at])),
        None => Ok(()),
    }
}

/// Whether two answers are the same after removing these differences.
fn equal(upstream: &Answer, ours: &Answer, numbers: &[&str]) -> bool {
    let (upstream, ours, adds) = applied(upstream, ours, numbers);
    if adds { adds_events(&upstream, &ours) } else { upstream.to_string() == ours.to_string() }
}

fn applied(upstream: &Answer, ours: &Answer, numbers: &[&str]) -> (Answer, Answer, bool) {
    let (mut upstream, mut ours, mut adds) = (upstream.clone(), ours.clone(), false);
    for (number, kind) in DIFFERENCES.iter().filter(|(number, _)| numbers.contains(number)) {
        match kind {
            Kind::Rule(rule) => rule(&mut upstream, &mut ours),
            Kind::AddsEvents => adds = true,
            _ => panic!("{number} stands alone"),
        }
    }
    upstream.rename();
    ours.rename();
    (upstream, ours, adds)
}

fn adds_events(upstream: &Answer, ours: &Answer) -> bool {
    let (Body::Events(theirs), Body::Events(all)) = (&upstream.body, &ours.body) else { return false };
    let plain = |event: &Json| {
        let mut event = event.clone();
        without_numbers(&mut event);
        event.to_string()
    };
    let mut theirs = theirs.iter().map(plain).peekable();
    let only_added = all.iter().all(|event| {
        if theirs.next_if_eq(&plain(event)).is_some() {
            return true;
        }
        let text = |key| event.get(key).and_then(Json::as_str).unwrap_or_default();
        let opens = (text("object"), text("status")) == ("message", "in_progress");
        let closes = matches!(text("object"), "message" | "content")
            && matches!(text("status"), "completed" | "failed");
        opens || closes
    });
    only_added
        && theirs.next().is_none()
        && (upstream.status, &upstream.headers) == (ours.status, &ours.headers)
}

fn without_numbers(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(without_numbers),
        Json::Object(_) => {
            let members = members(json).expect("an object");
            members.shift_remove("sequence_number");
            members.values_mut().for_each(without_numbers);
        }
        _ => {}
    }
}

/// The remaining differences, and the numbers that would explain them.
fn complaint(upstream: &Answer, ours: &Answer, numbers: &[&str]) -> String {
    let (upstream_left, ours_left, _) = applied(upstream, ours, numbers);
    let suggestion = match suggest(upstream, ours) {
        Some(numbers) => format!("{} would explain it", numbers.join(", ")),
        None => "no numbers explain it".to_owned(),
    };
    format!(
        "differs although it is listed with {numbers:?}; {suggestion}\n--- upstream\n{upstream_left}--- ours\n{ours_left}"
    )
}

/// The fewest rules that make two answers equal.
fn suggest(upstream: &Answer, ours: &Answer) -> Option<Vec<&'static str>> {
    let rules: Vec<&str> = DIFFERENCES
        .iter()
        .filter(|(_, kind)| matches!(kind, Kind::Rule(_) | Kind::AddsEvents))
        .map(|(number, _)| *number)
        .collect();
    let mut candidates: Vec<Vec<&str>> = vec![vec![]];
    for _ in 0..4 {
        let longer = candidates.iter().flat_map(|chosen| {
            let after = chosen.last().and_then(|last| rules.iter().position(|rule| rule == last));
            rules.iter().skip(after.map_or(0, |at| at + 1)).map(|rule| {
                let mut longer = chosen.clone();
                longer.push(rule);
                longer
            })
        });
        candidates = longer.collect();
        if let Some(found) = candidates.iter().find(|numbers| equal(upstream, ours, numbers)) {
            return Some(found.clone());
        }
    }
    None
}
