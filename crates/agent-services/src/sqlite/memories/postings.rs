//! Postings: which memories contain a word, in blocks of entries ordered by number.
//!
//! An entry is three variable-length numbers (7 bits per byte, lowest first, with the highest bit set on all but the
//! last byte): the distance from the block's first number, how often the memory has the word, and its number of
//! words.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use crate::memory::rank::Posting;
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::statement::{bounded, statements};

/// A block of this size is not extended. Several blocks must fit into a page.
const FULL_BLOCK: usize = 500;

statements! {
    LAST_BLOCK: "SELECT first, entries FROM postings WHERE user = ?1 AND word = ?2 ORDER BY first DESC LIMIT 1";
    BLOCK_OF: "SELECT first, entries FROM postings WHERE user = ?1 AND word = ?2 AND first <= ?3 \
               ORDER BY first DESC LIMIT 1";
    BLOCKS: "SELECT first, entries FROM postings WHERE user = ?1 AND word = ?2";
    PUT: "INSERT INTO postings (user, word, first, entries) VALUES (?1, ?2, ?3, ?4) \
          ON CONFLICT (user, word, first) DO UPDATE SET entries = excluded.entries";
    DELETE: "DELETE FROM postings WHERE user = ?1 AND word = ?2 AND first = ?3";
    DELETE_USER: "DELETE FROM postings WHERE user = ?1";
}

/// Postings by word.
pub(super) type ByWord = BTreeMap<String, Vec<Posting>>;

/// All memories of a user that contain a word.
pub(super) fn read(connection: &Connection, user: i64, word: &str) -> Outcome<Vec<Posting>> {
    let mut postings = Vec::new();
    BLOCKS.each(connection, params![user, word], |row| {
        let entries = row.get_ref(1)?.as_blob().map_err(|_| damaged())?;
        decode(row.get(0)?, entries, &mut postings)
    })?;
    Ok(postings)
}

/// Adds postings with numbers greater than all existing ones.
pub(super) fn add(connection: &Connection, user: i64, postings: &ByWord) -> Outcome<()> {
    for (word, postings) in postings {
        let last = LAST_BLOCK.one(connection, params![user, word], block_of)?;
        let mut block = last.filter(|(_, entries)| entries.len() < FULL_BLOCK);
        for posting in postings {
            let (first, entries) = block.get_or_insert((posting.number, Vec::new()));
            encode(*first, posting, entries);
            if entries.len() >= FULL_BLOCK {
                PUT.execute(connection, params![user, word, bounded(*first), &*entries])?;
                block = None;
            }
        }
        if let Some((first, entries)) = block {
            PUT.execute(connection, params![user, word, bounded(first), entries])?;
        }
    }
    Ok(())
}

/// Removes memories from the blocks of a word. The numbers are in order; unknown ones are ignored.
pub(super) fn remove(connection: &Connection, user: i64, word: &str, mut numbers: &[u64]) -> Outcome<()> {
    while let [number, rest @ ..] = numbers {
        let block = BLOCK_OF.one(connection, params![user, word, bounded(*number)], block_of)?;
        let Some((first, entries)) = block else {
            numbers = rest;
            continue;
        };
        let mut postings = Vec::new();
        decode(first, &entries, &mut postings)?;
        let last = postings.last().map_or(first, |posting| posting.number);
        postings.retain(|posting| numbers.binary_search(&posting.number).is_err());
        if postings.is_empty() {
            DELETE.execute(connection, params![user, word, bounded(first)])?;
        } else {
            let mut entries = Vec::new();
            postings.iter().for_each(|posting| encode(first, posting, &mut entries));
            PUT.execute(connection, params![user, word, bounded(first), entries])?;
        }
        // The others may be in later blocks.
        numbers = &rest[rest.partition_point(|number| *number <= last)..];
    }
    Ok(())
}

/// Deletes all words of a user.
pub(super) fn remove_user(connection: &Connection, user: i64) -> rusqlite::Result<()> {
    DELETE_USER.execute(connection, [user]).map(drop)
}

/// A block: its first number, and its entries.
fn block_of(row: &Row<'_>) -> Outcome<(u64, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn encode(first: u64, posting: &Posting, entries: &mut Vec<u8>) {
    let numbers = [posting.number - first, u64::from(posting.occurrences), u64::from(posting.length)];
    for mut number in numbers {
        while number >= 0x80 {
            entries.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        entries.push(number.to_le_bytes()[0]);
    }
}

fn decode(first: u64, mut entries: &[u8], postings: &mut Vec<Posting>) -> Outcome<()> {
    while !entries.is_empty() {
        let [offset, occurrences, length] = [next(&mut entries), next(&mut entries), next(&mut entries)];
        let posting = (|| {
            Some(Posting {
                number: first.checked_add(offset?)?,
                occurrences: u32::try_from(occurrences?).ok()?,
                length: u32::try_from(length?).ok()?,
            })
        })();
        postings.push(posting.ok_or_else(damaged)?);
    }
    Ok(())
}

/// The next number; `None` if there is no valid one.
fn next(entries: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = entries.split_first()?;
        *entries = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn damaged() -> Failure {
    Failure::Damaged("the index of memories is damaged".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings__any__round_trip() {
        let lengths = [0, 1, 127, 128, 16_383, 16_384, u32::MAX];
        let numbered = lengths.iter().zip([5, 6, 132, 133, 16_389, 1 << 40, u64::MAX]);
        let postings: Vec<Posting> = numbered
            .map(|(length, number)| Posting { number, occurrences: length / 2, length: *length })
            .collect();
        let mut entries = Vec::new();
        postings.iter().for_each(|posting| encode(5, posting, &mut entries));
        let mut decoded = Vec::new();
        decode(5, &entries, &mut decoded).expect("decodable");
        assert_eq!(decoded, postings);
    }

    #[test]
    fn postings__damaged__are_refused() {
        let too_long = [0xff; 12];
        for entries in [&[0x80][..], &[1], &[1, 1], &[1, 1, 0x80], &too_long] {
            assert!(decode(0, entries, &mut Vec::new()).is_err(), "{entries:?}");
        }
        let too_large = [&[0_u8][..], &[0x80, 0x80, 0x80, 0x80, 0x80, 1], &[0]].concat();
        assert!(decode(0, &too_large, &mut Vec::new()).is_err());
        assert!(decode(u64::MAX, &[1, 1, 1], &mut Vec::new()).is_err());
    }
}
