//! The parts of a history.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// A moment; a later one has a greater number.
pub type Moment = u64;

/// Counts the moments of one history.
#[derive(Debug, Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// The current moment. No moment is returned twice.
    pub fn now(&self) -> Moment {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The store's promise for an event that was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It stays.
    #[default]
    Strict,
    /// A takeover may write another one in its place, in a later epoch.
    Relaxed,
}

/// What a request wants if its session is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// To wait.
    Enqueue,
    /// To be rejected.
    Reject,
    /// To stop the run in progress and be next.
    Interrupt,
    /// To be handed to the run in progress.
    Steer,
}

/// One request for a run, as sent once.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The user of the run.
    pub user: String,
    /// The session of the run.
    pub session: String,
    /// The policy for a busy session.
    pub policy: Policy,
    /// The idempotency key.
    pub key: Option<String>,
    /// The body, and anything else that distinguishes requests.
    pub body: String,
    /// A word in the text that only repetitions of the request share. The agent repeats it with a leading `#`.
    pub tag: String,
    /// The reply.
    pub reply: Reply,
    /// When the reply arrived.
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

/// The reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This run: a new one, that of an earlier request, or the one that was steered.
    Accepted(String),
    /// An error with this code.
    Refused(String),
    /// Nothing usable.
    Lost,
}

/// The id of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Its number in the log.
    pub number: u64,
    /// The epoch in which it was written, from 1 on.
    pub epoch: u64,
}

/// An event as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its JSON.
    pub json: Value,
}

impl Event {
    /// The final status, if this is the last event.
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

    /// The words of an answer from its deltas; the repeated text at its end does not count.
    fn words(&self) -> impl Iterator<Item = &str> {
        let text = self.json["text"].as_str().filter(|_| self.json["delta"] == true);
        text.unwrap_or_default().split(' ').filter(|word| !word.is_empty())
    }
}

/// Where a reading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the first event.
    Beginning,
    /// After this event.
    After(EventId),
    /// Somewhere, for example after steering.
    Anywhere,
}

/// The events that a client read over one connection.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The run.
    pub run: String,
    /// Where it began.
    pub from: Place,
    /// The events, until the connection ended or was cut.
    pub events: Vec<Event>,
}

/// A rejected reading of a client.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The run.
    pub run: String,
    /// Where it began.
    pub from: Place,
    /// The answer's status.
    pub status: u16,
}

/// The status of a run that a client received.
#[derive(Clone, Debug)]
pub struct Told {
    /// The run.
    pub run: String,
    /// When the request was sent.
    pub asked: Moment,
    /// When the answer arrived.
    pub answered: Moment,
    /// The status.
    pub status: String,
}

/// The final state of a run in the store.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// The run.
    pub run: String,
    /// The user of the run.
    pub user: String,
    /// The session of the run.
    pub session: String,
    /// The status.
    pub status: String,
    /// The number of events according to its record.
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

/// The final history of a session.
#[derive(Clone, Debug)]
pub struct Said {
    /// The user of the session.
    pub user: String,
    /// The session.
    pub session: String,
    /// The tags of the user messages, in order.
    pub tags: Vec<String>,
}

/// Whether nothing follows a status.
pub(crate) fn is_final(status: &str) -> bool {
    ["completed", "incomplete", "failed", "canceled", "rejected"].contains(&status)
}
