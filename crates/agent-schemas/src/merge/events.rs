//! Merges events of the agent protocol into a response or a message.

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
    /// No event could be part of a response.
    #[error("Cannot merge empty response list")]
    EmptyResponseList,
    /// No event could be part of a message.
    #[error("Cannot merge empty message list")]
    EmptyMessageList,
}

/// Merges a list of events into a response. Upstream's `merge_agent_response`.
///
/// - The base is the last response in the list. Without one, it is a new response with a new id, created at `now` (Unix
///   seconds).
/// - The output is that of the last response if it ended the run and has one. Otherwise it is all messages in the list,
///   closed ones first. Unlike the output of a run, it then includes failed messages.
/// - The status is that of the last event. A list of contents alone counts as completed, unless the last one ended
///   otherwise.
///
/// Messages grow by deltas, whether these arrive as contents or inside messages. A content without a message id or
/// index continues the previous message.
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

/// Merges a list of events into the message that the list ends with. Upstream's `merge_agent_message`.
///
/// If the list ends with a content, that ends its message. A message without an id gets a new one.
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

/// Ends what is still open.
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
