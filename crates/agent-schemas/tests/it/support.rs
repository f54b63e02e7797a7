//! Replays recorded cases, each of which must match or be listed in `golden/differences.txt`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use agent_schemas::json::parse_with_depth;
use agent_schemas::{IdSource, Json};
use serde::Serialize;

fn golden(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A JSON file of the golden folder.
pub(crate) fn golden_json(file: &str) -> Json {
    parse_with_depth(&golden(file), 1000).unwrap()
}

/// The lines of a JSON Lines file of the golden folder.
pub(crate) fn golden_lines(file: &str) -> Vec<Json> {
    golden(file).lines().map(|line| parse_with_depth(line, 1000).unwrap()).collect()
}

/// The compact JSON text of a value: the order of keys counts.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

/// The text of a member that must be there.
pub(crate) fn member<'a>(json: &'a Json, key: &str) -> &'a Json {
    json.get(key).unwrap_or_else(|| panic!("no member {key} in {json}"))
}

/// The name of a recorded case.
pub(crate) fn name(case: &Json) -> String {
    member(case, "name").as_str().unwrap().to_owned()
}

/// Ids in the form of the recordings' placeholders.
#[derive(Debug)]
pub(crate) struct SameId;

impl IdSource for SameId {
    fn uuid(&self) -> String {
        "1".into()
    }

    fn random(&self) -> String {
        "1".into()
    }
}

/// Replaces the recordings' placeholders with our ids.
pub(crate) fn with_our_ids(expected: &str) -> String {
    expected.replace("<msg_id:1>", "msg_1").replace("<response_id>", "response_1")
}

/// Cases of one file that are known to differ, from `golden/differences.txt`.
fn listed(file: &str) -> BTreeSet<String> {
    let mut cases = BTreeSet::new();
    for line in golden("differences.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let [of, names, reason] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not 'file | cases | reason': {line}");
        };
        assert!(reason.ends_with('.'), "a reason is a sentence: {line}");
        if of == file && names != "*" {
            cases.extend(names.split("; ").map(str::to_owned));
        }
    }
    cases
}

/// Compares every case of a file: `compare` returns its name, our result and upstream's.
///
/// If several tests share a file, a part may follow its name, as in `cases.jsonl#part`.
#[track_caller]
pub(crate) fn replay(file: &str, cases: &[Json], compare: impl Fn(&Json) -> (String, String, String)) {
    let mut listed = listed(file);
    let mut faults = Vec::new();
    for case in cases {
        let (name, ours, theirs) = compare(case);
        match (ours == theirs, listed.remove(&name)) {
            (true, false) | (false, true) => {}
            (true, true) => faults.push(format!("{name}: listed as different, but matches")),
            (false, false) => faults.push(format!("{name}\n  ours   {ours}\n  theirs {theirs}")),
        }
    }
    faults.extend(listed.into_iter().map(|name| format!("{name}: listed as different, but not in the file")));
    assert!(faults.is_empty(), "{file}:\n{}", faults.join("\n"));
}

#[test]
fn differences__every_listed_file__exists() {
    for line in golden("differences.txt").lines().filter(|line| line.contains(" | ")) {
        if let Some((file, _)) = line.split_once(" | ").filter(|_| !line.starts_with('#')) {
            golden(file.split('#').next().unwrap());
        }
    }
}

#[test]
fn differences__every_reason__is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let document = std::fs::read_to_string(path).expect("docs/compatibility.md");
    for line in golden("differences.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let reason = line.splitn(3, '|').last().expect("a reason").trim();
        assert!(document.contains(reason), "docs/compatibility.md lacks: {reason}");
    }
}
