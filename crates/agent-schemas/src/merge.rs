//! Merges lists of chunks or events into one value.
//!
//! [`Fold`](crate::Fold) follows a log from its beginning. These functions accept any recorded part of a stream: single
//! contents, messages without a response, or responses that contain parts.
//!
//! ```
//! use agent_schemas::merge::merge_chat_completion_chunks;
//! use agent_schemas::openai::chat::ChatCompletionChunk;
//!
//! let chunk = |text: &str| -> ChatCompletionChunk {
//!     serde_json::from_str(&format!(r#"{{"choices": [{{"delta": {{"content": "{text}"}}}}]}}"#)).unwrap()
//! };
//! let answer = merge_chat_completion_chunks(&[chunk("Hel"), chunk("lo")]).unwrap();
//! assert_eq!(answer.choices[0].delta.content.as_deref(), Some("Hello"));
//! ```

mod calls;
mod chunks;
mod events;
mod gather;
mod members;
mod places;

use crate::message::Message;
use crate::openai::chat::{ChatCompletionChunk, FinishReason};
use crate::response::AgentResponse;
use crate::status::Status;

pub use chunks::merge_chat_completion_chunks;
pub use events::{MergeError, merge_agent_messages, merge_agent_responses};

/// The finish reason of the chunk's first choice; `None` if it has none. Upstream's `get_finish_reason`.
pub fn finish_reason_of_chunk(chunk: &ChatCompletionChunk) -> Option<&FinishReason> {
    // Some servers send an empty reason until the answer ends.
    chunk.choices.first()?.finish_reason.as_ref().filter(|reason| !reason.as_str().is_empty())
}

/// `stop` if the response is complete and has an output. Upstream's `get_agent_response_finish_reason`.
pub fn finish_reason_of_response(response: &AgentResponse) -> Option<FinishReason> {
    (response.status == Status::Completed && !response.messages().is_empty()).then_some(FinishReason::Stop)
}

/// `stop` if the message is complete. Upstream's `get_agent_message_finish_reason`.
pub fn finish_reason_of_message(message: &Message) -> Option<FinishReason> {
    (message.status == Status::Completed).then_some(FinishReason::Stop)
}
