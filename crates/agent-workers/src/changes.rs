//! Notices changes of a script and its modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The maximum number of files, so that a folder that is not a project costs little.
const MAX_FILES: usize = 10_000;

/// The time and the size of each file.
type Files = BTreeMap<PathBuf, (SystemTime, u64)>;

/// The Python files of a folder.
#[derive(Debug)]
pub(crate) struct PythonFiles {
    folder: PathBuf,
    /// How often they are looked at.
    interval: Duration,
    known: Files,
}

impl PythonFiles {
    /// The files as they are now.
    pub(crate) async fn of(folder: &Path, interval: Duration) -> Self {
        PythonFiles { folder: folder.to_owned(), interval, known: collected(folder).await }
    }

    /// Waits until the files differ from those before.
    pub(crate) async fn wait_for_change(&mut self) {
        loop {
            sleep(self.interval).await;
            let files = collected(&self.folder).await;
            if files != self.known {
                self.known = files;
                return;
            }
        }
    }
}

async fn collected(folder: &Path) -> Files {
    let folder = folder.to_owned();
    let files = spawn_blocking(move || {
        let mut files = Files::new();
        collect(&folder, &mut files);
        files
    });
    // The task can only fail by a panic.
    files.await.unwrap_or_default()
}

/// Adds the Python files of a folder and its subfolders, without hidden ones and virtual environments.
fn collect(folder: &Path, files: &mut Files) {
    if folder.join("pyvenv.cfg").exists() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else { continue };
        if name.to_string_lossy().starts_with(['.', '_']) && kind.is_dir() || files.len() >= MAX_FILES {
            continue;
        }
        if kind.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py")
            && let Ok(metadata) = entry.metadata()
            && let Ok(time) = metadata.modified()
        {
            files.insert(path, (time, metadata.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files__of_a_project__are_its_own_python_files() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [
            "app.py",
            "data.json",
            "bot/words.py",
            ".venv/x.py",
            "env/pyvenv.cfg",
            "env/y.py",
            "__pycache__/z.py",
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(path, "").expect("written");
        }
        let mut files = Files::new();
        collect(folder.path(), &mut files);
        let names: Vec<_> = files.keys().filter_map(|path| path.strip_prefix(folder.path()).ok()).collect();
        assert_eq!(names, [Path::new("app.py"), Path::new("bot/words.py")]);
    }
}
