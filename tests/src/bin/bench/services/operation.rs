//! The measured operations.

use std::sync::Arc;

use agent_schemas::{Json, Message, SessionId, UserId};
use agent_services::memory::MemoryQuery;
use agent_services::page::PageSize;
use agent_services::session::MessageBatch;
use anyhow::Result;

use super::{Corpus, Stores};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Appends one message to a session.
    Append,
    /// Reads the last 50 messages of a session, which has at least as many, because fewer would be faster to read.
    Last50,
    /// Reads the last 10 messages, which sessions of every size have.
    Last10,
    /// Lists the 50 newest sessions of a user.
    List,
    /// Saves a state of about a kilobyte.
    SaveState,
    /// Adds one memory.
    Remember,
    /// Searches for three words of some memory; returns the ten best results.
    Search,
    /// The same with the three most frequent words, which nearly all memories have.
    SearchFrequent,
}

/// An operation on stores of one size.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) stores: Arc<Stores>,
    pub(crate) operation: Operation,
    pub(crate) size: usize,
    pub(crate) corpus: Arc<Corpus>,
}

impl Operation {
    pub(crate) const ALL: [Operation; 8] = [
        Operation::Append,
        Operation::Last50,
        Operation::Last10,
        Operation::List,
        Operation::SaveState,
        Operation::Remember,
        Operation::Search,
        Operation::SearchFrequent,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Append => "append",
            Operation::Last50 => "last 50",
            Operation::Last10 => "last 10",
            Operation::List => "list 50",
            Operation::SaveState => "save state",
            Operation::Remember => "add memory",
            Operation::Search => "search",
            Operation::SearchFrequent => "search, frequent words",
        }
    }

    /// The minimum number of items for which it is measured.
    pub(crate) fn items(self, size: usize) -> usize {
        if self == Operation::Last50 { size.max(50) } else { size }
    }

    pub(crate) fn is_write(self) -> bool {
        matches!(self, Operation::Append | Operation::SaveState | Operation::Remember)
    }
}

/// The number of sessions, and of users with memories, of one size: enough that measuring does not make them much larger.
pub(crate) fn copies(size: usize) -> usize {
    (20_000 / size).clamp(1, 1000)
}

/// A session with 50 messages, if the others have fewer.
pub(crate) fn session_of_50(copy: usize) -> SessionId {
    SessionId::new(format!("session-of-50-{copy}"))
}

pub(crate) fn session(copy: usize) -> SessionId {
    SessionId::new(format!("session-{copy}"))
}

/// The user with all sessions and states of the size.
pub(crate) fn user() -> UserId {
    UserId::new("user")
}

/// The user whose number of sessions is the size.
pub(crate) fn collector() -> UserId {
    UserId::new("collector")
}

pub(crate) fn rememberer(copy: usize) -> UserId {
    UserId::new(format!("rememberer-{copy}"))
}

/// A message as a client sends it, with an id.
pub(crate) fn message(corpus: &Corpus, number: usize) -> Message {
    let mut message = Message::user(corpus.text(number));
    message.id = format!("msg_{number:032x}");
    message
}

pub(crate) fn state(corpus: &Corpus, number: usize) -> Json {
    let texts = (number..number + 8).map(|number| Json::String(corpus.text(number).to_owned()));
    Json::Array(texts.collect())
}

impl Call {
    /// Executes it for the n-th time.
    pub(crate) async fn once(&self, number: usize) -> Result<()> {
        let Call { stores, corpus, size, .. } = self;
        let fifty = PageSize::new(50)?;
        let copy = number % copies(*size);
        match self.operation {
            Operation::Append => {
                let batch = MessageBatch::of(&[message(corpus, number)])?;
                stores.sessions.append(&user(), &session(copy), batch).await?;
            }
            Operation::Last50 if *size < 50 => self.last(&session_of_50(copy), 50).await?,
            Operation::Last50 => self.last(&session(copy), 50).await?,
            Operation::Last10 => self.last(&session(copy), 10).await?,
            Operation::List => {
                let found = stores.sessions.list(&collector(), None, fifty).await?;
                anyhow::ensure!(found.items.len() == (*size).min(50), "sessions are missing");
            }
            Operation::SaveState => {
                stores.states.save(&user(), &session(copy), None, &state(corpus, number)).await?;
            }
            Operation::Remember => {
                let messages = vec![message(corpus, number)];
                stores.memories.add(&rememberer(copy), &session(0), messages).await?;
            }
            Operation::Search => {
                let query = &corpus.queries[number % corpus.queries.len()];
                stores.memories.search(&rememberer(copy), &MemoryQuery::new(query.as_str())).await?;
            }
            Operation::SearchFrequent => {
                let query = MemoryQuery::new(corpus.frequent.as_str());
                let found = stores.memories.search(&rememberer(copy), &query).await?;
                anyhow::ensure!(!found.is_empty(), "nothing was found");
            }
        }
        Ok(())
    }

    async fn last(&self, session: &SessionId, count: usize) -> Result<()> {
        let found = self.stores.sessions.last_messages(&user(), session, PageSize::new(count)?).await?;
        anyhow::ensure!(found.is_some_and(|found| found.len() == count), "messages are missing");
        Ok(())
    }
}
