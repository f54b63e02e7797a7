//! Frames as blocks of LZ4: events repeat most of what is in the one before them.

use std::cell::RefCell;

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress, get_maximum_output_size};

use crate::sqlite::failure::{Failure, Outcome};

/// Less than this is not worth compressing.
const SMALL: usize = 512;
/// LZ4 makes at most so many bytes of one.
const MAX_RATIO: usize = 256;
/// A buffer that had to be larger is not kept.
const KEPT: usize = 64 * 1024;

thread_local! {
    /// What packing needs, as making it anew takes nearly as long as packing a short log.
    static WORKSPACE: RefCell<(CompressTable, Vec<u8>)> = RefCell::default();
}

/// The frames as a block, if that is less.
pub(super) fn pack(frames: &[u8]) -> Option<Vec<u8>> {
    if frames.len() < SMALL {
        return None;
    }
    WORKSPACE.with_borrow_mut(|(table, block)| {
        let most = get_maximum_output_size(frames.len());
        if block.len() < most {
            block.resize(most, 0);
        }
        let bytes = compress_into_with_table(frames, block, table).ok();
        let packed = bytes.filter(|bytes| *bytes < frames.len()).map(|bytes| block[..bytes].to_vec());
        if most > KEPT {
            *block = Vec::new();
        }
        packed
    })
}

/// The frames of a block, of which so many bytes are expected.
pub(super) fn unpack(block: &[u8], bytes: usize) -> Outcome<Vec<u8>> {
    let damaged = |why: &str| Failure::Damaged(format!("the entries of a run cannot be unpacked: {why}"));
    if bytes > block.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("they would be larger than they can be"));
    }
    decompress(block, bytes).map_err(|error| damaged(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let text = |words: usize| "data: a word and its number\n".repeat(words).into_bytes();
        for words in [20, 1000, 30, 100_000, 20] {
            let frames = text(words);
            let block = pack(&frames).expect("less");
            assert_eq!(unpack(&block, frames.len()).expect("whole"), frames);
        }
        assert_eq!(pack(&text(1)), None, "too little");
        let noise: Vec<u8> =
            (0..2000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(pack(&noise), None, "not less");
    }
}
