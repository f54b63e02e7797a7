//! Upstream's recorded runs and answers, replayed.
//!
//! Each case of `tests/golden` either matches (except for ids and times) or is in the table of `docs/compatibility.md`,
//! with the numbers of the differences that explain it. The test fails if a number is not needed, or if a case has any
//! other difference.

mod answer;
mod compatibility;
mod differences;
mod framework_cases;
mod handlers;
mod http_cases;
mod names;
mod protocol_cases;
mod schemas;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::answer::Answer;
use self::compatibility::Table;
pub(crate) use self::handlers::Golden;
pub(crate) use self::http_cases::request;

/// One case: upstream's answer and ours.
struct Case {
    name: String,
    upstream: Answer,
    /// Why it cannot be replayed here, if so.
    ours: Result<Answer, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// All cases, replayed.
async fn cases() -> Vec<Case> {
    let served = framework_cases::Served::start().await;
    let mut cases = protocol_cases::run_all(&served).await;
    cases.extend(http_cases::run_all(&served).await);
    cases
}

#[tokio::test]
async fn cases__recorded__match_upstream_or_the_table() {
    let table = Table::read();
    let mut complaints = Vec::new();
    let mut seen = BTreeMap::new();
    for case in cases().await {
        let listed = table.rows.get(&case.name).map(Vec::as_slice).unwrap_or_default();
        if let Err(complaint) = differences::check(&case, listed) {
            complaints.push(format!("{}: {complaint}", case.name));
        }
        seen.insert(case.name, ());
    }
    let unknown = table.rows.keys().filter(|name| !seen.contains_key(*name));
    complaints.extend(unknown.map(|name| format!("{name}: there is no such case")));
    assert!(seen.len() > 170, "only {} cases were found", seen.len());
    assert!(complaints.is_empty(), "docs/compatibility.md is not true:\n\n{}", complaints.join("\n\n"));
}

fn check_complaint(upstream: &str, ours: &str, listed: &[&str], expected: Option<&str>) {
    let answer = |event: &str| Answer::events(vec![answer::parse(event)]);
    let case = Case { name: "made up".to_owned(), upstream: answer(upstream), ours: Ok(answer(ours)) };
    let listed: Vec<String> = listed.iter().map(|number| (*number).to_owned()).collect();
    match (differences::check(&case, &listed), expected) {
        (Ok(()), None) => {}
        (Err(complaint), Some(words)) if complaint.contains(words) => {}
        (found, _) => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn table__unlisted_or_stale_difference__is_found() {
    let ended = |time: &str, usage: &str| {
        format!(
            r#"{{"object":"response","status":"completed","completed_at":{time},"output":[],"usage":{usage}}}"#
        )
    };
    let (theirs, ours) = (ended("null", "null"), ended("7", "null"));
    check_complaint(&theirs, &theirs, &[], None);
    check_complaint(&theirs, &ours, &[], Some("D1 would explain it"));
    check_complaint(&theirs, &ours, &["D1"], None);
    check_complaint(&theirs, &ours, &["D1", "D2"], Some("listed with D2, but matches without it"));
    check_complaint(&theirs, &theirs, &["D1"], Some("listed with D1, but matches without it"));
    check_complaint(&theirs, &ended("7", "1"), &["D1"], Some("no numbers explain it"));
    check_complaint(&theirs, &theirs, &["D13"], Some("which is not what it shows"));
    check_complaint(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &[], Some("differs"));
}
