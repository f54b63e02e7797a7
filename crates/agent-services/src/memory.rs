//! Memory: what an agent remembers about a user beyond one conversation.

mod in_memory;
mod none;
pub mod rank;
pub mod words;

use agent_schemas::{Message, SessionId, UserId};
use async_trait::async_trait;

use crate::page::{Page, PageSize, PageToken};
use crate::{Error, ErrorKind, Result, Service};

pub use in_memory::InMemoryMemoryStore;
pub use none::NoMemoryStore;

/// One memory.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// The memory's number, unique per user and never reused; later memories have greater numbers.
    pub number: u64,
    /// The session that it comes from.
    pub session_id: SessionId,
    /// When it was added, in Unix seconds.
    pub created_at: i64,
    /// The remembered message.
    pub message: Message,
}

impl Memory {
    /// A memory that was added now.
    pub fn new(number: u64, session_id: SessionId, created_at: i64, message: Message) -> Self {
        Memory { number, session_id, created_at, message }
    }
}

/// A search for memories.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryQuery {
    /// The words to look for. A memory that has more of them, or rarer ones, gets a higher score.
    pub text: String,
    /// The maximum number of results, 1 to 1000.
    pub top_k: usize,
    /// The minimum score of a result; scores are above 0 and have no upper bound.
    pub min_score: f64,
    /// Restricts the search to this session.
    pub session_id: Option<SessionId>,
    /// Restricts the search to memories added at this time or later, in Unix seconds.
    pub since: Option<i64>,
    /// Restricts the search to memories added before this time, in Unix seconds.
    pub until: Option<i64>,
}

impl MemoryQuery {
    /// A search for the ten best memories for these words.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        MemoryQuery { text, top_k: 10, min_score: 0.0, session_id: None, since: None, until: None }
    }

    /// Whether a memory may be a result, apart from its words.
    pub fn allows(&self, session_id: &SessionId, created_at: i64) -> bool {
        self.session_id.as_ref().is_none_or(|wanted| wanted == session_id)
            && self.since.is_none_or(|since| created_at >= since)
            && self.until.is_none_or(|until| created_at < until)
    }

    /// Rejects a number of results that is out of range, and a score that is NaN.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`].
    pub fn check(&self) -> Result<()> {
        let fault = if !(1..=crate::page::MAX_PAGE).contains(&self.top_k) {
            format!("top_k should be 1 to {}, not {}", crate::page::MAX_PAGE, self.top_k)
        } else if self.min_score.is_nan() {
            "min_score should be a number, not NaN".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::InvalidInput, "search memories", fault))
    }
}

/// A search result.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// The memory.
    pub memory: Memory,
    /// Its score.
    pub score: f64,
}

/// Keeps memories of users.
///
/// # Contract
/// 1. `add` stores messages, all or none, in order, and returns their numbers. Concurrent adds lose nothing.
/// 2. `search` finds memories that share a word with the query ([`words`]), best first, and newest first if equal. A
///    memory is better if it has more of the query's words, has them more often, or has fewer other words. The scores
///    themselves are up to the backend; the backends here use BM25 over the user's own texts ([`rank`]).
/// 3. Another user's texts never affect a user's results or their scores.
/// 4. `top_k`, `min_score`, session and times narrow the results; they do not change the scores.
/// 5. Messages without text, and parts that are not text, are stored and listed, never found, and break no search.
/// 6. `list` returns memories, newest first, of one session or of all, in pages that stay stable while others write.
/// 7. `delete`, `delete_session` and `delete_user` delete what they name, also from searches, and return what existed.
/// 8. Ids are opaque: whatever characters they contain, two pairs of user and session never share data. Ids and
///    messages that are too large, and queries out of range, are `InvalidInput` and change nothing.
///
/// # Concurrency and cancellation
/// Any task may make any call at any time. A dropped add may or may not have happened.
#[async_trait]
pub trait MemoryStore: Service {
    /// Stores messages; returns their numbers.
    async fn add(&self, user: &UserId, session: &SessionId, messages: Vec<Message>) -> Result<Vec<u64>>;

    /// Searches a user's memories; best results first.
    async fn search(&self, user: &UserId, query: &MemoryQuery) -> Result<Vec<Recalled>>;

    /// Lists a user's memories after the cursor, newest first.
    async fn list(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Memory>>;

    /// Deletes a memory; returns whether it existed.
    async fn delete(&self, user: &UserId, number: u64) -> Result<bool>;

    /// Deletes the memories of a session; returns how many there were.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Deletes all memories of a user; returns how many there were.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
}
