//! Finds the programs that can have a test with a given name, from the names of modules and functions in their sources.
//!
//! Cargo compiles every test program of a package before any test runs. `cargo xtask test -- NAME` is fast because it
//! skips those that cannot have the test. It skips only targets, never packages: other packages would mean other
//! features, and cargo would compile the dependencies again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::workspace_root;

/// Macros of this module create tests in other crates; their names are here.
const CONFORMANCE: (&str, &str) = ("_conformance!", "crates/agent-services/src/conformance");

/// Targets of cargo that have tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Targets {
    flags: BTreeSet<String>,
    start_the_server: bool,
}

impl Targets {
    /// The targets that can have a test with one of these words in its name; all of them if there are no words.
    ///
    /// # Errors
    /// If a source file cannot be read.
    pub(super) fn that_can_have(words: &[&String], metadata: &Value) -> Result<Targets> {
        let mut found = Targets::default();
        for package in items(&metadata["packages"]) {
            for target in items(&package["targets"]).iter().filter(|target| target["test"] == true) {
                let files = names_in(Path::new(text(&target["src_path"])?))?;
                let has = |word: &&String| files.iter().any(|names| names.can_have(word));
                if words.is_empty() || words.iter().any(has) {
                    found.add(text(&package["name"])?, text(&target["kind"][0])?, text(&target["name"])?);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, package: &str, kind: &str, name: &str) {
        match kind {
            "test" | "bin" | "example" => self.flags.insert(format!("--{kind}={name}")),
            _ => self.flags.insert("--lib".to_owned()),
        };
        self.start_the_server |= package == "agent-tests" && kind == "test";
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// The arguments with which cargo builds these targets and no others.
    pub(super) fn flags(&self) -> Vec<&str> {
        self.flags.iter().map(String::as_str).collect()
    }

    /// Whether tests among these start the real server.
    pub(super) fn start_the_server(&self) -> bool {
        self.start_the_server
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("the output of `cargo metadata` lacks a name or a path")
}

/// All names that can be in the path of a test in one file: those of the modules that contain the file, of the modules in
/// it, and of its tests.
#[derive(Debug, Default)]
struct Names {
    names: BTreeSet<String>,
    has_tests: bool,
}

impl Names {
    /// Whether a test's path could contain this word. The order of names is ignored, so this may be wrongly true, but never
    /// wrongly false.
    fn can_have(&self, word: &str) -> bool {
        self.has_tests && word.split("::").all(|part| self.names.iter().any(|name| name.contains(part)))
    }

    fn add_source(&mut self, source: &str) {
        let mut is_test = false;
        for line in source.lines().map(str::trim_start) {
            // Between the attribute and its function there may be other attributes and comments.
            is_test |= line.starts_with("#[") && (line.contains("test]") || line.contains("test("));
            if let Some(name) = name_after(line, "mod ") {
                self.names.insert(name.to_owned());
            }
            if let Some(name) = name_after(line, "fn ") {
                if is_test {
                    self.names.insert(name.to_owned());
                    self.has_tests = true;
                }
                is_test = false;
            }
        }
    }

    /// Adds the names of the tests that a suite's macro creates.
    fn add_suites(&mut self) -> Result<()> {
        self.has_tests = true;
        for file in files_in(&workspace_root().join(CONFORMANCE.1))? {
            let source = fs::read_to_string(file)?;
            let names = source.lines().filter_map(|line| name_after(line.trim_start(), "fn "));
            self.names.extend(names.map(str::to_owned));
        }
        Ok(())
    }
}

/// The identifier after a keyword, if a line has it.
fn name_after<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let (before, rest) = line.split_once(keyword)?;
    // Only words such as `pub(crate)` and `async` may precede it; otherwise, this is a sentence of a comment.
    let is_code = before.is_empty() || before.ends_with(' ') && !before.starts_with("//");
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (is_code && end > 0).then_some(&rest[..end])
}

/// The names in each file of a target with this root.
fn names_in(root: &Path) -> Result<Vec<Names>> {
    let folder = root.parent().context("a source file is in a folder")?;
    let names_of = |file: PathBuf| {
        let mut names = Names::default();
        let source =
            fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
        names.add_source(&source);
        if source.contains(CONFORMANCE.0) {
            names.add_suites()?;
        }
        let path = file.strip_prefix(folder)?.with_extension("");
        names.names.extend(path.iter().map(|part| part.to_string_lossy().into_owned()));
        Ok(names)
    };
    files(root)?.into_iter().map(names_of).collect()
}

/// The source files of a target: everything in the folder of a `main.rs` or `lib.rs`; any other root, and the folder with
/// its name.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let is_folders = ["main.rs", "lib.rs"].iter().any(|name| root.ends_with(name));
    if is_folders {
        let folder = root.parent().context("a source file is in a folder")?;
        let bins = folder.join("bin");
        let mut files = files_in(folder)?;
        files.retain(|file| !file.starts_with(&bins));
        return Ok(files);
    }
    let mut files = vec![root.to_owned()];
    let folder = root.with_extension("");
    if folder.is_dir() {
        files.extend(files_in(&folder)?);
    }
    Ok(files)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_in(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names__source_with_tests__are_its_modules_and_tests() {
        let mut names = Names::default();
        names.add_source(
            "mod runs;\n/// A mod of comments, and a fn too.\nfn helper() {}\n#[tokio::test(flavor = \"x\")]\n\
             #[expect(\n    lint,\n)]\nasync fn run__cut__is_read_on() {}\nmod inner {\n    #[test]\n    fn first() {}\n}",
        );
        assert_eq!(Vec::from_iter(&names.names), ["first", "inner", "run__cut__is_read_on", "runs"]);
        for (word, expected) in [
            ("cut", true),
            ("inner::first", true),
            ("uns::run__c", true),
            ("runs::", true),
            ("helper", false),
            ("runs::elsewhere", false),
        ] {
            assert_eq!(names.can_have(word), expected, "{word}");
        }
    }

    #[test]
    fn targets__name_of_a_test__are_those_that_have_it() -> Result<()> {
        let metadata = super::super::metadata()?;
        let flags = |word: &str| -> Result<Vec<String>> {
            let targets = Targets::that_can_have(&[&word.to_owned()], &metadata)?;
            Ok(targets.flags().into_iter().map(str::to_owned).collect())
        };
        assert_eq!(flags("targets__name_of_a_test__are_those_that_have_it")?, ["--bin=xtask"]);
        // A macro in another file creates a suite's test where the suite is used.
        assert_eq!(flags("redis::suites::expiring::states::rounds_count_by")?, ["--test=it"]);
        assert_eq!(flags("no_test_has_such_a_name")?, Vec::<String>::new());
        let all = Targets::that_can_have(&[], &metadata)?;
        assert!(all.start_the_server() && all.flags().contains(&"--test=sdks"), "{all:?}");
        Ok(())
    }
}
