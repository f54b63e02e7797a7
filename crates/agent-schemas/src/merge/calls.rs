//! Merges tool calls that arrive in parts.

use std::collections::{HashMap, HashSet};

use super::members::append_members;
use crate::delta::append;
use crate::openai::chat::{ChoiceDeltaFunction, ChoiceDeltaToolCall};

/// The tool calls of one choice as they grow.
#[derive(Default)]
pub(super) struct Calls {
    calls: Vec<Growing>,
    /// The last call with each index that the server uses for further parts.
    by_sent_index: HashMap<i64, usize>,
    /// The last call with each id.
    by_id: HashMap<String, usize>,
    /// The indexes in the merged answer.
    taken: HashSet<i64>,
    greatest: Option<i64>,
}

struct Growing {
    /// The index in the merged answer.
    index: i64,
    call: ChoiceDeltaToolCall,
}

impl Calls {
    /// Adds a part of a call.
    pub(super) fn push(&mut self, part: &ChoiceDeltaToolCall) {
        let at = self.continued_by(part).unwrap_or_else(|| self.begin(part.index));
        let Some(Growing { call, .. }) = self.calls.get_mut(at) else {
            return;
        };
        let was_named = said(&call.id).is_some();
        grow(call, part);
        if let Some(id) = said(&call.id).filter(|_| !was_named) {
            let last = self.by_id.entry(id.to_owned()).or_insert(at);
            *last = at.max(*last);
        }
    }

    /// Starts a call and returns its position.
    fn begin(&mut self, sent_index: Option<i64>) -> usize {
        let at = self.calls.len();
        let index = self.free_index(sent_index);
        self.taken.insert(index);
        self.greatest = self.greatest.max(Some(index));
        if let Some(sent) = sent_index {
            self.by_sent_index.insert(sent, at);
        }
        self.calls.push(Growing { index, call: ChoiceDeltaToolCall::default() });
        at
    }

    /// The calls in the order of their indexes.
    pub(super) fn finish(mut self) -> Vec<ChoiceDeltaToolCall> {
        self.calls.sort_by_key(|growing| growing.index);
        self.calls
            .into_iter()
            .map(|growing| ChoiceDeltaToolCall { index: Some(growing.index), ..growing.call })
            .collect()
    }

    /// The position of the call that a part continues; `None` if the part starts a new call.
    ///
    /// Some servers send no index, or the same one for all calls. Then a part that names a function starts a new call,
    /// unless its id is known.
    fn continued_by(&self, part: &ChoiceDeltaToolCall) -> Option<usize> {
        let begins = part.function.as_ref().is_some_and(|function| said(&function.name).is_some());
        let id = said(&part.id);
        match part.index {
            Some(index) => self.by_sent_index.get(&index).copied().filter(|at| {
                let known = self.calls.get(*at).and_then(|known| said(&known.call.id));
                !begins || id.is_none() || known.is_none() || id == known
            }),
            None => {
                let same_id = id.and_then(|id| self.by_id.get(id).copied());
                same_id.or(if begins { None } else { self.calls.len().checked_sub(1) })
            }
        }
    }

    /// The given index, or the next free one if it is taken.
    fn free_index(&self, sent: Option<i64>) -> i64 {
        let next = self.greatest.map_or(0, |greatest| greatest.saturating_add(1));
        sent.filter(|sent| !self.taken.contains(sent)).unwrap_or(next)
    }
}

/// A string that is present and not empty.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// Keeps the first value of an identifier.
fn keep_first(name: &mut Option<String>, sent: &Option<String>) {
    if said(name).is_none() && sent.is_some() {
        name.clone_from(sent);
    }
}

fn grow(call: &mut ChoiceDeltaToolCall, part: &ChoiceDeltaToolCall) {
    keep_first(&mut call.id, &part.id);
    keep_first(&mut call.kind, &part.kind);
    if let Some(part) = &part.function {
        grow_function(call.function.get_or_insert_default(), part);
    }
    append_members(&mut call.extra, &part.extra);
}

/// Adds a part of a function: the arguments grow, the name is kept.
pub(super) fn grow_function(function: &mut ChoiceDeltaFunction, part: &ChoiceDeltaFunction) {
    keep_first(&mut function.name, &part.name);
    append(&mut function.arguments, &part.arguments);
    append_members(&mut function.extra, &part.extra);
}
