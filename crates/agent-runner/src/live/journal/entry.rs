//! The entries of a journal.

use agent_schemas::{ErrorBody, Json, RunId};
use agent_services::run::Step;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;

/// What a run has noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// A step that may only be taken once was begun.
    Begun {},
    /// A step has this result.
    Done(Json),
    /// A step that may only be taken once has failed.
    Failed(ErrorBody),
    /// The run has asked a question.
    Asked {},
    /// A question was answered.
    Answered(Answer),
    /// The run continues the turn of this one.
    Continues(String),
}

impl Entry {
    /// The entry of a stored step; `None` if a later version wrote it.
    pub(crate) fn read(step: &Step) -> Option<Entry> {
        serde_json::from_str(&step.data).ok()
    }

    /// Its stored form.
    pub(crate) fn to_text(&self) -> String {
        // Every entry can be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Its approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.to_text().len()
    }
}

/// The keys of entries. The names of steps and questions are the agent's.
pub(crate) struct Key;

impl Key {
    /// The run whose turn is continued.
    pub(crate) const CONTINUES: &str = "continues";
    /// The run that answers the question.
    pub(crate) const ANSWERED_BY: &str = "answered by";

    pub(crate) fn step(name: &str) -> String {
        format!("step {name}")
    }

    pub(crate) fn question(name: &str) -> String {
        format!("question {name}")
    }

    /// Whether a key is that of a question.
    pub(crate) fn is_question(key: &str) -> bool {
        key.starts_with("question ")
    }
}

/// The run that an entry names.
pub(crate) fn run_of(entry: Option<&Entry>) -> Option<RunId> {
    match entry {
        Some(Entry::Continues(id)) => Some(RunId::new(id.as_str())),
        _ => None,
    }
}
