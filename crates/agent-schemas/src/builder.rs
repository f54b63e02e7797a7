//! Builders of responses, messages and contents, for agents that speak the protocol themselves.
//!
//! Each builder owns what it builds and gives a copy for every event. It takes ids and times from its caller.
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

/// Why a builder refused a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuilderError {
    /// There is no such type of content.
    #[error("Unsupported content type: {type_name}")]
    UnsupportedType {
        /// What was asked for.
        type_name: String,
    },
    /// The method belongs to another type of content.
    #[error("{method} only supported for {type_name} content")]
    WrongType {
        /// The method that was called.
        method: &'static str,
        /// The type that it is for.
        type_name: &'static str,
    },
}

/// Builds a response and the events that tell of it. Its output is `[]` from the start.
#[derive(Clone, Debug)]
pub struct ResponseBuilder {
    response: AgentResponse,
}

impl ResponseBuilder {
    /// A response with a fresh id; `created_at` is in Unix seconds.
    pub fn new(ids: &dyn IdSource, created_at: i64) -> Self {
        let mut response = AgentResponse::new(response_id(ids), created_at);
        response.output = Some(Vec::new());
        ResponseBuilder { response }
    }

    /// Sets the response's id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.response.id = id.into();
        self
    }

    /// Sets the session that the response belongs to.
    #[must_use]
    pub fn with_session_id(mut self, session_id: impl Into<String>) -> Self {
        self.response.session_id = Some(session_id.into());
        self
    }

    /// The event with status `created`.
    pub fn created(&mut self) -> AgentResponse {
        self.response.created().clone()
    }

    /// The event with status `in_progress`.
    pub fn in_progress(&mut self) -> AgentResponse {
        self.response.in_progress().clone()
    }

    /// Ends a message and adds it to the output; the event with its status `completed`.
    pub fn complete_message(&mut self, message: MessageBuilder) -> Message {
        let message = message.complete();
        self.response.output.get_or_insert_default().push(message.clone());
        message
    }

    /// Ends the response well; `completed_at` is in Unix seconds.
    pub fn completed(mut self, completed_at: i64) -> AgentResponse {
        self.response.completed(completed_at);
        self.response
    }

    /// Ends the response with an error; what was added to the output stays there.
    pub fn failed(mut self, error: ErrorBody) -> AgentResponse {
        self.response.failed(error);
        self.response
    }

    /// The events of a whole response whose only message has one text, made of these tokens; null for no token.
    ///
    /// The message's id is a fresh one; `completed_at` is in Unix seconds. The events have no sequence numbers.
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

/// Builds a message and the events that tell of it.
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    message: Message,
    /// How many content builders it gave out.
    started: i64,
}

impl MessageBuilder {
    /// A message of the assistant with a fresh id, of type `message`.
    pub fn new(ids: &dyn IdSource) -> Self {
        let mut message = Message::new(message_id(ids), MessageType::Message);
        message.role = Some(Role::Assistant);
        MessageBuilder { message, started: 0 }
    }

    /// Sets the message's id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.message.id = id.into();
        self
    }

    /// Sets what the message is.
    #[must_use]
    pub fn with_kind(mut self, kind: MessageType) -> Self {
        self.message.kind = kind;
        self
    }

    /// Sets who speaks.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.message.role = Some(role);
        self
    }

    /// Sets what the model call behind the message used.
    #[must_use]
    pub fn with_usage(mut self, usage: JsonObject) -> Self {
        self.message.usage = Some(usage);
        self
    }

    /// Sets what the application wants to keep with the message.
    #[must_use]
    pub fn with_metadata(mut self, metadata: JsonObject) -> Self {
        self.message.metadata = Some(metadata);
        self
    }

    /// The event that opens the message, with status `in_progress`.
    pub fn in_progress(&mut self) -> Message {
        self.message.in_progress().clone()
    }

    /// Starts the next content; its index is the number of contents started before it.
    ///
    /// # Errors
    /// [`BuilderError::UnsupportedType`] if the type is none of [`ContentBody::TYPES`].
    pub fn content(&mut self, type_name: &str) -> Result<ContentBuilder, BuilderError> {
        let unsupported = || BuilderError::UnsupportedType { type_name: type_name.to_owned() };
        Ok(self.next_content(ContentBody::empty(type_name).ok_or_else(unsupported)?))
    }

    fn next_content(&mut self, empty: ContentBody) -> ContentBuilder {
        let index = self.started;
        self.started += 1;
        ContentBuilder::new(empty, self.message.id.clone(), index)
    }

    /// Ends a content and puts it into the message, in the place of one with the same index; the event with its
    /// status `completed`.
    pub fn complete_content(&mut self, content: ContentBuilder) -> Content {
        let content = content.complete();
        let contents = self.message.content.get_or_insert_default();
        match contents.iter_mut().find(|known| known.index == content.index) {
            Some(known) => *known = content.clone(),
            None => contents.push(content.clone()),
        }
        content
    }

    /// Ends the message: the event with its contents and the status `completed`.
    pub fn complete(mut self) -> Message {
        self.message.completed();
        self.message
    }
}
