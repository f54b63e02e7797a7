//! The form of a test's name: `subject__condition__result`.

use super::Violation;

/// What separates the parts of a test's name.
const SEPARATOR: &str = "__";

/// The attributes that make a function a test. The texts are concatenated because this file is checked, too.
const ATTRIBUTES: &[&str] = &[concat!("#[", "test]"), concat!("#[", "tokio::test")];

/// Checks the names of all tests in a source file, except those that a macro gets from its caller.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut is_test = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if ATTRIBUTES.iter().any(|attribute| line.starts_with(attribute)) {
            is_test = true;
        } else if let Some(name) = function_name(line).filter(|_| is_test) {
            is_test = false;
            if !name.starts_with('$') && !name.contains(SEPARATOR) {
                let message = format!("the test `{name}` must be named like subject__condition__result");
                violations.push(Violation::new(path, index + 1, message));
            }
        }
    }
    violations
}

/// The name of the function that a line begins to define.
fn function_name(line: &str) -> Option<&str> {
    let rest = ["fn ", "async fn "].iter().find_map(|start| line.strip_prefix(start))?;
    rest.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check("a.rs", text).iter().map(Violation::to_string).collect()
    }

    #[test]
    fn test_name__without_separator__is_reported() {
        for attribute in ["test]", "tokio::test]", "tokio::test(flavor = \"multi_thread\")]"] {
            let text =
                format!("#[{attribute}\n#[cfg(unix)]\n    async fn it_works() {{}}\nfn helper() {{}}\n");
            let expected = "a.rs:3: the test `it_works` must be named like subject__condition__result";
            assert_eq!(found(&text), [expected], "{text}");
        }
    }

    #[test]
    fn test_name__with_separator_or_from_macro__is_accepted() {
        for name in ["run__waits", "run__busy_session__waits", "$name"] {
            let text = format!("fn helper() {{}}\n#[{}]\nfn {name}() {{}}\nfn other_helper() {{}}\n", "test");
            assert_eq!(found(&text), [""; 0], "{text}");
        }
    }
}
