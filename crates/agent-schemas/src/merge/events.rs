//! Events of the agent protocol, merged into a response or a message.

use thiserror::Error;

use super::gather::{Gathered, name};
use crate::delta::add_usage;
use crate::event::Event;
use crate::id::{IdSource, response_id};
use crate::json::JsonObject;
use crate::message::Message;
use crate::response::AgentResponse;
use crate::status::Status;

/// Why events could not be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is no event that could be part of a response.
    #[error("Cannot merge empty response list")]
    EmptyResponseList,
    /// There is no event that could be part of a message.
    #[error("Cannot merge empty message list")]
    EmptyMessageList,
}

/// The response that a list of events amounts to. The peer's `merge_agent_response`.
///
/// - It is the last response of the list; a list without one gives a new response, with a fresh id and the time `now`
///   in Unix seconds.
/// - Its output is the last response's own if that ended the run and has one; else it is all messages of the list,
///   the closed ones first. Unlike the output of a run, it then has messages that failed, too.
/// - Its status is that of the last event. A list of nothing but contents counts as complete, unless the last
///   ended otherwise.
///
/// Messages grow by deltas, whether these come as contents or inside messages. Contents without a place continue the
/// message before them.
///
/// # Errors
/// If the list has no response, message or content.
pub fn merge_agent_responses(
    events: &[Event],
    ids: &dyn IdSource,
    now: i64,
) -> Result<AgentResponse, MergeError> {
    let last = last_known(events).ok_or(MergeError::EmptyResponseList)?;
    let mut gathered = Gathered::from_events(events);
    let only_contents = events.iter().all(|event| matches!(event, Event::Content(_) | Event::Other(_)));
    if only_contents {
        gathered.messages().for_each(complete);
    }
    let told = last.status().cloned();
    let status = if only_contents {
        told.filter(Status::is_final).unwrap_or(Status::Completed)
    } else {
        told.unwrap_or(Status::InProgress)
    };
    let base = gathered.take_response().unwrap_or_else(|| AgentResponse::new("", now));
    let own_error = match last {
        Event::Message(message) => message.error.clone(),
        Event::Content(content) => content.error.clone(),
        Event::Response(_) | Event::Other(_) => None,
    };
    let output = gathered.into_output(base.status.is_final(), ids);
    Ok(AgentResponse {
        error: base.error.or(own_error),
        id: if base.id.is_empty() { response_id(ids) } else { base.id },
        usage: base.usage.or_else(|| usage_of(output.as_deref().unwrap_or_default())),
        status,
        output,
        ..base
    })
}

/// The message that a list of events ends with, with all that the list says of it. The peer's `merge_agent_message`.
///
/// Where the list ends with a content, that counts as the end of its message. A message without an id gets a fresh
/// one.
///
/// # Errors
/// If the list has no message or content.
pub fn merge_agent_messages(events: &[Event], ids: &dyn IdSource) -> Result<Message, MergeError> {
    let gathered = Gathered::from_events(events);
    let mut message = gathered.into_current().ok_or(MergeError::EmptyMessageList)?;
    if matches!(last_known(events), Some(Event::Content(_))) {
        complete(&mut message);
    }
    name(&mut message, ids);
    Ok(message)
}

fn last_known(events: &[Event]) -> Option<&Event> {
    events.iter().rev().find(|event| !matches!(event, Event::Other(_)))
}

fn usage_of(output: &[Message]) -> Option<JsonObject> {
    output.iter().filter_map(|message| message.usage.clone()).reduce(|mut sum, usage| {
        add_usage(&mut sum, &usage);
        sum
    })
}

/// Ends what has not ended.
fn complete(message: &mut Message) {
    if !message.status.is_final() {
        message.completed();
    }
    for content in message.content.iter_mut().flatten() {
        if !content.status.as_ref().is_some_and(Status::is_final) {
            content.completed();
        }
    }
}
