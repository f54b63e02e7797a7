//! Finds the turn that a run belongs to: the runs before it, whose question it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_schemas::{Error, Json, Message, Role, RunId};
use agent_services::page::PageSize;
use agent_services::retry::retry_unavailable;
use agent_services::run::{Step, may_exist};

use super::keep;
use crate::agent::AgentError;
use crate::answer::Answer;
use crate::live::{Entry, Key, LiveRun, run_of};

/// How many runs one turn may have.
const MAX_RUNS: usize = 100;

/// The prefix of a question's id. The rest is the run's id without its own prefix.
const PREFIX: &str = "mcpr_";

type Entries = BTreeMap<String, Entry>;

/// The id of the question that a run asks. The answer may name it.
pub(crate) fn question_id(run: &RunId) -> String {
    format!("{PREFIX}{}", run.as_str().trim_start_matches("run_"))
}

/// The run that has asked a question.
fn asked_by(question: &str) -> Option<RunId> {
    let id = RunId::new(format!("run_{}", question.strip_prefix(PREFIX)?));
    may_exist(&id).then_some(id)
}

/// The journal of a run's turn.
pub(super) async fn read(live: &LiveRun) -> Result<Entries, AgentError> {
    let was_taken_over = !live.record.epochs.is_empty();
    let mut known = if was_taken_over { entries_of(live, &live.record.id).await? } else { Entries::new() };
    let mut before = match run_of(known.get(Key::CONTINUES)) {
        None => answer(live, &mut known).await?,
        before => before,
    };
    for _ in 0..MAX_RUNS {
        let Some(id) = before else { break };
        let earlier = entries_of(live, &id).await?;
        before = run_of(earlier.get(Key::CONTINUES));
        for (key, entry) in earlier {
            // A question that the earlier run has asked is not one of this run.
            if entry != (Entry::Asked {}) {
                known.entry(key).or_insert(entry);
            }
        }
    }
    Ok(known)
}

/// Notes the answer in the run's input, if there is one; returns the run that has asked.
async fn answer(live: &LiveRun, known: &mut Entries) -> Result<Option<RunId>, AgentError> {
    let Some(found) = find_question(live).await? else { return Ok(None) };
    let (runs, own) = (&live.services.runs, &live.record.id);
    let claim = Step::new(Key::ANSWERED_BY, Entry::Continues(own.to_string()).to_text());
    // Otherwise two answers would both take the steps that follow.
    let claimed = retry_unavailable(Duration::MAX, || runs.claim_step(&found.run, claim.clone())).await?;
    if claimed != claim {
        return if found.is_named { Err(refused("was already answered")) } else { Ok(None) };
    }
    let answer = Entry::Answered(found.answer);
    for (key, entry) in
        [(found.key, answer), (Key::CONTINUES.to_owned(), Entry::Continues(found.run.to_string()))]
    {
        keep(live, Step::new(key.clone(), entry.to_text())).await?;
        known.insert(key, entry);
    }
    Ok(Some(found.run))
}

/// An open question, and the answer to it.
struct OpenQuestion {
    run: RunId,
    key: String,
    answer: Answer,
    /// Whether the request names the question, as an approval response does.
    is_named: bool,
}

async fn find_question(live: &LiveRun) -> Result<Option<OpenQuestion>, AgentError> {
    let named = live.new_input().iter().rev().find_map(Answer::named);
    let named = named.and_then(|(question, answer)| Some((asked_by(&question)?, answer)));
    let is_named = named.is_some();
    let (run, answer) = match named {
        Some(named) => named,
        None => {
            let Some(run) = asked_before(live).await? else { return Ok(None) };
            let texts = live.new_input().iter().rev().find(|message| message.role == Some(Role::User));
            (run, Answer::from_text(texts.map(Message::full_text).unwrap_or_default()))
        }
    };
    let runs = &live.services.runs;
    let record = retry_unavailable(Duration::MAX, || runs.get(&run)).await?;
    // A run that this one continues was checked when this one was created.
    let is_continued = live.record.options.continues.as_ref() == Some(&run);
    let is_known = record.is_some_and(|record| {
        (is_continued || record.user_id == live.record.user_id) && record.agent == live.record.agent
    });
    let entries = if is_known { entries_of(live, &run).await? } else { Entries::new() };
    let key = entries.into_iter().find(|(key, entry)| Key::is_question(key) && *entry == Entry::Asked {});
    match key {
        Some((key, _)) => Ok(Some(OpenQuestion { run, key, answer, is_named })),
        None if is_named => Err(refused("is not known, or no longer")),
        None => Ok(None),
    }
}

/// The error for an answer to a question that is not open.
fn refused(why: &str) -> AgentError {
    let message = format!("The question that this request answers {why}; start a new turn");
    Error::Custom { status: 409, code: "QUESTION_CLOSED".to_owned(), message }.into()
}

/// The run before this one, if it may have asked something: the one that this run continues, or the last one of the
/// session.
async fn asked_before(live: &LiveRun) -> Result<Option<RunId>, AgentError> {
    let options = &live.record.options;
    if options.continues.is_some() {
        return Ok(options.continues.clone());
    }
    if !options.keep_history || options.anonymous_session {
        return Ok(None);
    }
    let (sessions, user, session) = (&live.services.sessions, &live.record.user_id, &live.record.session_id);
    let one = PageSize::new(1)?;
    let last = retry_unavailable(Duration::MAX, || sessions.last_messages(user, session, one)).await?;
    let last = last.into_iter().flatten().next_back();
    let metadata = last.and_then(|stored| stored.message.metadata);
    Ok(metadata
        .as_ref()
        .and_then(|metadata| asked_by(metadata.get(Answer::QUESTION).and_then(Json::as_str)?)))
}

/// The journal of one run.
async fn entries_of(live: &LiveRun, id: &RunId) -> Result<Entries, AgentError> {
    let runs = &live.services.runs;
    let steps = retry_unavailable(Duration::MAX, || runs.steps(id)).await?;
    Ok(steps.into_iter().filter_map(|step| Some((step.key.clone(), Entry::read(&step)?))).collect())
}
