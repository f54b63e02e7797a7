//! Searches. Very many texts may contain a common word, so postings are read in several replies. Memories added
//! meanwhile have greater numbers than the last one at the start and do not count; if memories are removed meanwhile,
//! the search starts again. So all scores are from one moment.

use std::ops::ControlFlow;

use ::redis::cmd;
use agent_schemas::UserId;

use super::{RedisMemoryStore, decode_head, decode_item, digits};
use crate::Result;
use crate::memory::rank::{Corpus, Posting, rank};
use crate::memory::{Memory, MemoryQuery, Recalled, words};
use crate::redis::failure::foreign;
use crate::redis::script::script;
use crate::redis::store::{LARGE_ANSWER, number};

script!(POSTINGS, "memory/common.lua", "memory/postings.lua");
script!(ITEMS, "memory/items.lua");

/// The maximum number of postings in one reply.
const MANY_POSTINGS: u64 = 20_000;

/// The maximum number of words in one request.
const MANY_WORDS: usize = 500;

/// How many times a search starts again before it reads everything in one reply, however large.
const MAX_RESTARTS: usize = 3;

/// How many results are fetched at once.
const MANY_RESULTS: usize = 500;

/// The corpus and, for each word, the texts that contain it, at one moment.
type Snapshot = (Corpus, Vec<Vec<Posting>>);

/// The stored data of a memory and its message; `None` if it was deleted.
type Item = (Option<Vec<u8>>, Option<Vec<u8>>);

impl RedisMemoryStore {
    pub(super) async fn find(
        &self,
        operation: &'static str,
        user: &UserId,
        query: &MemoryQuery,
    ) -> Result<Vec<Recalled>> {
        let words = words::of_query(&query.text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let (corpus, postings) = self.snapshot(operation, user, &words).await?;
        let ranked = rank(corpus, &postings);
        let good = ranked.partition_point(|(_, score)| *score >= query.min_score);
        let mut found = Vec::new();
        for results in ranked[..good].chunks(MANY_RESULTS) {
            let allowed = self.allowed(operation, user, query, results).await?;
            let mut rest = &allowed[..];
            while !rest.is_empty() && found.len() < query.top_k {
                let (wanted, further) = rest.split_at(rest.len().min(query.top_k - found.len()));
                found.extend(self.fetch(operation, user, wanted).await?);
                rest = further;
            }
            if found.len() >= query.top_k {
                break;
            }
        }
        Ok(found)
    }

    async fn snapshot(&self, operation: &'static str, user: &UserId, words: &[String]) -> Result<Snapshot> {
        for _ in 0..MAX_RESTARTS {
            let read = self.read_postings(operation, user, words, MANY_WORDS, MANY_POSTINGS).await?;
            if let ControlFlow::Break(snapshot) = read {
                return Ok(snapshot);
            }
        }
        match self.read_postings(operation, user, words, words.len(), u64::from(u32::MAX)).await? {
            ControlFlow::Break(snapshot) => Ok(snapshot),
            ControlFlow::Continue(()) => Err(foreign(operation)),
        }
    }

    /// Reads the postings of all words, or stops with `Continue` if memories were removed meanwhile.
    async fn read_postings(
        &self,
        operation: &'static str,
        user: &UserId,
        words: &[String],
        at_once: usize,
        most: u64,
    ) -> Result<ControlFlow<Snapshot>> {
        let [memories, index, _, _, last_number] = self.keys(user);
        let mut reading = Reading::new(words);
        loop {
            let wanted = reading.unfinished(at_once);
            let mut call = POSTINGS.with_keys([memories.clone(), index.clone(), last_number.clone()]);
            call = call.arg(&reading.edition).arg(&reading.last).arg(most);
            for word in &wanted {
                call = call.arg(&words[*word]).arg(&reading.after[*word]);
            }
            // A changed edition is returned alone.
            let answer: Vec<::redis::Value> = self.backend.repeatable(operation, call).await?;
            let Ok([edition, texts, all_words, last, members]) = <[_; 5]>::try_from(answer) else {
                return Ok(ControlFlow::Continue(()));
            };
            let read = |value| ::redis::from_redis_value::<String>(value);
            let header = (read(edition), read(texts), read(all_words), read(last));
            let (Ok(edition), Ok(texts), Ok(all_words), Ok(last)) = header else {
                return Err(foreign(operation));
            };
            let members: Vec<Vec<Vec<u8>>> =
                ::redis::from_redis_value(members).map_err(|error| foreign(operation).with_source(error))?;
            if reading.edition.is_empty() {
                reading.corpus.texts = number(operation, texts.as_bytes())?;
                reading.corpus.words = number(operation, all_words.as_bytes())?;
                (reading.edition, reading.last) = (edition, last);
            }
            let mut left = most;
            for (word, members) in wanted.iter().zip(&members) {
                reading.is_finished[*word] = (members.len() as u64) < left;
                left = left.saturating_sub(members.len() as u64);
                for member in members {
                    let posting = decode_posting(member).ok_or_else(|| foreign(operation))?;
                    reading.after[*word] = digits(posting.number);
                    reading.postings[*word].push(posting);
                }
            }
            if reading.is_finished.iter().all(|finished| *finished) {
                return Ok(ControlFlow::Break((reading.corpus, reading.postings)));
            }
        }
    }

    /// The restrictions of the query other than its words.
    async fn allowed(
        &self,
        operation: &'static str,
        user: &UserId,
        query: &MemoryQuery,
        results: &[(u64, f64)],
    ) -> Result<Vec<(u64, f64)>> {
        if query.session_id.is_none() && query.since.is_none() && query.until.is_none() {
            return Ok(results.to_vec());
        }
        let [memories, ..] = self.keys(user);
        let mut get = cmd("HMGET");
        get.arg(memories);
        for (number, _) in results {
            get.arg(format!("h:{}", digits(*number)));
        }
        let heads: Vec<Option<Vec<u8>>> = self.backend.repeatable(operation, get).await?;
        let mut allowed = Vec::new();
        for (result, head) in results.iter().zip(heads) {
            // Memories deleted meanwhile are not results.
            let Some(head) = head else { continue };
            let (created_at, session) = decode_head(operation, &head)?;
            if query.allows(&session, created_at) {
                allowed.push(*result);
            }
        }
        Ok(allowed)
    }

    /// The memories of some results, without those that were deleted meanwhile.
    async fn fetch(
        &self,
        operation: &'static str,
        user: &UserId,
        results: &[(u64, f64)],
    ) -> Result<Vec<Recalled>> {
        let [memories, ..] = self.keys(user);
        let mut found = Vec::new();
        let mut rest = results;
        while !rest.is_empty() {
            let numbers: Vec<String> = rest.iter().map(|(number, _)| digits(*number)).collect();
            let call = ITEMS.with_keys([memories.clone()]).arg(LARGE_ANSWER).arg(numbers);
            let items: Vec<Item> = self.backend.repeatable(operation, call).await?;
            if items.is_empty() {
                return Err(foreign(operation));
            }
            let (read, unread) = rest.split_at(items.len().min(rest.len()));
            for ((number, score), item) in read.iter().zip(items) {
                if let (Some(head), Some(message)) = item {
                    let memory: Memory = decode_item(operation, *number, &head, &message)?;
                    found.push(Recalled { memory, score: *score });
                }
            }
            rest = unread;
        }
        Ok(found)
    }
}

/// How far postings have been read.
struct Reading {
    /// The edition that must not change; empty before the first reply.
    edition: String,
    /// The last number that counts.
    last: String,
    corpus: Corpus,
    postings: Vec<Vec<Posting>>,
    /// The last number read for each word.
    after: Vec<String>,
    is_finished: Vec<bool>,
}

impl Reading {
    fn new(words: &[String]) -> Self {
        Reading {
            edition: String::new(),
            last: String::new(),
            corpus: Corpus::default(),
            postings: vec![Vec::new(); words.len()],
            after: vec![String::new(); words.len()],
            is_finished: vec![false; words.len()],
        }
    }

    /// The next words to ask for.
    fn unfinished(&self, at_most: usize) -> Vec<usize> {
        let words = self.is_finished.iter().enumerate().filter(|(_, finished)| !**finished);
        words.map(|(word, _)| word).take(at_most).collect()
    }
}

/// A posting of `word NUL number occurrences length`.
fn decode_posting(member: &[u8]) -> Option<Posting> {
    let text = std::str::from_utf8(member).ok()?;
    let mut parts = text.split_once('\0')?.1.split(' ');
    let (number, occurrences, length) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Posting {
        number: number.parse().ok()?,
        occurrences: occurrences.parse().ok()?,
        length: length.parse().ok()?,
    })
}
