//! How runs are stored in Redis.

use std::sync::Arc;
use std::time::Duration;

use ::redis::{FromRedisValue, ParsingError, Value};
use agent_schemas::{RunId, RunOptions, SessionId, Status, UserId};
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
    /// The record. Any part except its id and its status may be damaged: an unreadable record must not make others
    /// unreadable.
    ///
    /// # Errors
    /// If even these are missing: it is not a record.
    pub(super) fn decode(self, operation: &'static str) -> Result<RunRecord> {
        let [
            Some(id),
            user,
            session,
            agent,
            created,
            request,
            options,
            Some(status),
            own_number,
            ended,
            entries,
            epochs,
            cancel,
            ending,
            kept_for,
            first_entry,
        ] = &self.0[..]
        else {
            return Err(foreign(operation));
        };
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let or_empty = |field: &Option<Vec<u8>>| lossy(field.as_deref().unwrap_or_default());
        let mut record = RunRecord::new(
            RunId::new(text(operation, id)?),
            UserId::new(or_empty(user)),
            SessionId::new(or_empty(session)),
            or_empty(agent),
            0,
            Arc::default(),
        );
        let there = |field: &Option<Vec<u8>>| field.clone().ok_or_else(|| foreign(operation));
        let count =
            |field: &Option<Vec<u8>>| field.as_ref().map_or(Ok(0), |digits| number(operation, digits));
        record.created_at =
            record.part("the time of the request", there(created).and_then(|at| number(operation, &at)));
        let request = there(request).and_then(|request| decode(operation, &request));
        record.request = Arc::new(record.part("the request", request.map_err(|error| with_cause(&error))));
        let options = there(options).and_then(|options| text(operation, &options));
        record.options = record.part("the options", options.map(|options| RunOptions::from_record(&options)));
        record.status = Status::from(lossy(status).as_str());
        record.number =
            record.part("the number", there(own_number).and_then(|digits| number(operation, &digits)));
        let ended = ended.as_ref().map(|ended| number(operation, ended)).transpose();
        record.ended_at = record.part("the time of the end", ended);
        record.entries = record
            .part("the length of the log", there(entries).and_then(|digits| number(operation, &digits)));
        let epochs = epochs.as_deref().unwrap_or_default().split(|byte| *byte == b' ');
        let epochs = epochs.filter(|epoch| !epoch.is_empty()).map(|epoch| number(operation, epoch));
        record.epochs = record.part("the epochs", epochs.collect::<Result<_>>());
        record.cancel_requested = cancel.is_some();
        let ending = ending.as_ref().map(|ending| text(operation, ending)).transpose();
        record.ending = record.part("the ending", ending);
        record.options.response_ttl = Duration::from_secs(record.part("the retention", count(kept_for)));
        record.first_entry = record.part("the first entry", count(first_entry));
        Ok(record)
    }
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The fields of a record that do not depend on the store's answers, names and values in turn.
pub(super) fn fields(operation: &'static str, record: &RunRecord) -> Result<Vec<String>> {
    record.check(operation)?;
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
    // The script that reads chains looks for it here.
    fields.extend(record.options.continues.as_ref().map(|id| ("continues", id.as_str().to_owned())));
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
        "canceled" => return Err(crate::run::canceled(operation)),
        "owner" => "the run has another owner",
        "gap" => "the entries do not continue the log",
        "ended" => "the log has ended",
        "behind" => "the log continues after these entries",
        _ => return Err(foreign(operation)),
    };
    Err(Error::new(ErrorKind::Conflict, operation, message))
}
