//! What a history is made of.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// A moment; a later one has a greater number.
pub type Moment = u64;

/// Counts the moments of one history.
#[derive(Debug, Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// Now. No moment is given twice.
    pub fn now(&self) -> Moment {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// What the store promised of an event that was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It stays.
    #[default]
    Strict,
    /// A takeover may write another one in its place, in a later epoch.
    Relaxed,
}

/// What a request wants where its session is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// To wait.
    Enqueue,
    /// To be refused.
    Reject,
    /// To stop the run in progress and to be the next.
    Interrupt,
    /// To be handed to the run in progress.
    Steer,
}

/// One request for a run, as it was sent once.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Whose run.
    pub user: String,
    /// In which session.
    pub session: String,
    /// What is to become of it.
    pub policy: Policy,
    /// The idempotency key.
    pub key: Option<String>,
    /// The body, and whatever else makes requests differ.
    pub body: String,
    /// A word that no other request has in its text but a repetition. The agent repeats it with `#` before it.
    pub tag: String,
    /// What came back.
    pub reply: Reply,
    /// When that was known.
    pub answered: Moment,
}

impl Submission {
    /// The run that was the answer.
    pub fn run(&self) -> Option<&str> {
        match &self.reply {
            Reply::Accepted(run) => Some(run),
            _ => None,
        }
    }
}

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This run: a new one, that of an earlier request, or the one that was steered.
    Accepted(String),
    /// An error with this code.
    Refused(String),
    /// Nothing that could be understood.
    Lost,
}

/// The id of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Its number in the log.
    pub number: u64,
    /// In which epoch it was written, from 1 on.
    pub epoch: u64,
}

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What it says.
    pub json: Value,
}

impl Event {
    /// How the run ended, if this event says so.
    pub fn end(&self) -> Option<&str> {
        let status = self.json["status"].as_str().filter(|status| is_final(status));
        status.filter(|_| self.json["object"] == "response")
    }

    /// The moments that the agent wrote down.
    pub fn marks(&self) -> impl Iterator<Item = Moment> {
        self.words().filter_map(|word| word.strip_prefix('@')?.parse().ok())
    }

    /// The requests that the agent answers, or that were handed to it while it worked.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let is_users = self.json["object"] == "message" && self.json["role"] == "user";
        let text = self.json["content"][0]["text"].as_str().filter(|_| is_users);
        let handed = text.and_then(|text| text.split(' ').next());
        self.words().filter_map(|word| word.strip_prefix('#')).chain(handed)
    }

    /// The words of an answer as they came; what is said again at its end does not count.
    fn words(&self) -> impl Iterator<Item = &str> {
        let text = self.json["text"].as_str().filter(|_| self.json["delta"] == true);
        text.unwrap_or_default().split(' ').filter(|word| !word.is_empty())
    }
}

/// Where a reading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With the first event.
    Beginning,
    /// Behind this event.
    After(EventId),
    /// Somewhere, as for who has steered.
    Anywhere,
}

/// What a client read over one connection.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Of which run.
    pub run: String,
    /// From where on.
    pub from: Place,
    /// What came, until the connection ended or was cut.
    pub events: Vec<Event>,
}

/// What a client was not given to read.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Of which run.
    pub run: String,
    /// From where on.
    pub from: Place,
    /// The answer's status.
    pub status: u16,
}

/// What a client received about a run's status.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which run.
    pub run: String,
    /// When the question was sent.
    pub asked: Moment,
    /// When the answer was there.
    pub answered: Moment,
    /// The answer.
    pub status: String,
}

/// What the store has of a run in the end.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Which run.
    pub run: String,
    /// Whose run.
    pub user: String,
    /// In which session.
    pub session: String,
    /// The status.
    pub status: String,
    /// How many events it is said to have.
    pub count: u64,
    /// The log, streamed from its beginning.
    pub log: Vec<Event>,
    /// The log, read in pages.
    pub pages: Vec<Value>,
}

impl StoredRun {
    /// The moments that the agent wrote down, in the order of the log.
    pub fn marks(&self) -> impl Iterator<Item = (u64, Moment)> {
        self.log.iter().flat_map(|event| event.marks().map(|mark| (event.id.number, mark)))
    }
}

/// What a session remembers in the end.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whose session.
    pub user: String,
    /// Which one.
    pub session: String,
    /// The tags of what the user said, in order.
    pub tags: Vec<String>,
}

/// Whether nothing follows a status.
pub(crate) fn is_final(status: &str) -> bool {
    ["completed", "incomplete", "failed", "canceled", "rejected"].contains(&status)
}
