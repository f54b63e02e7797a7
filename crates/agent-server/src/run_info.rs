//! Runs as clients see them.

use agent_schemas::api::runs::RunInfo;
use agent_schemas::{Event, RunId, sse as frames};
use agent_services::ErrorKind;
use agent_services::run::RunRecord;

use crate::error::ApiError;
use crate::state::App;

/// More than the last entry of a log ever has on its page.
const PAGE_BYTES: usize = 1024 * 1024;

/// A run as clients see it, with its response if it has ended.
pub(crate) async fn shown(app: &App, record: RunRecord) -> Result<RunInfo, ApiError> {
    let (has_ended, last) = (record.status.is_final(), record.entries.saturating_sub(1));
    let mut info = info_of(record);
    if has_ended {
        let id = RunId::new(info.id.as_str());
        let batches = match app.runner().services().runs.read(&id, last, PAGE_BYTES).await {
            Ok(page) => page.map(|page| page.batches).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Unexpected => {
                tracing::error!(run.id = %id, error = %error, "the end of a run's log cannot be read");
                info.damaged = Some(true);
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        match batches.iter().flat_map(|batch| frames::frames(&batch.frames)).last().map(Event::from_slice) {
            Some(Ok(Event::Response(response))) => info.response = Some(response),
            Some(Err(error)) => {
                tracing::error!(run.id = %id, error = %error, "the last entry of a run's log is damaged");
                info.damaged = Some(true);
            }
            _ => {}
        }
    }
    Ok(info)
}

/// A run without its response.
pub(crate) fn info_of(record: RunRecord) -> RunInfo {
    RunInfo {
        id: record.id.to_string(),
        object: "run".into(),
        status: record.status,
        agent: record.agent,
        user_id: record.user_id.to_string(),
        session_id: record.session_id.to_string(),
        parent_run_id: record.options.parent.map(|parent| parent.to_string()),
        created_at: record.created_at,
        ended_at: record.ended_at,
        events: i64::try_from(record.entries).unwrap_or(i64::MAX),
        cancel_requested: record.cancel_requested,
        response: None,
        damaged: record.damage.is_some().then_some(true),
    }
}
