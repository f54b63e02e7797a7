//! The unchanging part of a run: its request, and the entries of its log that were stored with it.

use agent_schemas::{AgentRequest, RunOptions};
use rusqlite::{Connection, Row, params};

use super::entries::EncodedBatch;
use super::pack::{PACKING, pack, unpack};
use crate::Result;
use crate::limits::json_text;
use crate::run::RunRecord;
use crate::sqlite::failure::Outcome;
use crate::sqlite::json;
use crate::sqlite::row::utf8;
use crate::sqlite::statement::statements;

statements! {
    ADD: "INSERT INTO run_requests (run, agent, options, packing, request, request_bytes, count, unpacked_bytes, frames) \
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    BYTES: "SELECT coalesce(request_bytes, length(request)) + length(options) FROM run_requests WHERE run = ?1";
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
        record.check(operation)?;
        let json = json_text(operation, &*record.request)?.into_bytes();
        let packed = pack(&json, 0);
        let options = pack_options(json_text(operation, &record.options)?.into_bytes());
        Ok(Request { json, packed, options })
    }

    /// The size of the request, in bytes of JSON text.
    pub(super) fn json_bytes(&self) -> u64 {
        self.json.len() as u64
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

/// The request in the columns `request`, `request_bytes` and `packing`, of which the first is this one.
pub(super) fn request_of(row: &Row<'_>, column: usize) -> Outcome<AgentRequest> {
    let request = row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?;
    match row.get(column + 1)? {
        None => json::from_bytes(request),
        Some(bytes) => json::from_bytes(&unpack(row.get(column + 2)?, request, bytes)?),
    }
}

/// Shorter options are stored uncompressed.
const PLAIN_OPTIONS: usize = 256;

/// The first byte of compressed options, with which JSON never begins.
const PACKED: u8 = 0;

/// Options as stored: plain JSON, or a mark, the size, and the compressed text.
fn pack_options(json: Vec<u8>) -> Vec<u8> {
    let (Some(block), Ok(bytes)) = (pack(&json, PLAIN_OPTIONS), u32::try_from(json.len())) else {
        return json;
    };
    [&[PACKED], &bytes.to_le_bytes()[..], &block].concat()
}

/// The options in the columns `options` and `packing`.
pub(super) fn options_of(stored: &[u8], packing: Option<i64>) -> Outcome<RunOptions> {
    let json = match stored {
        [PACKED, a, b, c, d, block @ ..] => {
            let bytes = u32::from_le_bytes([*a, *b, *c, *d]);
            utf8(unpack(packing, block, usize::try_from(bytes).unwrap_or(usize::MAX))?)?
        }
        plain => utf8(plain.to_vec())?,
    };
    Ok(RunOptions::from_record(&json))
}

/// The size including the options.
pub(super) fn bytes(connection: &Connection, run: i64) -> Outcome<u64> {
    Ok(BYTES.one(connection, [run], |row| Ok(row.get(0)?))?.unwrap_or_default())
}

pub(super) fn forget(connection: &Connection, run: i64) -> Outcome<()> {
    FORGET.execute(connection, [run])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use agent_schemas::ProtocolData;

    use super::*;

    #[test]
    fn options__packed_or_plain__round_trip() {
        for data in [String::new(), "tools and instructions ".repeat(100)] {
            let mut options = RunOptions::default().without_history();
            options.protocol = Some(ProtocolData::new("mine", data.as_str()));
            let json = serde_json::to_vec(&options).expect("JSON");
            let stored = pack_options(json.clone());
            assert_eq!(stored.len() < json.len(), !data.is_empty(), "{} of {}", stored.len(), json.len());
            assert_eq!(options_of(&stored, Some(PACKING)).expect("readable"), options);
        }
        assert!(options_of(&[PACKED, 9, 0, 0, 0, 1], Some(PACKING)).is_err(), "damaged");
    }
}
