//! Tool calls that come in parts.

use super::members::append_members;
use crate::delta::append;
use crate::openai::chat::{ChoiceDeltaFunction, ChoiceDeltaToolCall};

/// The tool calls of one answer as they grow.
#[derive(Default)]
pub(super) struct Calls(Vec<Growing>);

struct Growing {
    /// The index by which the server's further parts name the call.
    told_index: Option<i64>,
    /// The index in the merged answer.
    index: i64,
    call: ChoiceDeltaToolCall,
}

impl Calls {
    /// Takes in a part of a call.
    pub(super) fn push(&mut self, part: &ChoiceDeltaToolCall) {
        let at = self.continued_by(part).unwrap_or_else(|| {
            self.0.push(Growing {
                told_index: part.index,
                index: self.free_index(part.index),
                call: ChoiceDeltaToolCall::default(),
            });
            self.0.len() - 1
        });
        if let Some(growing) = self.0.get_mut(at) {
            grow(&mut growing.call, part);
        }
    }

    /// The calls in the order of their indexes.
    pub(super) fn finish(mut self) -> Vec<ChoiceDeltaToolCall> {
        self.0.sort_by_key(|growing| growing.index);
        self.0
            .into_iter()
            .map(|growing| ChoiceDeltaToolCall { index: Some(growing.index), ..growing.call })
            .collect()
    }

    /// The position of the call that a part continues; `None` if it begins one.
    ///
    /// Some servers give no index, or the same to all calls; then a part that names a function begins a call, unless
    /// its id is known.
    fn continued_by(&self, part: &ChoiceDeltaToolCall) -> Option<usize> {
        let begins = part.function.as_ref().is_some_and(|function| said(&function.name).is_some());
        let id = said(&part.id);
        let last = |is: &dyn Fn(&Growing) -> bool| self.0.iter().rposition(is);
        match part.index {
            Some(_) => last(&|known| known.told_index == part.index).filter(|at| {
                let known = self.0.get(*at).and_then(|known| said(&known.call.id));
                !begins || id.is_none() || known.is_none() || id == known
            }),
            None => {
                let same_id = id.and_then(|id| last(&|known| said(&known.call.id) == Some(id)));
                same_id.or(if begins { None } else { self.0.len().checked_sub(1) })
            }
        }
    }

    /// The index that was told, or the next one where that is taken.
    fn free_index(&self, told: Option<i64>) -> i64 {
        let taken = |index| self.0.iter().any(|known| known.index == index);
        let next = self.0.iter().map(|known| known.index).max().map_or(0, |last| last.saturating_add(1));
        told.filter(|told| !taken(*told)).unwrap_or(next)
    }
}

/// A string that is there and says something.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// Keeps the first of what names a thing.
fn keep_first(name: &mut Option<String>, told: &Option<String>) {
    if said(name).is_none() && told.is_some() {
        name.clone_from(told);
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

/// Adds a part of a function: its arguments grow, its name is kept.
pub(super) fn grow_function(function: &mut ChoiceDeltaFunction, part: &ChoiceDeltaFunction) {
    keep_first(&mut function.name, &part.name);
    append(&mut function.arguments, &part.arguments);
    append_members(&mut function.extra, &part.extra);
}
