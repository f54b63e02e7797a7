//! Lists the modules of the Python package, so that the crate contains all of them.
#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script everything in variables")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let package =
        Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../python/agent_server").canonicalize()?;
    println!("cargo::rerun-if-changed={}", package.display());
    let mut files = Vec::new();
    collect(&package, &mut files)?;
    files.sort();
    let mut list = "&[\n".to_owned();
    for file in files {
        let name = file.strip_prefix(&package)?;
        writeln!(list, "({name:?}, include_str!({file:?})),")?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("modules.rs"), list + "]")?;
    Ok(())
}

/// Adds the Python files of a folder and its subfolders.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
    Ok(())
}
