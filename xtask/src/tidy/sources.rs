//! The form of a source file.

use super::Violation;

/// A file that reaches this many lines has to be split.
const TOO_MANY_LINES: usize = 800;

/// What must not be left in a source file, and why. The texts are concatenated because this file is checked, too.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it, or return an error that says what is not supported"),
    (concat!("unimplemented", "!("), "finish it, or return an error that says what is not supported"),
    (concat!("dbg", "!("), "remove it, or write a log line"),
    (concat!("#[", "ignore"), "tests must not be skipped; fix the test, or delete it"),
];

/// Checks one source file; its path is relative to the root of the workspace.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut report = |line, message| violations.push(Violation::new(path, line, message));
    if path == "mod.rs" || path.ends_with("/mod.rs") {
        report(1, "a module `foo` is `foo.rs` beside the folder `foo/`, not `foo/mod.rs`".to_owned());
    }
    if !text.starts_with("//!") {
        report(1, "the first line must start with `//!` and state the purpose of the file".to_owned());
    }
    let count = text.lines().count();
    if count >= TOO_MANY_LINES {
        let message =
            format!("the file has {count} lines, but must have fewer than {TOO_MANY_LINES}; split it");
        report(TOO_MANY_LINES, message);
    }
    let is_protocol = path.starts_with("crates/agent-protocol-") && path.contains("/src/");
    for (index, line) in text.lines().enumerate() {
        if is_protocol && !line.trim_start().starts_with("//") && leaves_the_seam(line) {
            report(index + 1, "a protocol may use only `agent_server::protocol` of the server".to_owned());
        }
        for (leftover, why) in LEFTOVERS.iter().filter(|(leftover, _)| line.contains(leftover)) {
            report(index + 1, format!("`{leftover}` must not be left in: {why}"));
        }
    }
    violations
}

/// Whether a line names anything of the server other than its interface for protocols.
fn leaves_the_seam(line: &str) -> bool {
    line.split("agent_server::").skip(1).any(|path| !path.starts_with("protocol"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_file__outside_its_seam__is_reported() {
        let text = "//! One.\nuse agent_server::protocol::Protocol;\n// agent_server::AgentApp\nuse agent_server::AgentApp;\n";
        expect("crates/agent-protocol-x/src/lib.rs", text, &[(4, "may use only `agent_server::protocol`")]);
        expect("crates/agent-protocol-x/tests/it/main.rs", text, &[]);
    }

    #[track_caller]
    fn expect(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = check(path, text);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (violation, (line, words)) in found.iter().zip(expected) {
            assert_eq!(violation.line, *line, "{violation}");
            assert!(violation.message.contains(words), "{violation}");
        }
    }

    #[test]
    fn file__tidy__has_no_violation() {
        expect("src/model.rs", "//! Says what it is.\n\nfn main() {}\n", &[]);
    }

    #[test]
    fn file__without_header__is_reported() {
        expect("src/a.rs", "\n//! Too late.\n", &[(1, "first line")]);
        expect("src/a.rs", "", &[(1, "first line")]);
    }

    #[test]
    fn file__too_long__is_reported() {
        expect("src/a.rs", &format!("//!\n{}", "\n".repeat(798)), &[]);
        expect("src/a.rs", &format!("//!\n{}", "\n".repeat(799)), &[(800, "800 lines")]);
    }

    #[test]
    fn file__leftover__is_reported() {
        let mut text = "//! Leftovers.\n".to_owned();
        for (leftover, _) in LEFTOVERS {
            text.push_str(leftover);
            text.push('\n');
        }
        expect("src/a.rs", &text, &[(2, "todo"), (3, "unimplemented"), (4, "dbg"), (5, "ignore")]);
    }

    #[test]
    fn file__mod_rs__is_reported() {
        expect("src/a/mod.rs", "//! A module.\n", &[(1, "`foo.rs`")]);
    }
}
