//! Texts as blocks of LZ4, with a dictionary of what texts of runs have in them.

use std::cell::RefCell;

use lz4_flex::block::{compress_into_with_dict, decompress, decompress_with_dict, get_maximum_output_size};

use super::dictionary;
use crate::sqlite::failure::{Failure, Outcome};

/// How blocks are made, as it is stored with them. A dictionary that a block was made with is never changed: there would
/// be another number.
pub(super) const PACKING: i64 = 1;
const DICTIONARY: &[u8] = dictionary::FIRST.as_bytes();

/// LZ4 makes at most so many bytes of one.
const MAX_RATIO: usize = 256;
/// A buffer that had to be larger is not kept.
const KEPT: usize = 64 * 1024;

thread_local! {
    /// Where blocks are made, before it is known how large they are.
    static WORKSPACE: RefCell<Vec<u8>> = RefCell::default();
}

/// A block of a text, if there is enough of it and the block is less.
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

/// The text of a block that was packed in a way, of which so many bytes are expected.
pub(super) fn unpack(packing: Option<i64>, block: &[u8], bytes: usize) -> Outcome<Vec<u8>> {
    if bytes > block.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("its stated size is impossible"));
    }
    let text = match packing {
        // Plain blocks, as migration 2 had them.
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

    /// Databases have blocks like this one: whoever changes how they are made gives that another number.
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
