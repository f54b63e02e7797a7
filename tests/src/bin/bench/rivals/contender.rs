//! What has to be known about a server to measure it.

use std::path::Path;

/// A server in one configuration: a row of the table.
pub(crate) trait Contender {
    /// Its name and version, and where it keeps runs.
    fn name(&self) -> String;

    /// What has to be installed; nothing for our own server.
    fn packages(&self) -> Option<Packages>;

    /// The program with its arguments.
    fn command(&self, launch: &Launch<'_>) -> Vec<String>;

    /// A path that answers GET with success as soon as the server can serve.
    fn ready_path(&self) -> &'static str;

    /// The request for a run, with its head.
    fn request(&self, run: &Run<'_>) -> Vec<u8>;

    /// Bytes that each event with a word has once, and no other event has.
    fn word_marker(&self) -> &'static str;

    /// The request that continues to read a stream after its last event; `None` if the server has no way to do this.
    fn resume(&self, cut: &Cut) -> Option<Vec<u8>>;

    /// The request for the state of a run, whose answer is JSON with a field `status`; `None` if there is none.
    fn status(&self, cut: &Cut) -> Option<Vec<u8>>;

    /// The request for the history of a run's session; `None` if there is none.
    fn history(&self, cut: &Cut) -> Option<Vec<u8>>;
}

/// The packages of a server: the name of a folder in `tests/rivals` with the pinned versions and the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packages {
    Python(&'static str),
    JavaScript(&'static str),
}

impl Packages {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Packages::Python(folder) | Packages::JavaScript(folder) => folder,
        }
    }
}

/// Where and with what a server is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Launch<'a> {
    /// Our own server's binary.
    pub(crate) binary: &'a Path,
    /// Where the packages are installed, with the agent.
    pub(crate) installed: &'a Path,
    /// A folder that outlives the process. It is also the working directory.
    pub(crate) data: &'a Path,
    pub(crate) port: u16,
}

impl Launch<'_> {
    /// A program of the virtual environment.
    pub(crate) fn venv(&self, program: &str) -> String {
        self.installed.join(".venv/bin").join(program).display().to_string()
    }

    /// A file beside the agent.
    pub(crate) fn file(&self, name: &str) -> String {
        self.installed.join(name).display().to_string()
    }

    /// A file that outlives the process.
    pub(crate) fn data(&self, name: &str) -> String {
        self.data.join(name).display().to_string()
    }
}

/// A run to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// Shaped like a UUID, as LangGraph demands.
    pub(crate) session: &'a str,
    /// What the agent is to say, word by word.
    pub(crate) words: &'a str,
    /// The pause before each word except the first.
    pub(crate) delay_ms: u64,
}

impl Run<'_> {
    /// The input of the agents in `tests/rivals`, which take the pause from its first word.
    pub(crate) fn text(&self) -> String {
        format!("d{} {}", self.delay_ms, self.words)
    }
}

/// A run whose stream was cut.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) session: String,
    /// The answer so far, with its head.
    pub(crate) received: String,
}

impl Cut {
    /// The value after the first occurrence of `before`: up to a quote, a comma, a brace or the end of the line.
    pub(crate) fn first(&self, before: &str) -> Option<&str> {
        self.received.split_once(before).map(|(_, rest)| value(rest))
    }

    /// The same after the last occurrence.
    pub(crate) fn last(&self, before: &str) -> Option<&str> {
        self.received.rsplit_once(before).map(|(_, rest)| value(rest))
    }

    /// How many events have arrived.
    pub(crate) fn events(&self) -> usize {
        self.received.matches("\ndata: ").count()
    }
}

fn value(rest: &str) -> &str {
    rest.trim_start_matches([' ', '"']).split(['"', ',', '\n', '}']).next().unwrap_or_default()
}

/// A POST with JSON.
pub(crate) fn post_json(path: &str, body: &serde_json::Value) -> Vec<u8> {
    post(path, "application/json", &body.to_string())
}

/// A POST of a form; the values must not need escapes other than for spaces.
pub(crate) fn post_form(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    post(path, "application/x-www-form-urlencoded", &pairs.join("&"))
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A GET with additional headers, each with its end of line.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}
