//! The list of answers that differ from upstream's.

use std::collections::BTreeSet;

use super::case::golden;

const FILE: &str = "differences.txt";

struct Line {
    file: String,
    /// The only backend that differs; `None` if all do.
    backend: Option<String>,
    steps: Vec<String>,
    reason: String,
}

fn lines() -> Vec<Line> {
    let list = golden(FILE);
    list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(read).collect()
}

fn read(line: &str) -> Line {
    let [file, steps, reason] = line.split(" | ").collect::<Vec<_>>()[..] else {
        panic!("not 'file | steps | reason': {line}");
    };
    assert!(reason.ends_with('.'), "a reason is a sentence: {line}");
    let (file, backend) = file.split_once('#').map_or((file, None), |(file, backend)| (file, Some(backend)));
    Line {
        file: file.to_owned(),
        backend: backend.map(str::to_owned),
        steps: steps.split("; ").map(str::to_owned).collect(),
        reason: reason.to_owned(),
    }
}

/// The steps of a file that one of our backends is known to answer differently.
pub(super) fn listed(file: &str, backend: &str) -> BTreeSet<String> {
    let of_file = lines().into_iter().filter(|line| line.file == file);
    let of_both = of_file.filter(|line| line.backend.as_deref().is_none_or(|only| only == backend));
    of_both.flat_map(|line| line.steps).filter(|step| step != "*").collect()
}

#[test]
fn differences__every_file_and_backend__exists() {
    for line in lines() {
        golden(&line.file);
        let backend = line.backend.as_deref().unwrap_or("redis");
        assert!(["in_memory", "sqlite", "redis"].contains(&backend), "no backend '{backend}'");
    }
}

#[test]
fn differences__every_reason__is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let document = std::fs::read_to_string(path).expect("docs/compatibility.md");
    for Line { reason, .. } in lines() {
        assert!(document.contains(&reason), "docs/compatibility.md lacks: {reason}");
    }
}
