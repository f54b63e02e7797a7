//! The names of tools for models, which accept fewer than MCP.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The maximum length of a name for models.
const MAX_LENGTH: usize = 64;

/// The name of a tool for models: letters, digits, `_` and `-`, at most 64, and none of those that are taken. The same tool
/// always gets the same name, unless another one has it.
pub(super) fn model_name(server: &str, prefix: &str, tool: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let whole = format!("{prefix}{tool}");
    let plain: String =
        whole.chars().map(|character| if is_allowed(character) { character } else { '_' }).collect();
    if plain == whole && plain.len() <= MAX_LENGTH && !plain.is_empty() && !is_taken(&plain) {
        return plain;
    }
    let mut hasher = DefaultHasher::new();
    (server, tool).hash(&mut hasher);
    // Names that differ only in what is replaced or cut off stay apart.
    let suffix = format!("_{:08x}", hasher.finish() >> 32);
    let kept: String = plain.chars().take(MAX_LENGTH - suffix.len()).collect();
    format!("{kept}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name__that_models_accept__is_kept() {
        assert_eq!(model_name("s", "files_", "read-file", |_| false), "files_read-file");
    }

    #[test]
    fn names__that_models_refuse_or_that_are_taken__stay_apart() {
        let long = "x".repeat(70);
        let mut names: Vec<String> = ["a.b", "a/b", "a b", &long, &format!("{long}y"), "", "größe"]
            .iter()
            .map(|tool| model_name("s", "", tool, |_| false))
            .collect();
        names.push(model_name("s", "", "read", |name| name == "read"));
        names.push(model_name("t", "", "read", |name| name == "read"));
        for name in &names {
            assert!(name.len() <= MAX_LENGTH, "{name}");
            assert!(
                name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character)),
                "{name}"
            );
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
