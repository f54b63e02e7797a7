//! What stays of a run as it is: its request, with the entries of its log that were stored together with it.

use agent_schemas::AgentRequest;
use rusqlite::{Connection, Row, params};

use super::entries::EncodedBatch;
use super::pack::{PACKING, pack, unpack};
use crate::Result;
use crate::limits::json_text;
use crate::run::RunRecord;
use crate::sqlite::failure::Outcome;
use crate::sqlite::json;
use crate::sqlite::statement::statements;

statements! {
    ADD: "INSERT INTO run_requests (run, agent, options, packing, request, request_bytes, count, unpacked_bytes, frames) \
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    BYTES: "SELECT coalesce(request_bytes, length(request)) FROM run_requests WHERE run = ?1";
    FORGET: "DELETE FROM run_requests WHERE run = ?1";
}

/// A request that is ready to be stored.
#[derive(Debug)]
pub(super) struct Request {
    json: Vec<u8>,
    packed: Option<Vec<u8>>,
    options: Vec<u8>,
}

impl Request {
    /// # Errors
    /// If it cannot be stored.
    pub(super) fn new(operation: &'static str, record: &RunRecord) -> Result<Self> {
        let json = json_text(operation, &*record.request)?.into_bytes();
        let packed = pack(&json, 0);
        let options = json_text(operation, &record.options)?.into_bytes();
        Ok(Request { json, packed, options })
    }

    /// Stores it for a run, with the first entries of its log.
    pub(super) fn add(
        &self,
        connection: &Connection,
        run: i64,
        record: &RunRecord,
        first: &EncodedBatch,
    ) -> Outcome<()> {
        let bytes = self.packed.as_ref().map(|_| self.json.len());
        let request = self.packed.as_ref().unwrap_or(&self.json);
        let (agent, options) = (record.agent.as_bytes(), self.options.as_slice());
        let (count, unpacked, frames) = first.columns();
        ADD.execute(
            connection,
            params![run, agent, options, PACKING, request, bytes, count, unpacked, frames],
        )?;
        Ok(())
    }
}

/// A request out of the columns `request`, `request_bytes` and `packing`, of which the first is this one.
pub(super) fn request_of(row: &Row<'_>, column: usize) -> Outcome<AgentRequest> {
    let request = row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?;
    match row.get(column + 1)? {
        None => json::from_bytes(request),
        Some(bytes) => json::from_bytes(&unpack(row.get(column + 2)?, request, bytes)?),
    }
}

/// How many bytes of JSON it is.
pub(super) fn bytes(connection: &Connection, run: i64) -> Outcome<u64> {
    Ok(BYTES.one(connection, [run], |row| Ok(row.get(0)?))?.unwrap_or_default())
}

pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    FORGET.execute(connection, [run])?;
    Ok(())
}
