//! What a run knows of the steps of its turn, and of the questions that its user has answered.
//!
//! Each is an entry of the run's journal in the run store ([`RunStore::put_step`](crate::RunStore::put_step)). A run that
//! is taken over reads its journal again. A run that answers the question of another one continues that turn, so it finds
//! the entries of that run, too.

mod entry;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent_schemas::{Error, ErrorBody, Json};
use agent_services::retry::retry_unavailable;
use agent_services::run::Step;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::agent::AgentError;
use crate::live::LiveRun;
use crate::{Reservation, StepEffect};

pub(crate) use self::entry::{Entry, Key};
pub(crate) use self::turn::question_id;

/// The maximum size of the journal of one turn, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The journal of a run in progress. It is read when the agent first asks for it.
#[derive(Debug, Default)]
pub(crate) struct Journal(OnceCell<Box<Mutex<Turn>>>);

/// The journal of a turn: that of the run, and those of the runs that it continues.
#[derive(Debug)]
struct Turn {
    known: BTreeMap<String, Entry>,
    /// The steps that the agent has begun since it was started. Those that failed and may be repeated are not among them.
    used: BTreeSet<String>,
    bytes: usize,
    /// The memory of the entries that were read.
    _memory: Reservation,
}

impl Journal {
    async fn turn(&self, live: &LiveRun) -> Result<&Mutex<Turn>, AgentError> {
        let read = || async {
            let known = turn::read(live).await?;
            let bytes = known.iter().map(|(key, entry)| key.len() + entry.bytes()).sum();
            let mut memory = live.log.reservation();
            memory.set(bytes);
            Ok(Box::new(Mutex::new(Turn { known, used: BTreeSet::new(), bytes, _memory: memory })))
        };
        self.0.get_or_try_init(read).await.map(|turn| &**turn)
    }

    /// Begins a step. Returns its result if it was already done.
    pub(crate) async fn begin(
        &self,
        live: &LiveRun,
        name: &str,
        effect: StepEffect,
    ) -> Result<Option<Json>, AgentError> {
        let (turn, key) = (self.turn(live).await?, Key::step(name));
        let known = {
            let mut turn = turn.lock();
            if !turn.used.insert(key.clone()) {
                return Err(AgentError::message(format!(
                    "the step '{name}' was already taken in this run; give each step a key of its own"
                )));
            }
            turn.known.get(&key).cloned()
        };
        match known {
            Some(Entry::Done(result)) => Ok(Some(result)),
            Some(Entry::Failed(error)) => Err(error_of(error).into()),
            Some(Entry::Begun {}) => Err(AgentError::incomplete(format!(
                "the step '{name}' was cut off, and it may only be taken once"
            ))),
            _ => {
                if effect == StepEffect::Once {
                    put(live, turn, key, Entry::Begun {}).await?;
                }
                Ok(None)
            }
        }
    }

    /// Keeps the result of a step.
    pub(crate) async fn end(&self, live: &LiveRun, name: &str, result: Json) -> Result<(), AgentError> {
        put(live, self.turn(live).await?, Key::step(name), Entry::Done(result)).await
    }

    /// Notes that a step has failed. If it may only be taken once, the error is its result.
    pub(crate) async fn fail(
        &self,
        live: &LiveRun,
        name: &str,
        effect: StepEffect,
        error: &Error,
    ) -> Result<(), AgentError> {
        let (turn, key) = (self.turn(live).await?, Key::step(name));
        if effect == StepEffect::Once {
            return put(live, turn, key, Entry::Failed(error.to_body())).await;
        }
        turn.lock().used.remove(&key);
        Ok(())
    }

    /// What is known of a question.
    pub(crate) async fn question(&self, live: &LiveRun, name: &str) -> Result<Option<Entry>, AgentError> {
        Ok(self.turn(live).await?.lock().known.get(&Key::question(name)).cloned())
    }

    /// Keeps what is known of a question.
    pub(crate) async fn note_question(
        &self,
        live: &LiveRun,
        name: &str,
        entry: Entry,
    ) -> Result<(), AgentError> {
        let (turn, key) = (self.turn(live).await?, Key::question(name));
        put(live, turn, key.clone(), entry.clone()).await?;
        turn.lock().known.insert(key, entry);
        Ok(())
    }
}

/// The error of a failed step. The text of an unexpected one stays in the server's log.
fn error_of(body: ErrorBody) -> Error {
    let unknown = Error::unknown("StepError", body.message.clone());
    if body.code == unknown.code() { unknown } else { body.into() }
}

/// Writes an entry, after everything that the run has written so far: what precedes a step is in the log, whatever
/// happens later.
async fn put(live: &LiveRun, turn: &Mutex<Turn>, key: String, entry: Entry) -> Result<(), AgentError> {
    let bytes = {
        let turn = turn.lock();
        turn.bytes + key.len() + entry.bytes()
    };
    if bytes > MAX_BYTES {
        return Err(AgentError::message(format!(
            "the results of the run's steps would have {bytes} bytes, and the limit is {MAX_BYTES}; keep large results elsewhere"
        )));
    }
    turn.lock().bytes = bytes;
    live.all_stored().await;
    keep(live, key, &entry).await
}

/// Writes an entry to the run's journal.
async fn keep(live: &LiveRun, key: String, entry: &Entry) -> Result<(), AgentError> {
    let (runs, id) = (&live.services.runs, &live.record.id);
    let step = Step::new(key, entry.to_text());
    retry_unavailable(Duration::MAX, || runs.put_step(id, live.token, step.clone())).await?;
    Ok(())
}
