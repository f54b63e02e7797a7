//! Turns that are sent again after they failed.

use agent_schemas::{Message, MessageType, Role, Status};
use agent_services::page::PageSize;

use crate::live::LiveRun;

/// How many of a session's last messages may belong to a turn that is recognized.
const MAX_TURN: usize = 100;

/// The position of the failed turn at the end of a history that this input repeats: the last messages are the same input,
/// whatever else the agent said until it failed, and the marks of one or more such failures.
fn find(history: &[Message], input: &[Message]) -> Option<usize> {
    if input.is_empty() || !history.last().is_some_and(is_mark) {
        return None;
    }
    let at = (0..=history.len().checked_sub(input.len())?)
        .rev()
        .find(|at| history[*at..].iter().zip(input).all(|(earlier, message)| is_same(earlier, message)))?;
    let rest = &history[at + input.len()..];
    rest.iter().all(|message| !is_input(message)).then_some(at)
}

/// Leaves out the failed attempts of turns that were sent again: this turn's input repeats the last one, for an agent that
/// receives both, and the outputs of earlier ones were followed by another attempt.
pub(crate) fn without_repeated(history: Vec<Message>, input: &[Message]) -> Vec<Message> {
    let mut history = without_failed_outputs(history);
    if let Some(at) = find(&history, input) {
        history.truncate(at);
    }
    history
}

/// Leaves out what agents said last before they failed, where another output follows without an input. Calls that have an
/// output stay: a call and its output belong together.
fn without_failed_outputs(history: Vec<Message>) -> Vec<Message> {
    let mut kept: Vec<Message> = Vec::with_capacity(history.len());
    for message in history {
        let is_output = message.role == Some(Role::Assistant);
        if kept.last().is_some_and(is_mark) && is_output && !is_mark(&message) {
            let before = kept.iter().rposition(|earlier| earlier.role != Some(Role::Assistant));
            kept.truncate(before.map_or(0, |at| at + 1));
        }
        kept.push(message);
    }
    kept
}

/// Whether the session has the run's new input already, because its last turn was the same and failed. If the
/// store cannot say, it does not.
pub(crate) async fn is_repeated(live: &LiveRun) -> bool {
    let (record, sessions) = (&live.record, &live.services.sessions);
    // A turn of an anonymous session is its first.
    if !record.options.keep_history || record.options.anonymous_session {
        return false;
    }
    let last = async |size: usize| -> Vec<Message> {
        let Ok(size) = PageSize::new(size) else { return Vec::new() };
        let found = sessions.last_messages(&record.user_id, &record.session_id, size).await;
        found.ok().flatten().unwrap_or_default().into_iter().map(|stored| stored.message).collect()
    };
    // Nearly always the last turn completed, and one message says so.
    last(1).await.last().is_some_and(is_mark) && find(&last(MAX_TURN).await, live.new_input()).is_some()
}

/// Whether a message comes from the client. Outputs of the client's tools do, too.
fn is_input(message: &Message) -> bool {
    let is_said = matches!(message.role, Some(Role::User | Role::System) | None);
    is_said || message.kind == MessageType::FunctionCallOutput
}

/// Whether a message records that a turn failed. One that the user has cancelled may be repeated on purpose.
fn is_mark(message: &Message) -> bool {
    let is_damaged = message.code.as_deref() == Some("MESSAGE_DAMAGED");
    message.kind == MessageType::Error && message.status != Status::Canceled && !is_damaged
}

/// Whether two messages say the same, whatever their ids are.
fn is_same(one: &Message, other: &Message) -> bool {
    let bodies =
        |message: &Message| message.contents().iter().map(|content| content.body.clone()).collect::<Vec<_>>();
    one.role == other.role && one.kind == other.kind && bodies(one) == bodies(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `u:` for the user's words, `a:` for the agent's, `t:` for the output of a client's tool, `!` for the mark of a failure,
    /// and `c` for that of a cancellation.
    fn messages(lines: &[&str]) -> Vec<Message> {
        let message = |line: &&str| match line.split_once(':') {
            Some(("u", text)) => Message::user(text),
            Some((from, text)) => {
                let mut said = Message::user(text);
                said.role = Some(if from == "t" { Role::Tool } else { Role::Assistant });
                if from == "t" {
                    said.kind = MessageType::FunctionCallOutput;
                }
                said
            }
            None => {
                let mut mark = Message::new("m", MessageType::Error);
                mark.role = Some(Role::Assistant);
                mark.status = if *line == "c" { Status::Canceled } else { Status::Failed };
                mark
            }
        };
        lines.iter().map(message).collect()
    }

    #[track_caller]
    fn check(history: &[&str], input: &[&str], expected: Option<usize>) {
        let found = find(&messages(history), &messages(input));
        assert_eq!(found, expected, "{history:?} {input:?}");
    }

    #[test]
    fn repeated__same_input_after_a_failure__is_found() {
        check(&["u:x", "!"], &["u:x"], Some(0));
        check(&["u:a", "a:b", "u:x", "!"], &["u:x"], Some(2));
        check(&["u:x", "!", "!"], &["u:x"], Some(0));
        check(&["u:x", "a:half", "!"], &["u:x"], Some(0));
        check(&["u:x", "u:y", "!"], &["u:x", "u:y"], Some(0));
    }

    #[test]
    fn failed_output__turn_sent_again__is_left_out() {
        let left = |history: &[&str], input: &[&str]| -> Vec<String> {
            let left = without_repeated(messages(history), &messages(input));
            left.iter().map(Message::full_text).collect()
        };
        assert_eq!(left(&["u:x", "a:half", "!"], &["u:x"]), Vec::<String>::new());
        assert_eq!(left(&["u:x", "a:half", "!", "a:whole"], &["u:y"]), ["x", "whole"]);
        assert_eq!(left(&["u:x", "a:half", "!", "u:z"], &["u:y"]), ["x", "half", "", "z"]);
        assert_eq!(
            left(&["u:x", "a:call", "t:out", "a:half", "!", "a:y"], &["u:z"]),
            ["x", "call", "out", "y"]
        );
        assert_eq!(left(&["u:x", "a:call", "!", "t:out"], &["u:y"]), ["x", "call", "", "out"]);
        assert_eq!(left(&["u:x", "a:half", "c", "a:whole"], &["u:y"]), ["x", "half", "", "whole"]);
    }

    #[test]
    fn repeated__anything_else__is_a_turn_of_its_own() {
        check(&[], &["u:x"], None);
        check(&["!"], &["u:x"], None);
        check(&["u:x", "!"], &[], None);
        check(&["u:x", "c"], &["u:x"], None);
        check(&["u:x", "!"], &["u:y"], None);
        check(&["u:x", "a:b"], &["u:x"], None);
        check(&["u:x", "!", "u:y", "!"], &["u:x"], None);
        check(&["u:y", "!"], &["u:x", "u:y"], None);
        check(&["u:x", "!", "t:out", "!"], &["u:x"], None);
        check(&["u:x", "a:b", "u:y", "!"], &["u:x"], None);
    }
}
