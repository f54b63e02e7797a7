//! Compresses texts as LZ4 blocks, with a dictionary of the fixed parts of requests and events.

use std::cell::RefCell;

use lz4_flex::block::{compress_into_with_dict, decompress, decompress_with_dict, get_maximum_output_size};

use super::dictionary;
use crate::sqlite::failure::{Failure, Outcome};

/// The compression method, which is stored with the blocks. A dictionary that blocks were made with never changes:
/// another dictionary gets another number.
pub(super) const PACKING: i64 = 1;
const DICTIONARY: &[u8] = dictionary::FIRST.as_bytes();

/// The maximum compression ratio of LZ4.
const MAX_RATIO: usize = 256;
/// A larger buffer is not kept.
const KEPT: usize = 64 * 1024;

thread_local! {
    /// The buffer for compression, before the size of the block is known.
    static WORKSPACE: RefCell<Vec<u8>> = RefCell::default();
}

/// Compresses a text, if it is long enough and the block is smaller.
pub(super) fn pack(text: &[u8], least: usize) -> Option<Vec<u8>> {
    if text.len() < least {
        return None;
    }
    WORKSPACE.with_borrow_mut(|workspace| {
        let most = get_maximum_output_size(text.len());
        if workspace.len() < most {
            workspace.resize(most, 0);
        }
        let bytes = compress_into_with_dict(text, workspace, DICTIONARY).ok();
        let block = bytes.filter(|bytes| *bytes < text.len()).map(|bytes| workspace[..bytes].to_vec());
        if most > KEPT {
            *workspace = Vec::new();
        }
        block
    })
}

/// Decompresses a block that was compressed with this method; the text must have this many bytes.
pub(super) fn unpack(packing: Option<i64>, block: &[u8], bytes: usize) -> Outcome<Vec<u8>> {
    if bytes > block.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("its stated size is impossible"));
    }
    let text = match packing {
        // Plain blocks, from migration 2.
        None => decompress(block, bytes),
        Some(PACKING) => decompress_with_dict(block, bytes, DICTIONARY),
        Some(_) => return Err(damaged("its compression is unknown")),
    };
    let text = text.map_err(|error| damaged(&error.to_string()))?;
    if text.len() == bytes { Ok(text) } else { Err(damaged("its length is not the stated one")) }
}

fn damaged(why: &str) -> Failure {
    Failure::Damaged(format!("could not decompress the data of a run: {why}"))
}

#[cfg(test)]
mod tests {
    use agent_schemas::{AgentRequest, Message};

    use super::*;

    fn deltas(words: u64) -> Vec<u8> {
        let frame = |number| {
            let event =
                format!(r#"{{"sequence_number":{number},"object":"content","text":"word {number}"}}"#);
            format!("id: {number}\ndata: {event}\n\n")
        };
        (7..7 + words).map(frame).collect::<String>().into_bytes()
    }

    #[test]
    fn pack__any_log__round_trips() {
        for words in [20, 1000, 30, 100_000, 20] {
            let frames = deltas(words);
            let block = pack(&frames, 512).expect("less");
            assert_eq!(unpack(Some(PACKING), &block, frames.len()).expect("whole"), frames);
            assert!(unpack(Some(PACKING), &block, frames.len() - 1).is_err());
            assert!(unpack(Some(PACKING), &block, frames.len() + 1).is_err());
            assert!(unpack(Some(PACKING + 1), &block, frames.len()).is_err());
        }
        assert_eq!(pack(&deltas(2), 512), None, "too little");
        let request = serde_json::to_vec(&AgentRequest::new(vec![Message::user("hello")])).expect("JSON");
        let block = pack(&request, 0).expect("less");
        assert!(block.len() < 50, "{} bytes", block.len());
        assert_eq!(unpack(Some(PACKING), &block, request.len()).expect("whole"), request);
        let noise: Vec<u8> =
            (0..2000_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(pack(&noise, 0), None, "not less");
    }

    #[test]
    fn unpack__old_block__is_read() {
        let frames = deltas(100);
        let block = lz4_flex::block::compress(&frames);
        assert_eq!(unpack(None, &block, frames.len()).expect("whole"), frames);
        assert!(unpack(None, &block, 1 << 40).is_err());
    }

    /// Databases contain blocks like this one: if you change how they are made, use another number.
    #[test]
    fn unpack__recorded_block__is_read() {
        let frames = deltas(3);
        let stored = "5f69643a20378900071f37890002016000933a22776f7264203722cf001f384600071f3846000e143846001f39460007\
                      1f3946000d602039227d0a0a";
        let byte = |at| u8::from_str_radix(&stored[at..at + 2], 16).expect("two digits");
        let block: Vec<u8> = (0..stored.len()).step_by(2).map(byte).collect();
        assert_eq!(unpack(Some(PACKING), &block, frames.len()).expect("whole"), frames);
    }
}
