//! The steps of a run's turn, and the questions that its user has answered.
//!
//! Each is an entry of the run's journal in the run store ([`RunStore::put_step`](crate::RunStore::put_step)). A run that
//! is taken over reads its journal again. A run that answers the question of another one continues that turn, so it finds
//! the entries of that run, too.

mod turn;

use std::time::Duration;

use agent_schemas::{Error, ErrorBody, Json};
use agent_services::retry::retry_unavailable;
use agent_services::run::Step;
use parking_lot::Mutex;

use crate::agent::AgentError;
use crate::live::{Entry, Key, LiveRun, Turn};
use crate::step_effect::StepEffect;

pub(crate) use self::turn::question_id;

/// The maximum size of the journal of one turn, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The journal of a run's turn, which is read once.
async fn turn_of(live: &LiveRun) -> Result<&Mutex<Turn>, AgentError> {
    let read = || async {
        let known = turn::read(live).await?;
        Ok(Box::new(Mutex::new(Turn::new(known, live.log.reservation()))))
    };
    live.journal.0.get_or_try_init(read).await.map(|turn| &**turn)
}

/// Begins a step. Returns its result if it was already done.
pub(crate) async fn begin(
    live: &LiveRun,
    name: &str,
    effect: StepEffect,
) -> Result<Option<Json>, AgentError> {
    let (turn, key) = (turn_of(live).await?, Key::step(name));
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
pub(crate) async fn end(live: &LiveRun, name: &str, result: Json) -> Result<(), AgentError> {
    put(live, turn_of(live).await?, Key::step(name), Entry::Done(result)).await
}

/// Notes that a step has failed. If it may only be taken once, the error is its result.
pub(crate) async fn fail(
    live: &LiveRun,
    name: &str,
    effect: StepEffect,
    error: &Error,
) -> Result<(), AgentError> {
    let (turn, key) = (turn_of(live).await?, Key::step(name));
    if effect == StepEffect::Once {
        return put(live, turn, key, Entry::Failed(error.to_body())).await;
    }
    turn.lock().used.remove(&key);
    Ok(())
}

/// The entry of a question, if there is one.
pub(crate) async fn question(live: &LiveRun, name: &str) -> Result<Option<Entry>, AgentError> {
    Ok(turn_of(live).await?.lock().known.get(&Key::question(name)).cloned())
}

/// Keeps what is known of a question.
pub(crate) async fn note_question(live: &LiveRun, name: &str, entry: Entry) -> Result<(), AgentError> {
    let (turn, key) = (turn_of(live).await?, Key::question(name));
    put(live, turn, key.clone(), entry.clone()).await?;
    turn.lock().known.insert(key, entry);
    Ok(())
}

/// The error of a failed step. The text of an unexpected one stays in the server's log.
fn error_of(body: ErrorBody) -> Error {
    let unknown = Error::unknown("StepError", body.message.clone());
    if body.code == unknown.code() { unknown } else { body.into() }
}

/// Writes an entry, after everything that the run has written so far: what precedes a step is in the log, whatever
/// happens later.
async fn put(live: &LiveRun, turn: &Mutex<Turn>, key: String, entry: Entry) -> Result<(), AgentError> {
    let step = Step::new(key, entry.to_text());
    {
        let mut turn = turn.lock();
        let bytes = turn.bytes + step.key.len() + step.data.len();
        if bytes > MAX_BYTES {
            return Err(AgentError::message(format!(
                "the results of the run's steps would have {bytes} bytes, and the limit is {MAX_BYTES}; keep large results elsewhere"
            )));
        }
        turn.bytes = bytes;
    }
    live.all_stored().await;
    keep(live, step).await
}

/// Writes an entry to the run's journal.
async fn keep(live: &LiveRun, step: Step) -> Result<(), AgentError> {
    let (runs, id) = (&live.services.runs, &live.record.id);
    retry_unavailable(Duration::MAX, || runs.put_step(id, live.token, step.clone())).await?;
    Ok(())
}
