//! Memory: what an agent is to remember of a user, beyond one conversation.

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

/// One thing remembered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// Names it among those of its user: a later one has a greater number, and none comes twice.
    pub number: u64,
    /// The session it comes from.
    pub session_id: SessionId,
    /// When it was added, in Unix seconds.
    pub created_at: i64,
    /// What was said.
    pub message: Message,
}

impl Memory {
    /// Something that was added now.
    pub fn new(number: u64, session_id: SessionId, created_at: i64, message: Message) -> Self {
        Memory { number, session_id, created_at, message }
    }
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemoryQuery {
    /// Words; more of them found, and rarer ones, make a higher score.
    pub text: String,
    /// The most results, 1 to 1000.
    pub top_k: usize,
    /// The least score of a result; scores are above 0 and have no upper bound.
    pub min_score: f64,
    /// Only from this session.
    pub session_id: Option<SessionId>,
    /// Only what was added at this time or later, in Unix seconds.
    pub since: Option<i64>,
    /// Only what was added before this time, in Unix seconds.
    pub until: Option<i64>,
}

impl MemoryQuery {
    /// The ten best for these words.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        MemoryQuery { text, top_k: 10, min_score: 0.0, session_id: None, since: None, until: None }
    }

    /// Whether something may be a result, apart from its words.
    pub fn allows(&self, session_id: &SessionId, created_at: i64) -> bool {
        self.session_id.as_ref().is_none_or(|wanted| wanted == session_id)
            && self.since.is_none_or(|since| created_at >= since)
            && self.until.is_none_or(|until| created_at < until)
    }

    /// Refuses a number of results that is out of bounds, and a score that is no number.
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

/// Something remembered that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// What it is.
    pub memory: Memory,
    /// How well it fits.
    pub score: f64,
}

/// Keeps what is to be remembered of users.
///
/// # Contract
/// 1. `add` stores messages, all or none, in order, and gives their numbers. Adds at once lose nothing.
/// 2. `search` finds what shares a word with the query ([`words`]), the best first, of equal ones the newest first. What
///    has more of the query's words, and what has them more often or in fewer other words, is better. The scores themselves
///    are up to the backend; those here are BM25 over the user's own texts ([`rank`]).
/// 3. Another user's texts move nobody's results, nor their scores.
/// 4. `top_k`, `min_score`, session and times narrow the results; they do not change the scores.
/// 5. A message without text, or with anything else in it, is stored and listed, never found, and breaks no search.
/// 6. `list` gives memories, the newest first, of one session or all, in pages that stay stable while others write.
/// 7. `delete`, `delete_session` and `delete_user` forget what they name, for searches too, and say what was there.
/// 8. Ids are opaque: whatever they hold, two pairs of user and session never meet. Ids that are too long, messages that
///    are too large and queries out of bounds are `InvalidInput` and change nothing.
///
/// # Concurrency and cancellation
/// Every call may come from any task at any time. A dropped add may or may not have happened.
#[async_trait]
pub trait MemoryStore: Service {
    /// Stores messages; gives their numbers.
    async fn add(&self, user: &UserId, session: &SessionId, messages: Vec<Message>) -> Result<Vec<u64>>;

    /// What fits the query best, the best first.
    async fn search(&self, user: &UserId, query: &MemoryQuery) -> Result<Vec<Recalled>>;

    /// What is remembered of a user, the newest first, after the cursor.
    async fn list(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Memory>>;

    /// Forgets one thing; says whether it was there.
    async fn delete(&self, user: &UserId, number: u64) -> Result<bool>;

    /// Forgets what comes from a session; says how much it was.
    async fn delete_session(&self, user: &UserId, session: &SessionId) -> Result<u64>;

    /// Forgets all of a user; says how much it was.
    async fn delete_user(&self, user: &UserId) -> Result<u64>;
}
