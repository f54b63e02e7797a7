//! Checks that the workspace's lints apply to every crate, including the one that requires docs for public items.
//! Clippy turns them into errors, but does not report a crate that does not use them.

use super::Violation;

/// Checks that a package uses the workspace's lints; `path` and `manifest` are its `Cargo.toml`.
pub(super) fn check_package(path: &str, manifest: &str) -> Option<Violation> {
    let takes_part = value(manifest, "[lints]", "workspace") == Some("true");
    let message = "the crate does not use the workspace's lints; add `[lints]` with `workspace = true`";
    (!takes_part).then(|| Violation::new(path, 1, message.to_owned()))
}

/// Checks that the workspace requires docs for public items; `path` and `manifest` are its `Cargo.toml`.
pub(super) fn check_workspace(path: &str, manifest: &str) -> Option<Violation> {
    let level = value(manifest, "[workspace.lints.rust]", "missing_docs");
    let message =
        "public items may be undocumented; set `missing_docs = \"warn\"` in `[workspace.lints.rust]`";
    let is_on = matches!(level, Some("\"warn\"" | "\"deny\"" | "\"forbid\""));
    (!is_on).then(|| Violation::new(path, 1, message.to_owned()))
}

/// The value of a key in a table of a manifest.
fn value<'a>(manifest: &'a str, table: &str, key: &str) -> Option<&'a str> {
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != table).skip(1);
    let entries = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    let (_, value) = entries.into_iter().find(|(name, _)| name.trim() == key)?;
    Some(value.split('#').next().unwrap_or(value).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package__without_workspace_lints__is_reported() {
        let found = |manifest| check_package("a/Cargo.toml", manifest).map(|violation| violation.to_string());
        assert_eq!(found("[package]\nname = \"a\"\n\n[lints]\nworkspace = true # all of them\n"), None);
        for manifest in ["[lints]\n[dependencies]\nworkspace = true\n", "[lints]\nworkspace = false\n", ""] {
            let found = found(manifest).unwrap_or_default();
            assert!(
                found.starts_with("a/Cargo.toml:1: the crate does not use the workspace's lints"),
                "{manifest:?}: {found}"
            );
        }
    }

    #[test]
    fn workspace__without_missing_docs__is_reported() {
        let found = |manifest| check_workspace("Cargo.toml", manifest).map(|violation| violation.to_string());
        assert_eq!(
            found("[workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n"),
            None
        );
        for manifest in ["[workspace.lints.rust]\nmissing_docs = \"allow\"\n", "[workspace.lints.rust]\n", ""]
        {
            let found = found(manifest).unwrap_or_default();
            assert!(
                found.starts_with("Cargo.toml:1: public items may be undocumented"),
                "{manifest:?}: {found}"
            );
        }
    }
}
