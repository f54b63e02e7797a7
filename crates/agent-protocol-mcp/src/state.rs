//! What this process remembers of its clients. Nothing here is needed by a client of 2026-07-28.

use agent_schemas::{JsonObject, RunId};
use tokio::sync::watch;

use crate::log_level::LogLevel;
use crate::recent::Recent;
use crate::rpc::Id;

/// The number of sessions, calls and questions of which anything is remembered.
const CAPACITY: usize = 10_000;

/// The log level of sessions that have not set one.
const DEFAULT_LEVEL: LogLevel = LogLevel::Warning;

/// What clients of earlier versions have said outside of the request that is being answered.
#[derive(Debug)]
pub(crate) struct State {
    /// The sessions that were deleted.
    ended: Recent<String, ()>,
    levels: Recent<String, LogLevel>,
    /// The runs of tool calls, by their session and request.
    calls: Recent<(String, String), RunId>,
    /// The runs that have asked something.
    questions: Recent<RunId, Question>,
    /// The resources that sessions watch.
    watched: Recent<String, watch::Sender<Vec<String>>>,
}

/// A question of a run, whose parts are answered one by one.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The results so far, and the run that continues.
    progress: watch::Sender<Answers>,
}

#[derive(Clone, Debug, Default)]
struct Answers {
    results: JsonObject,
    /// Whether somebody starts the run that continues, or has done so.
    is_taken: bool,
    continued_by: Option<RunId>,
}

impl Default for State {
    fn default() -> Self {
        State {
            ended: Recent::new(CAPACITY),
            levels: Recent::new(CAPACITY),
            calls: Recent::new(CAPACITY),
            questions: Recent::new(CAPACITY),
            watched: Recent::new(CAPACITY),
        }
    }
}

impl State {
    pub(crate) fn end(&self, session: &str) {
        let session = session.to_owned();
        self.levels.remove(&session);
        self.watched.remove(&session);
        self.ended.insert(session, ());
    }

    pub(crate) fn has_ended(&self, session: &str) -> bool {
        self.ended.get(&session.to_owned()).is_some()
    }

    pub(crate) fn set_level(&self, session: &str, level: LogLevel) {
        self.levels.insert(session.to_owned(), level);
    }

    pub(crate) fn level(&self, session: &str) -> LogLevel {
        self.levels.get(&session.to_owned()).unwrap_or(DEFAULT_LEVEL)
    }

    /// Notes which run answers a request, so that the request can be cancelled.
    pub(crate) fn note_call(&self, session: &str, request: &Id, run: RunId) {
        self.calls.insert((session.to_owned(), key(request)), run);
    }

    pub(crate) fn call(&self, session: &str, request: &Id) -> Option<RunId> {
        self.calls.get(&(session.to_owned(), key(request)))
    }

    pub(crate) fn question(&self, asked_by: &RunId) -> Question {
        self.questions.get_or_insert_with(asked_by, || Question { progress: watch::Sender::default() })
    }

    /// The URIs of the resources that a session watches.
    pub(crate) fn watched(&self, session: &str) -> watch::Sender<Vec<String>> {
        self.watched.get_or_insert_with(&session.to_owned(), watch::Sender::default)
    }
}

fn key(id: &Id) -> String {
    id.to_json().to_string()
}

impl Question {
    /// Adds the result of one part. If all of these are there now, returns them, to the caller who then has to continue; to
    /// nobody else.
    pub(crate) fn add(&self, part: &str, result: JsonObject, all: &JsonObject) -> Option<JsonObject> {
        let mut complete = None;
        self.progress.send_modify(|answers| {
            if answers.is_taken {
                return;
            }
            answers.results.insert(part.to_owned(), result.into());
            if all.keys().all(|key| answers.results.contains_key(key)) {
                answers.is_taken = true;
                complete = Some(std::mem::take(&mut answers.results));
            }
        });
        complete
    }

    /// Notes which run continues; `None` if none could be started, so that the client may answer again.
    pub(crate) fn continue_with(&self, run: Option<RunId>) {
        self.progress.send_modify(|answers| {
            answers.is_taken = run.is_some();
            answers.continued_by = run;
        });
    }

    /// Waits for the run that continues.
    pub(crate) async fn continued(&self) -> Option<RunId> {
        let mut progress = self.progress.subscribe();
        let answers = progress.wait_for(|answers| answers.continued_by.is_some()).await;
        answers.ok()?.continued_by.clone()
    }
}
