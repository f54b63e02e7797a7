//! Runs as text.

use agent_schemas::api::runs::RunInfo;
use agent_schemas::{AgentResponse, Message};
use jiff::Timestamp;

use crate::cli::shown;

/// A run as a line of a list.
pub(super) fn of_run(run: &RunInfo) -> String {
    let RunInfo { id, status, agent, session_id, created_at, events, .. } = run;
    let created = time(*created_at);
    let (id, agent, session) = (shown(id), shown(agent), shown(session_id));
    format!("{id}\t{status}\t{created}\t{agent}\t{session}\t{events} events\n")
}

/// The facts of a run, one per line, then its answer.
pub(super) fn about_run(run: &RunInfo) -> String {
    let status = match (&run.status, run.cancel_requested) {
        (status, true) if !status.is_final() => format!("{status}, asked to stop"),
        (status, _) => status.to_string(),
    };
    let mut facts = vec![
        ("run", run.id.clone()),
        ("status", status),
        ("agent", run.agent.clone()),
        ("user", run.user_id.clone()),
        ("session", run.session_id.clone()),
        ("created", time(run.created_at)),
    ];
    facts.extend(run.ended_at.map(|at| ("ended", time(at))));
    facts.push(("events", run.events.to_string()));
    let error = run.response.as_ref().and_then(|response| response.error.as_ref());
    facts.extend(error.map(|error| ("error", format!("{}: {}", error.code, error.message))));
    let facts = facts.iter().map(|(name, value)| format!("{name:9}{}\n", shown(value)));
    facts.chain(run.response.iter().flat_map(AgentResponse::messages).map(said)).collect()
}

fn said(message: &Message) -> String {
    let role = message.role.map_or("-", |role| role.as_str());
    let text = message.full_text();
    let text = if text.is_empty() { format!("({})", message.kind) } else { text };
    format!("{role}: {}\n", shown(&text))
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
