//! Calls of the client's tools.

use agent_schemas::openai::{KNOWN_OF_CALL, extra_members};
use agent_schemas::{Content, Json, JsonObject};

use super::wire::{Call, CallDelta, Function, FunctionDelta};

/// The member that has the name and the arguments.
const FUNCTION: &str = "function";

/// The calls of a completion, in the order in which they started.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Known>);

#[derive(Debug, Default)]
struct Known {
    msg_id: Option<String>,
    content: Option<i64>,
    id: String,
    name: String,
    arguments: String,
    /// The position among the calls that the client knows; `None` if it does not know this one yet.
    index: Option<usize>,
    /// The number of argument bytes written so far.
    written: usize,
    /// The members that the model server attached to the call, and to its function.
    attached: [JsonObject; 2],
    /// The part of that which is not written yet.
    unwritten: [JsonObject; 2],
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|call| call.index.is_none())
    }

    /// Handles an update of a call, and returns what to write now.
    pub(super) fn take(&mut self, content: &Content) -> Option<CallDelta<'_>> {
        let data = content.as_data()?;
        let text = |key| data.get(key).and_then(Json::as_str);
        let is_it = |call: &Known| call.msg_id == content.msg_id && call.content == content.index;
        let at = self.0.iter().position(is_it).unwrap_or_else(|| {
            let (msg_id, content) = (content.msg_id.clone(), content.index);
            self.0.push(Known { msg_id, content, ..Known::default() });
            self.0.len() - 1
        });
        let call = &mut self.0[at];
        for (known, said) in [(&mut call.id, text("call_id")), (&mut call.name, text("name"))] {
            if known.is_empty() {
                known.push_str(said.unwrap_or_default());
            }
        }
        if let Some(extra) = extra_members(data) {
            call.attach(extra);
        }
        let arguments = text("arguments").unwrap_or_default();
        if content.delta == Some(true) {
            call.arguments.push_str(arguments);
        } else if arguments.starts_with(&call.arguments) {
            arguments.clone_into(&mut call.arguments);
        }
        let is_whole = content.status.as_ref().is_some_and(agent_schemas::Status::is_final);
        if is_whole && call.id.is_empty() {
            // Clients refer to calls by id.
            call.id = format!("call_{at}");
        }
        let next = self.0.iter().filter(|call| call.index.is_some()).count();
        self.0[at].delta(next)
    }

    /// All calls that were written.
    pub(super) fn shown(&self) -> Vec<Call<'_>> {
        let written = self.0.iter().filter(|call| call.index.is_some());
        let shown = written.map(|call| Call {
            id: &call.id,
            r#type: "function",
            function: Function { name: &call.name, arguments: &call.arguments, extra: call.attached.get(1) },
            extra: call.attached.first(),
        });
        shown.collect()
    }
}

impl Known {
    fn attach(&mut self, extra: &JsonObject) {
        let of_function = extra.get(FUNCTION).and_then(Json::as_object).cloned().unwrap_or_default();
        let mut of_call = extra.clone();
        of_call.retain(|key, _| !KNOWN_OF_CALL.contains(&key.as_str()));
        for (place, attached) in [of_call, of_function].into_iter().enumerate() {
            for (key, value) in attached {
                if self.attached[place].get(&key) != Some(&value) {
                    self.unwritten[place].insert(key.clone(), value.clone());
                    self.attached[place].insert(key, value);
                }
            }
        }
    }

    /// The part not written yet; `next` is the position of a call that the client does not know yet.
    fn delta(&mut self, next: usize) -> Option<CallDelta<'_>> {
        if self.id.is_empty() || self.name.is_empty() {
            return None;
        }
        let is_first = self.index.is_none();
        let index = *self.index.get_or_insert(next);
        let arguments = self.arguments.get(self.written..).unwrap_or_default();
        self.written = self.arguments.len();
        let is_attached = self.unwritten.iter().any(|attached| !attached.is_empty());
        if arguments.is_empty() && !is_first && !is_attached {
            return None;
        }
        let [of_call, of_function] = std::mem::take(&mut self.unwritten).map(Some);
        Some(CallDelta {
            index,
            id: is_first.then_some(self.id.as_str()),
            r#type: is_first.then_some("function"),
            function: FunctionDelta {
                name: is_first.then_some(self.name.as_str()),
                arguments,
                extra: of_function,
            },
            extra: of_call,
        })
    }
}
