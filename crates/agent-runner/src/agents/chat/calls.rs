//! Tool calls, assembled from the pieces in which they arrive.

use std::collections::HashSet;

use agent_schemas::{JsonObject, json};

use super::client_call::ClientCall;
use super::lenient::Halves;
use super::members;
use super::wire::CallDelta;

/// How many tools a model may call in one answer.
pub(super) const MAX_CALLS: usize = 128;

/// A tool call that may still grow.
#[derive(Debug, Default)]
pub(super) struct PartialCall {
    index: Option<i64>,
    /// Empty until the server sends it, which may never happen.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// The members that the model server attached.
    pub(super) extra: JsonObject,
    /// Set for a call of one of the client's tools, which is shown as it arrives.
    pub(super) client: Option<ClientCall>,
    pub(super) halves: Halves,
}

/// A call of one of the server's own tools.
#[derive(Clone, Debug)]
pub(super) struct OwnCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// The members that the model server attached.
    pub(super) extra: JsonObject,
}

/// A model made more than [`MAX_CALLS`] calls.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyCalls;

/// Finds the call that a piece belongs to, in the order of their first pieces.
///
/// By its index, as OpenAI says; but some servers omit it, or give all parallel calls the same index or id. So a piece
/// starts a new call if it has a name, and another id than its call's, or another name after arguments, or further
/// arguments after complete ones.
///
/// A piece of the name counts if the call has no arguments yet. It replaces the name so far if it begins with it, because
/// some servers send all of it each time; otherwise it is appended.
pub(super) fn place<'a>(
    calls: &'a mut Vec<PartialCall>,
    delta: &CallDelta,
) -> Result<&'a mut PartialCall, TooManyCalls> {
    let CallDelta { id, name, .. } = delta;
    let known = match delta.index() {
        Some(index) => calls.iter().rposition(|call| call.index == Some(index)),
        None if !id.is_empty() => calls.iter().rposition(|call| call.id == *id),
        None if !name.is_empty() => None,
        None => calls.len().checked_sub(1),
    };
    let is_another = |call: &PartialCall| {
        let has_other_id = !id.is_empty() && *id != call.id;
        let has_other_name = !call.arguments.is_empty() && *name != call.name;
        let exceeds = || {
            let is_complete = json::parse(&call.arguments).is_ok_and(|value| value.as_object().is_some());
            is_complete && !delta.arguments.trim().is_empty()
        };
        !name.is_empty() && !call.name.is_empty() && (has_other_id || has_other_name || exceeds())
    };
    let position = match known.filter(|position| !is_another(&calls[*position])) {
        Some(position) => position,
        None if calls.len() >= MAX_CALLS => return Err(TooManyCalls),
        None => {
            calls.push(PartialCall { index: delta.index(), ..PartialCall::default() });
            calls.len() - 1
        }
    };
    let call = &mut calls[position];
    if call.id.is_empty() {
        call.id.clone_from(id);
    }
    if call.arguments.is_empty() && call.client.is_none() {
        if name.starts_with(&call.name) {
            call.name.clear();
        }
        call.name.push_str(name);
    }
    members::merge(&mut call.extra, delta.extra.clone());
    Ok(call)
}

/// Makes ids unique in a turn: missing and repeated ids are replaced.
#[derive(Debug, Default)]
pub(super) struct CallIds(HashSet<String>);

impl CallIds {
    /// The id itself if it is present and new, otherwise a new one.
    pub(super) fn claim(&mut self, id: &str, fresh: impl FnOnce() -> String) -> String {
        let id = if id.is_empty() || self.0.contains(id) { fresh() } else { id.to_owned() };
        self.0.insert(id.clone());
        id
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    /// Gives the calls as `id name arguments` after these pieces.
    #[track_caller]
    fn check(deltas: &[&str], expected: &[&str]) {
        let mut calls = Vec::new();
        for delta in deltas {
            let delta = agent_schemas::json::parse(delta).ok().and_then(CallDelta::read).expect(delta);
            let call = place(&mut calls, &delta).expect("few calls");
            call.arguments.push_str(&delta.arguments);
        }
        let shown: Vec<_> =
            calls.iter().map(|call| format!("{} {} {}", call.id, call.name, call.arguments)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn call_deltas__indexed__join_their_call() {
        check(
            &[
                r#"{"index":0,"id":"a","function":{"name":"x","arguments":""}}"#,
                r#"{"index":1,"id":"b","function":{"name":"y","arguments":"{"}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
                r#"{"index":1,"id":null,"function":{"name":null,"arguments":"}"}}"#,
            ],
            &["a x {}", "b y {}"],
        );
    }

    #[test]
    fn call_deltas__missing_or_constant_index__start_new_calls() {
        let whole = |index: &str, id: &str| {
            format!(r#"{{{index}"id":"{id}","function":{{"name":"x","arguments":"{{}}"}}}}"#)
        };
        for index in ["", r#""index":0,"#] {
            check(&[&whole(index, "a"), &whole(index, "b")], &["a x {}", "b x {}"]);
        }
        check(&[r#"{"id":"a","function":{"name":"x"}}"#, r#"{"function":{"arguments":"{}"}}"#], &["a x {}"]);
        check(
            &[r#"{"function":{"name":"x","arguments":"1"}}"#, r#"{"function":{"name":"y","arguments":"2"}}"#],
            &[" x 1", " y 2"],
        );
    }

    #[test]
    fn call_deltas__one_id_for_several_calls__are_told_apart() {
        let whole = |name: &str, index: &str| {
            format!(r#"{{{index}"id":"a","function":{{"name":"{name}","arguments":"{{}}"}}}}"#)
        };
        for index in ["", r#""index":0,"#] {
            check(&[&whole("x", index), &whole("y", index)], &["a x {}", "a y {}"]);
            check(&[&whole("x", index), &whole("x", index)], &["a x {}", "a x {}"]);
        }
    }

    #[test]
    fn call_deltas__repeated_name_or_new_id__change_nothing() {
        check(
            &[
                r#"{"index":0,"id":"a","function":{"name":"x","arguments":"1"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"x","arguments":"2"}}"#,
                r#"{"index":0,"id":"c","function":{"arguments":"3"}}"#,
            ],
            &["a x 123"],
        );
    }

    #[test]
    fn call_name__in_pieces__is_joined() {
        check(
            &[
                r#"{"index":0,"id":"a","function":{"name":"web"}}"#,
                r#"{"index":0,"function":{"name":"_search","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"web_search","arguments":" "}}"#,
            ],
            &["a web_search {} "],
        );
        check(
            &[
                r#"{"id":"a","function":{"name":"x"}}"#,
                r#"{"id":"a","function":{"name":"x","arguments":"1"}}"#,
            ],
            &["a x 1"],
        );
    }

    #[test]
    fn call_name__sent_whole_each_time__is_not_repeated() {
        let piece = |name: &str, arguments: &str| {
            format!(r#"{{"index":0,"id":"a","function":{{"name":"{name}","arguments":"{arguments}"}}}}"#)
        };
        check(
            &[&piece("get_", ""), &piece("get_weather", "{"), &piece("get_weather", "}")],
            &["a get_weather {}"],
        );
        check(&[&piece("get_weather", ""), &piece("get_weather", "{}")], &["a get_weather {}"]);
        check(&[&piece("get", ""), &piece("_we", ""), &piece("ather", "{}")], &["a get_weather {}"]);
        check(&[&piece("get", ""), &piece("", "{}")], &["a get {}"]);
    }

    #[test]
    fn calls__above_limit__are_refused() {
        let mut calls = Vec::new();
        let mut place_at = |index: usize| {
            let delta = CallDelta::read(object! { "index" => index as i64 }.into()).expect("an object");
            place(&mut calls, &delta).map(|_| ())
        };
        assert!((0..MAX_CALLS).all(|index| place_at(index).is_ok()));
        assert_eq!(place_at(MAX_CALLS), Err(TooManyCalls));
    }

    #[test]
    fn call_ids__empty_or_repeated__are_replaced() {
        let mut ids = CallIds::default();
        let mut claim = |id: &str| ids.claim(id, || "fresh".to_owned());
        assert_eq!([claim("a"), claim(""), claim("b"), claim("a")], ["a", "fresh", "b", "fresh"]);
    }
}
