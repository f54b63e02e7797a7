//! Builders of responses, messages and contents, for agents that emit protocol events themselves.
//!
//! Each builder owns the value it builds and returns a copy of it with every event. The caller supplies ids and times.
//!
//! ```
//! use agent_schemas::builder::{BuilderError, MessageBuilder, ResponseBuilder};
//! use agent_schemas::{Event, IdSource};
//!
//! # #[derive(Debug)]
//! # struct Ids;
//! # impl IdSource for Ids {
//! #     fn uuid(&self) -> String { "f0e1".into() }
//! #     fn random(&self) -> String { "f0e1".into() }
//! # }
//! fn answer(ids: &dyn IdSource, now: i64) -> Result<Vec<Event>, BuilderError> {
//!     let mut events = Vec::new();
//!     let mut response = ResponseBuilder::new(ids, now).with_session_id("session-1");
//!     events.push(response.created().into());
//!     events.push(response.in_progress().into());
//!
//!     let mut message = MessageBuilder::new(ids);
//!     events.push(message.in_progress().into());
//!     let mut text = message.content("text")?;
//!     events.push(text.add_text_delta("Hello, ")?.into());
//!     events.push(text.add_text_delta("World!")?.into());
//!     events.push(message.complete_content(text).into());
//!     events.push(response.complete_message(message).into());
//!
//!     events.push(response.completed(now + 1).into());
//!     Ok(events)
//! }
//!
//! let events = answer(&Ids, 1_800_000_000).unwrap();
//! let Some(Event::Response(last)) = events.last() else { panic!("a log ends with a response") };
//! assert_eq!(last.messages()[0].text_content(), Some("Hello, World!"));
//! ```

mod content;

use thiserror::Error;

use crate::content::{Content, ContentBody};
use crate::error::ErrorBody;
use crate::event::Event;
use crate::id::{IdSource, message_id, response_id};
use crate::json::JsonObject;
use crate::message::{Message, MessageType, Role};
use crate::response::AgentResponse;

pub use content::ContentBuilder;

/// Why a builder rejected a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuilderError {
    /// The content type does not exist.
    #[error("Unsupported content type: {type_name}")]
    UnsupportedType {
        /// The requested type.
        type_name: String,
    },
    /// The method is for another content type.
    #[error("{method} only supported for {type_name} content")]
    WrongType {
        /// The method that was called.
        method: &'static str,
        /// The content type that supports the method.
        type_name: &'static str,
    },
}

/// Builds a response and its events. The output is `[]` from the start.
#[derive(Clone, Debug)]
pub struct ResponseBuilder {
    response: AgentResponse,
}

impl ResponseBuilder {
    /// Creates a response with a new id; `created_at` is in Unix seconds.
    pub fn new(ids: &dyn IdSource, created_at: i64) -> Self {
        let mut response = AgentResponse::new(response_id(ids), created_at);
        response.output = Some(Vec::new());
        ResponseBuilder { response }
    }

    /// Sets the response id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.response.id = id.into();
        self
    }

    /// Sets the session id.
    #[must_use]
    pub fn with_session_id(mut self, session_id: impl Into<String>) -> Self {
        self.response.session_id = Some(session_id.into());
        self
    }

    /// Returns the event with status `created`.
    pub fn created(&mut self) -> AgentResponse {
        self.response.created().clone()
    }

    /// Returns the event with status `in_progress`.
    pub fn in_progress(&mut self) -> AgentResponse {
        self.response.in_progress().clone()
    }

    /// Completes a message and adds it to the output. Returns the message event with status `completed`.
    pub fn complete_message(&mut self, message: MessageBuilder) -> Message {
        let message = message.complete();
        self.response.output.get_or_insert_default().push(message.clone());
        message
    }

    /// Completes the response; `completed_at` is in Unix seconds.
    pub fn completed(mut self, completed_at: i64) -> AgentResponse {
        self.response.completed(completed_at);
        self.response
    }

    /// Fails the response. Messages that were already added stay in the output.
    pub fn failed(mut self, error: ErrorBody) -> AgentResponse {
        self.response.failed(error);
        self.response
    }

    /// Returns the events of a complete response whose only message has one text, built from these tokens. Null
    /// stands for no token.
    ///
    /// The message gets a new id; `completed_at` is in Unix seconds. The events have no sequence numbers.
    pub fn generate_streaming_response<T: Into<String>>(
        mut self,
        ids: &dyn IdSource,
        role: Role,
        tokens: impl IntoIterator<Item = T>,
        completed_at: i64,
    ) -> Vec<Event> {
        let mut message = MessageBuilder::new(ids).with_role(role);
        let mut events = vec![self.created().into(), self.in_progress().into(), message.in_progress().into()];
        let mut text = message.next_content(ContentBody::Text { text: None });
        for token in tokens {
            events.push(text.append(ContentBody::Text { text: Some(token.into()) }).into());
        }
        events.push(message.complete_content(text).into());
        events.push(self.complete_message(message).into());
        events.push(self.completed(completed_at).into());
        events
    }
}

/// Builds a message and its events.
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    message: Message,
    /// The number of content builders created so far.
    started: i64,
}

impl MessageBuilder {
    /// Creates an assistant message of type `message` with a new id.
    pub fn new(ids: &dyn IdSource) -> Self {
        let mut message = Message::new(message_id(ids), MessageType::Message);
        message.role = Some(Role::Assistant);
        MessageBuilder { message, started: 0 }
    }

    /// Sets the message id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.message.id = id.into();
        self
    }

    /// Sets the message type.
    #[must_use]
    pub fn with_kind(mut self, kind: MessageType) -> Self {
        self.message.kind = kind;
        self
    }

    /// Sets the role.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.message.role = Some(role);
        self
    }

    /// Sets the token usage of the model call behind the message.
    #[must_use]
    pub fn with_usage(mut self, usage: JsonObject) -> Self {
        self.message.usage = Some(usage);
        self
    }

    /// Sets the application's metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: JsonObject) -> Self {
        self.message.metadata = Some(metadata);
        self
    }

    /// Returns the event that opens the message, with status `in_progress`.
    pub fn in_progress(&mut self) -> Message {
        self.message.in_progress().clone()
    }

    /// Starts the next content. Its index is the number of contents started before it.
    ///
    /// # Errors
    /// [`BuilderError::UnsupportedType`] if the type is not one of [`ContentBody::TYPES`].
    pub fn content(&mut self, type_name: &str) -> Result<ContentBuilder, BuilderError> {
        let unsupported = || BuilderError::UnsupportedType { type_name: type_name.to_owned() };
        Ok(self.next_content(ContentBody::empty(type_name).ok_or_else(unsupported)?))
    }

    fn next_content(&mut self, empty: ContentBody) -> ContentBuilder {
        let index = self.started;
        self.started += 1;
        ContentBuilder::new(empty, self.message.id.clone(), index)
    }

    /// Completes a content and adds it to the message, replacing any content with the same index. Returns the content
    /// event with status `completed`.
    pub fn complete_content(&mut self, content: ContentBuilder) -> Content {
        let content = content.complete();
        let contents = self.message.content.get_or_insert_default();
        match contents.iter_mut().find(|known| known.index == content.index) {
            Some(known) => *known = content.clone(),
            None => contents.push(content.clone()),
        }
        content
    }

    /// Completes the message. Returns the event with all contents and status `completed`.
    pub fn complete(mut self) -> Message {
        self.message.completed();
        self.message
    }
}
