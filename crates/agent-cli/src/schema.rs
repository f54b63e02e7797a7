//! `agent-server schema`: the JSON Schemas of the wire types, printed, written, or compared with files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::config::ConfigError;
use agent_schemas::export::{self, BUNDLE_FILE};
use agent_schemas::json;
use anyhow::Context;

use crate::cli::{SchemaOptions, print};

/// Executes the command. The exit code is 1 if a checked folder is out of date.
pub(crate) fn run(options: &SchemaOptions) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &options.check {
        return check(folder);
    }
    let files = match &options.name {
        None => export::files(),
        Some(name) => vec![file_of(name)?],
    };
    match &options.out {
        Some(folder) => write(folder, &files, options.name.is_none())?,
        None => print(files.first().map_or("", |(_, text)| text))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn file_of(name: &str) -> anyhow::Result<(String, String)> {
    let Some(document) = export::document(name) else {
        let names: Vec<String> = export::definitions().into_keys().collect();
        let wanted = name.to_lowercase();
        let is_near = |known: &&String| {
            known.to_lowercase().contains(&wanted) || wanted.contains(&known.to_lowercase())
        };
        let near: Vec<&str> = names.iter().filter(is_near).map(String::as_str).collect();
        let hint = if near.is_empty() {
            "omit --type to see all of them".to_owned()
        } else {
            format!("similar types are {}", near.join(", "))
        };
        let message = format!("there is no type '{name}'; {hint}");
        return Err(ConfigError::from_message(message).into());
    };
    Ok((format!("{name}.schema.json"), export::to_text(&document)))
}

/// Writes the files. A complete export also removes the files of types that no longer exist.
fn write(folder: &Path, files: &[(String, String)], is_complete: bool) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("could not create the folder {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
    }
    let mut done = format!(
        "wrote {} {} to {}\n",
        files.len(),
        if files.len() == 1 { "file" } else { "files" },
        folder.display()
    );
    for name in if is_complete { leftovers(folder, files)? } else { Vec::new() } {
        let path = folder.join(&name);
        fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        done.push_str(&format!("removed {name}, which is not a schema of this version\n"));
    }
    print(&done)
}

/// Files of an earlier export that are not among these. Other files are ignored.
fn leftovers(folder: &Path, files: &[(String, String)]) -> anyhow::Result<Vec<String>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not read the folder {}", folder.display()))?;
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let is_ours = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.contains(&format!("\"$id\": \"{}", export::ID_PREFIX))
    };
    let found = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left = found
        .filter(|name| name.ends_with(".schema.json") && !names.contains(name.as_str()) && is_ours(name));
    Ok(left.collect())
}

/// Compares a folder with what [`write()`] would write.
fn check(folder: &Path) -> anyhow::Result<ExitCode> {
    let files = export::files();
    let left = leftovers(folder, &files)?;
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let mut stale: Vec<String> = Vec::new();
    for (name, text) in &files {
        match read(name) {
            Ok(found) if found == *text => {}
            Ok(_) => stale.push(format!("{name} is out of date")),
            Err(error) => stale.push(format!("could not read {name}: {error}")),
        }
    }
    stale.extend(left.iter().map(|name| format!("{name} is not a schema of this version")));
    if stale.is_empty() {
        print(&format!("{} files in {} are up to date\n", files.len(), folder.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = format!("{} is not up to date:\n", folder.display());
    let old = read(BUNDLE_FILE).ok().and_then(|text| json::parse(&text).ok());
    let changes = old.map(|old| export::compare(&old, &export::bundle())).unwrap_or_default();
    let lines = stale.into_iter().chain(changes.iter().map(ToString::to_string));
    report.extend(lines.map(|line| format!("  {line}\n")));
    report.push_str(&format!("To update it, run: agent-server schema --out '{}'\n", folder.display()));
    print(&report)?;
    Ok(ExitCode::FAILURE)
}
