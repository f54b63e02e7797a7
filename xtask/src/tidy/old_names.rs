//! Old names of types, which were replaced by established terms and must not come back.

use super::Violation;

/// An old name, and what to call such a type.
const REPLACED: &[(&str, &str)] = &[
    ("Asked", "RunRequest, or Submission in a history"),
    ("Beside", "Concurrent"),
    ("Claim", "RecoveryGuard"),
    ("Drive", "RunTask"),
    ("Earlier", "PreviousResponse"),
    ("Found", "what was found, such as TailRead"),
    ("Given", "QueryParams"),
    ("IdInPath", "PathId"),
    ("InShape", "ErrorFormatLayer"),
    ("Kept", "what is kept, such as EchoedSettings"),
    ("Listed", "Page"),
    ("News", "Notifications"),
    ("Order", "RunSpec"),
    ("Pause", "Backoff"),
    ("Peer", "Upstream"),
    ("Pen", "LogWriter"),
    ("Piece", "EncodedBatch, or what it is a piece of"),
    ("Promise", "a run that is stored before it begins"),
    ("Promised", "a run that is stored before it begins"),
    ("Shaping", "ErrorFormat"),
    ("Shelf", "RetentionQueue"),
    ("Spool", "AppendBuffer"),
    ("Turns", "SessionQueue"),
    ("Unheard", "OrphanGuard"),
    ("Unstored", "a run that is stored before it begins"),
    ("Wish", "Workload, or Intent"),
];

/// The keywords that begin the definition of a type.
const KEYWORDS: &[&str] = &["struct ", "enum ", "trait ", "type ", "union "];

/// Checks the names of the types that a source file defines.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let lines = text.lines().enumerate();
    let old = lines.filter_map(|(index, line)| {
        let name = type_name(line)?;
        let (_, better) = REPLACED.iter().find(|(old, _)| *old == name)?;
        Some(Violation::new(path, index + 1, format!("the type `{name}` has an old name; use {better}")))
    });
    old.collect()
}

/// The name of the type that a line begins to define.
fn type_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let rest = KEYWORDS.iter().find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_name__defined_again__is_reported_with_its_replacement() {
        for line in
            ["struct Pen {", "    pub(crate) enum Pen<'a> {", "pub type Pen = u8;", "pub trait Pen: Debug {"]
        {
            let violations = check("a.rs", &format!("//! A file.\n{line}\n"));
            let found: Vec<_> = violations.iter().map(Violation::to_string).collect();
            assert_eq!(found, ["a.rs:2: the type `Pen` has an old name; use LogWriter"], "{line}");
        }
    }

    #[test]
    fn other_name__or_use_of_a_word__is_accepted() {
        for line in ["struct Pencil;", "fn pen() {}", "// struct Pen", "let text = \"struct Pen\";"] {
            assert_eq!(check("a.rs", line), [], "{line}");
        }
    }
}
