//! Which file is served: the one that is named, or the one that a folder's project is started with.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::ConfigError;

/// The files of a folder of which the first is served.
const FILES: [&str; 7] =
    ["langgraph.json", "app.py", "agent.py", "main.py", "src/app.py", "src/agent.py", "src/main.py"];

/// A file with agents, and the one of them that is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entrypoint {
    pub(super) file: PathBuf,
    pub(super) agent: Option<String>,
}

/// Whether this is a file or a folder and not the address of a server. A script that is missing is one, too.
#[cfg(feature = "client")]
pub(crate) fn is_script(source: &str) -> bool {
    let file = Entrypoint::in_folder(Path::new(""), source).file;
    !source.contains("://") && (file.exists() || file.extension().is_some_and(|extension| extension == "py"))
}

impl Entrypoint {
    /// What `FILE`, `FILE:AGENT`, `FOLDER` or `FOLDER:AGENT` means.
    ///
    /// # Errors
    /// If there is no such file, or nothing in the folder says what to serve.
    pub(super) fn find(source: &str) -> Result<Self, ConfigError> {
        let named = Entrypoint::in_folder(Path::new(""), source);
        if !named.file.is_dir() {
            return named.existing("");
        }
        let found = in_project(&named.file)?.or_else(|| known_file(&named.file)).ok_or_else(|| {
            ConfigError::from_message(format!(
                "nothing in '{}' says what to serve: name the script, write `entrypoint = \"FILE.py\"` below \
                 [tool.agent-server] in its pyproject.toml, or call the script {}",
                named.file.display(),
                FILES.join(", "),
            ))
        })?;
        Ok(Entrypoint { agent: named.agent.or(found.agent), ..found })
    }

    /// A name may follow the last colon, unless the colon belongs to the file.
    fn in_folder(folder: &Path, text: &str) -> Self {
        match text.rsplit_once(':') {
            Some((file, agent)) if !folder.join(text).exists() => {
                Entrypoint { file: folder.join(file), agent: Some(agent.to_owned()) }
            }
            _ => Entrypoint { file: folder.join(text), agent: None },
        }
    }

    fn existing(self, said_by: &str) -> Result<Self, ConfigError> {
        if self.file.is_file() {
            return Ok(self);
        }
        Err(ConfigError::from_message(format!("{said_by}there is no file '{}'", self.file.display())))
    }
}

fn known_file(folder: &Path) -> Option<Entrypoint> {
    let mut files = FILES.iter().map(|name| folder.join(name));
    files.find(|file| file.is_file()).map(|file| Entrypoint { file, agent: None })
}

/// The part of a `pyproject.toml` that is about this program.
#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    tool: Tools,
}

#[derive(Default, Deserialize)]
struct Tools {
    #[serde(rename = "agent-server")]
    agent_server: Option<Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    entrypoint: String,
}

/// The entry point in a folder's `pyproject.toml`, if it has one.
fn in_project(folder: &Path) -> Result<Option<Entrypoint>, ConfigError> {
    let path = folder.join("pyproject.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let failed =
        |error: &dyn std::fmt::Display| ConfigError::from_message(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let project: Project = toml::from_str(&text).map_err(|error| failed(&error))?;
    let Some(settings) = project.tool.agent_server else { return Ok(None) };
    let said_by = format!("{}: tool.agent-server.entrypoint: ", path.display());
    Entrypoint::in_folder(folder, &settings.entrypoint).existing(&said_by).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(path, text).expect("written");
        }
        folder
    }

    /// The file in the folder and the agent, or the error.
    fn found(folder: &Path, agent: &str) -> Result<(String, Option<String>), String> {
        let found =
            Entrypoint::find(&format!("{}{agent}", folder.display())).map_err(|error| error.to_string())?;
        let file = found.file.strip_prefix(folder).expect("in the folder");
        Ok((file.to_str().expect("UTF-8").to_owned(), found.agent))
    }

    #[test]
    fn folder__with_several_files__serves_the_first() {
        let entrypoint = "[project]\nname = 'x'\n[tool.agent-server]\nentrypoint = 'src/bot/app.py:agent'\n";
        let folder = folder_with(&[("pyproject.toml", entrypoint), ("src/bot/app.py", "")]);
        let mut expected = vec![("src/bot/app.py", Some("agent"))];
        for file in FILES.iter().rev() {
            let path = folder.path().join(file);
            fs::write(path, "").expect("written");
        }
        expected.extend(FILES.iter().map(|file| (*file, None)));
        for (file, agent) in expected {
            assert_eq!(found(folder.path(), ""), Ok((file.to_owned(), agent.map(str::to_owned))));
            assert_eq!(found(folder.path(), ":other"), Ok((file.to_owned(), Some("other".to_owned()))));
            if agent.is_some() {
                fs::write(folder.path().join("pyproject.toml"), "[tool.other]\n").expect("written");
            } else {
                fs::remove_file(folder.path().join(file)).expect("removed");
            }
        }
        let error = found(folder.path(), "").expect_err("nothing is left");
        assert!(
            FILES.iter().all(|file| error.contains(file)) && error.contains("[tool.agent-server]"),
            "{error}"
        );
    }

    #[test]
    fn entrypoint__of_a_project__has_to_be_right() {
        for (project, expected) in [
            (
                "[tool.agent-server]\nentrypoint = 'bot.py:agent'\n",
                "pyproject.toml: tool.agent-server.entrypoint: there is no file",
            ),
            ("[tool.agent-server]\nscript = 'app.py'\n", "unknown field `script`, expected `entrypoint`"),
            ("[tool.agent-server]\nentrypoint = 3\n", "expected a string"),
            ("[tool\n", "pyproject.toml: TOML parse error"),
        ] {
            let folder = folder_with(&[("pyproject.toml", project), ("app.py", "")]);
            let error = found(folder.path(), "").expect_err(project);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[cfg(feature = "client")]
    #[test]
    fn source__that_is_an_address__is_no_script() {
        for script in [".", "src", "src/main.rs:agent", "missing.py", "missing.py:agent"] {
            assert!(is_script(script), "{script}");
        }
        for address in ["http://127.0.0.1:8080", "https://example.com/app.py", "localhost:8080", "[::1]:8080"]
        {
            assert!(!is_script(address), "{address}");
        }
    }

    #[test]
    fn file__with_a_colon_in_its_name__is_not_split() {
        let folder = folder_with(&[("a:b.py", "")]);
        assert_eq!(found(folder.path(), "/a:b.py"), Ok(("a:b.py".to_owned(), None)));
        assert_eq!(found(folder.path(), "/a:b.py:c"), Ok(("a:b.py".to_owned(), Some("c".to_owned()))));
        assert!(found(folder.path(), "/c.py").expect_err("missing").contains("there is no file"));
    }
}
