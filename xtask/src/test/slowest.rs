//! The slowest tests of a run, from nextest's report.

use std::fs;
use std::path::Path;

/// How many tests are printed.
const SHOWN: usize = 15;

/// Prints the slowest tests of a JUnit report; nothing if there is none, for example because the tests did not start.
pub(super) fn print(report: &Path) {
    let Ok(text) = fs::read_to_string(report) else { return };
    println!("\nThe slowest tests, of all in {}:", report.display());
    for (seconds, name) in slowest(&text) {
        println!("{seconds:8.1} s  {name}");
    }
}

/// The slowest tests, the slowest one first.
fn slowest(report: &str) -> Vec<(f64, String)> {
    let tests = report.split("<testcase ").skip(1);
    let mut tests: Vec<(f64, String)> = tests
        .filter_map(|test| {
            let head = test.split('>').next()?;
            let seconds = attribute(head, "time")?.parse().ok()?;
            Some((seconds, format!("{} {}", attribute(head, "classname")?, attribute(head, "name")?)))
        })
        .collect();
    tests.sort_by(|(first, _), (second, _)| second.total_cmp(first));
    tests.truncate(SHOWN);
    tests
}

/// The value of an attribute in the head of an element.
fn attribute<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowest__report_of_three_tests__begins_with_the_slowest() {
        let report = r#"<testsuites name="nextest-run"><testsuite name="a::it">
            <testcase name="fast" classname="a::it" timestamp="t" time="0.010"></testcase>
            <testcase name="slow" classname="a::it" time="12.5"/>
            <testcase name="between" classname="b" time="3.0"><failure type="x">no</failure></testcase>
            </testsuite></testsuites>"#;
        let names: Vec<String> = slowest(report).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["a::it slow", "b between", "a::it fast"]);
        assert_eq!(slowest(""), []);
    }
}
