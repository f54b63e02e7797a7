//! How runs are stored in Redis.

use std::sync::Arc;
use std::time::Duration;

use ::redis::{FromRedisValue, ParsingError, Value};
use agent_schemas::{AgentRequest, RunId, RunOptions, SessionId, Status, UserId};
use bytes::Bytes;

use crate::limits::json_text;
use crate::redis::failure::foreign;
use crate::redis::store::{decode, number, text};
use crate::run::{Batch, FencingToken, Grant, RunRecord};
use crate::{Error, ErrorKind, Result};

/// The fields of a record, in the order of `FIELDS` in the scripts.
#[derive(Debug)]
pub(super) struct Fields(Vec<Option<Vec<u8>>>);

impl FromRedisValue for Fields {
    fn from_redis_value(value: Value) -> std::result::Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(Fields)
    }
}

impl Fields {
    pub(super) fn decode(self, operation: &'static str) -> Result<RunRecord> {
        let [
            Some(id),
            Some(user),
            Some(session),
            Some(agent),
            Some(created),
            Some(request),
            Some(options),
            Some(status),
            Some(own_number),
            ended,
            Some(entries),
            epochs,
            cancel,
            ending,
            kept_for,
            first_entry,
        ] = &self.0[..]
        else {
            return Err(foreign(operation));
        };
        let request: AgentRequest = decode(operation, request)?;
        let mut record = RunRecord::new(
            RunId::new(text(operation, id)?),
            UserId::new(text(operation, user)?),
            SessionId::new(text(operation, session)?),
            text(operation, agent)?,
            number(operation, created)?,
            Arc::new(request),
        );
        record.options = RunOptions::from_record(&text(operation, options)?);
        record.status = Status::from(text(operation, status)?.as_str());
        record.number = number(operation, own_number)?;
        record.ended_at = ended.as_ref().map(|ended| number(operation, ended)).transpose()?;
        record.entries = number(operation, entries)?;
        let epochs = epochs.as_deref().unwrap_or_default().split(|byte| *byte == b' ');
        let epochs = epochs.filter(|epoch| !epoch.is_empty()).map(|epoch| number(operation, epoch));
        record.epochs = epochs.collect::<Result<_>>()?;
        record.cancel_requested = cancel.is_some();
        record.ending = ending.as_ref().map(|ending| text(operation, ending)).transpose()?;
        let count =
            |field: &Option<Vec<u8>>| field.as_ref().map_or(Ok(0), |digits| number(operation, digits));
        record.options.response_ttl = Duration::from_secs(count(kept_for)?);
        record.first_entry = count(first_entry)?;
        Ok(record)
    }
}

/// The fields of a record that the caller sets, names and values in turn.
pub(super) fn fields(operation: &'static str, record: &RunRecord) -> Result<Vec<String>> {
    let mut fields = vec![
        ("user", record.user_id.as_str().to_owned()),
        ("session", record.session_id.as_str().to_owned()),
        ("agent", record.agent.clone()),
        ("created", record.created_at.to_string()),
        ("request", json_text(operation, &*record.request)?),
        ("options", json_text(operation, &record.options)?),
    ];
    if !record.epochs.is_empty() {
        let epochs: Vec<String> = record.epochs.iter().map(u64::to_string).collect();
        fields.push(("epochs", epochs.join(" ")));
    }
    if record.cancel_requested {
        fields.push(("cancel", "1".to_owned()));
    }
    // The script that ends a run looks for it here.
    if !record.options.response_ttl.is_zero() {
        fields.push(("kept_for", record.options.response_ttl.as_secs().to_string()));
    }
    fields.extend(record.ending.clone().map(|ending| ("ending", ending)));
    Ok(fields.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect())
}

/// A batch of a log in a script's reply.
#[derive(Debug)]
pub(super) struct StoredBatch(u64, u64, Vec<u8>);

impl FromRedisValue for StoredBatch {
    fn from_redis_value(value: Value) -> std::result::Result<Self, ParsingError> {
        FromRedisValue::from_redis_value(value)
            .map(|(first, count, frames)| StoredBatch(first, count, frames))
    }
}

impl From<StoredBatch> for Batch {
    fn from(StoredBatch(first, count, frames): StoredBatch) -> Self {
        Batch { first, count, frames: Bytes::from(frames) }
    }
}

/// The first word of a reply, and the rest.
pub(super) fn words(answer: &str) -> (&str, &str) {
    answer.split_once(' ').unwrap_or((answer, ""))
}

pub(super) fn token(operation: &'static str, digits: &str) -> Result<FencingToken> {
    number(operation, digits.as_bytes()).map(FencingToken)
}

/// The run and the token in a script's reply `id token`; `None` if the text is empty.
pub(super) fn grant(operation: &'static str, granted: &str) -> Result<Option<Grant>> {
    if granted.is_empty() {
        return Ok(None);
    }
    let (id, digits) = words(granted);
    Ok(Some(Grant { id: RunId::new(id), token: token(operation, digits)? }))
}

/// A script's result of a write.
pub(super) fn check_written(operation: &'static str, id: &RunId, answer: &str) -> Result<()> {
    let message = match answer {
        "new" | "known" | "done" => return Ok(()),
        "missing" => return Err(crate::run::no_run(operation, id)),
        "owner" => "another process owns the run",
        "gap" => "the entries do not continue the log",
        "ended" => "the log has ended",
        "behind" => "the log continues after these entries",
        _ => return Err(foreign(operation)),
    };
    Err(Error::new(ErrorKind::Conflict, operation, message))
}
