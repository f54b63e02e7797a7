//! Agents in Python: which interpreter, and with which modules.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::Program;

/// The program that a worker executes.
const MAIN: &str = include_str!("python/__main__.py");

/// The modules of the package, which an environment therefore need not have. If it has them, these are used nevertheless,
/// because they speak the server's version of the protocol. Each is a path below the package's folder, and a text.
const MODULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The program and the package in a folder of their own, which is deleted when this is dropped.
#[derive(Debug)]
pub struct Package {
    folder: TempDir,
    /// Held open, because systemd does not clean temporary folders that are locked, however old they are.
    _lock: File,
}

impl Package {
    /// Writes the package.
    ///
    /// # Errors
    /// The system's error.
    pub fn unpack() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("agent-server-python-").tempdir()?;
        let package = folder.path().join("agent_server");
        fs::write(folder.path().join("__main__.py"), MAIN)?;
        for (name, text) in MODULES {
            let file = package.join(name);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(file, text)?;
        }
        let lock = File::open(folder.path())?;
        lock.lock_shared()?;
        Ok(Package { folder, _lock: lock })
    }
}

/// A script with agents.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file.
    pub file: PathBuf,
    /// The interpreter, if it is not the one of the environment.
    pub python: Option<PathBuf>,
}

impl Script {
    /// How to start a worker for the script. `environment` is that of the worker; its `VIRTUAL_ENV` and `PATH` also choose
    /// the interpreter, unless the script or this program has a virtual environment.
    ///
    /// # Errors
    /// What is missing.
    pub fn program(
        &self,
        package: &Package,
        mut environment: Vec<(OsString, OsString)>,
    ) -> Result<Program, String> {
        let file = self.file.canonicalize().map_err(|error| format!("{}: {error}", self.file.display()))?;
        let value = |name: &str| {
            environment
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.clone())
        };
        let path = match &self.python {
            Some(python) => python.clone(),
            None => {
                let server = std::env::current_exe().unwrap_or_default();
                interpreter(&file, value("VIRTUAL_ENV").as_deref(), &server, value("PATH").as_deref()).ok_or_else(|| {
                    "there is no Python: install Python 3.10 or newer, activate a virtual environment, or set `python`"
                        .to_owned()
                })?
            }
        };
        environment.push(("PYTHONUNBUFFERED".into(), "1".into()));
        let arguments = vec![package.folder.path().into(), file.into_os_string()];
        Ok(Program { path, arguments, environment })
    }
}

/// The interpreter of the activated environment, of the script's own, of its project in uv, of the environment in which
/// the server is installed, or on the path.
fn interpreter(
    script: &Path,
    virtual_env: Option<&OsStr>,
    server: &Path,
    path: Option<&OsStr>,
) -> Option<PathBuf> {
    let in_environment = |folder: &Path| Some(folder.join("bin/python")).filter(|python| python.exists());
    let of_project =
        |folder: &Path| [".venv", "venv"].iter().find_map(|name| in_environment(&folder.join(name)));
    let own = || script.ancestors().skip(1).find_map(of_project);
    let of_server = || {
        let folder = server.ancestors().nth(2).filter(|folder| folder.join("pyvenv.cfg").exists())?;
        in_environment(folder)
    };
    virtual_env
        .and_then(|folder| in_environment(Path::new(folder)))
        .or_else(own)
        .or_else(|| of_uv(script, path))
        .or_else(of_server)
        .or_else(|| on_path(&["python3", "python"], path))
}

/// The interpreter that uv has chosen for the script's project. uv is only asked: as the parent of the worker, it would not
/// pass signals on.
fn of_uv(script: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    let project = script.ancestors().skip(1).find(|folder| folder.join("uv.lock").exists())?;
    let mut uv = Command::new(on_path(&["uv"], path)?);
    let found =
        uv.args(["python", "find", "--directory"]).arg(project).stderr(Stdio::null()).output().ok()?;
    let python = PathBuf::from(String::from_utf8(found.stdout).ok()?.trim());
    Some(python).filter(|python| python.is_file())
}

/// The first program with one of these names on the path.
fn on_path(names: &[&str], path: Option<&OsStr>) -> Option<PathBuf> {
    let mut folders = std::env::split_paths(path?);
    folders.find_map(|folder| names.iter().map(|name| folder.join(name)).find(|program| program.is_file()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn interpreter__activated_own_of_uv_of_the_server_or_on_the_path__in_this_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |path: &str| {
            let python = folder.path().join(path);
            fs::create_dir_all(python.parent().expect("a folder")).expect("created");
            fs::write(&python, "").expect("written");
            python
        };
        let (active, own, system) =
            (make("active/bin/python"), make("project/.venv/bin/python"), make("usr/python3"));
        let (script, server, of_server) =
            (make("project/src/app.py"), make("env/bin/agent-server"), make("env/bin/python"));
        let (virtual_env, path) = (folder.path().join("active"), folder.path().join("usr"));
        let find = |virtual_env: Option<&Path>, path: Option<&Path>| {
            interpreter(&script, virtual_env.map(Path::as_os_str), &server, path.map(Path::as_os_str))
        };
        assert_eq!(find(Some(&virtual_env), Some(&path)), Some(active));
        assert_eq!(find(Some(Path::new("/nowhere")), Some(&path)), Some(own.clone()));
        let beside = make("project/src/venv/bin/python");
        assert_eq!(find(None, Some(&path)), Some(beside));
        fs::remove_dir_all(folder.path().join("project/src/venv")).expect("removed");
        make("project/venv/bin/python");
        assert_eq!(find(None, Some(&path)), Some(own));
        fs::rename(folder.path().join("project/.venv"), folder.path().join("unused")).expect("moved");
        assert_eq!(find(None, Some(&path)), Some(folder.path().join("project/venv/bin/python")));
        fs::remove_dir_all(folder.path().join("project/venv")).expect("removed");
        let (uv, of_uv) = (make("usr/uv"), make("uv/python"));
        make("project/uv.lock");
        let answer = format!("#!/bin/sh\n[ \"$1 $2\" = 'python find' ] && echo {}\n", of_uv.display());
        fs::write(&uv, answer).expect("written");
        fs::set_permissions(&uv, fs::Permissions::from_mode(0o755)).expect("set");
        assert_eq!(find(None, Some(&path)), Some(of_uv));
        fs::write(&uv, "#!/bin/sh\nexit 2\n").expect("written");
        // A binary beside an interpreter is installed in an environment only if there is one.
        assert_eq!(find(None, Some(&path)), Some(system));
        make("env/pyvenv.cfg");
        assert_eq!(find(None, Some(&path)), Some(of_server));
        fs::remove_dir_all(folder.path().join("env")).expect("removed");
        assert_eq!(find(None, None), None);
    }

    #[test]
    fn package__version__is_the_servers() {
        let line = format!("__version__ = \"{}\"\n", env!("CARGO_PKG_VERSION"));
        let (_, text) = MODULES.iter().find(|(name, _)| *name == "__init__.py").expect("a package");
        assert!(text.contains(&line), "python/agent_server/__init__.py lacks {line}");
    }
}
