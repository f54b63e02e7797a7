//! How messages, contents and responses change: their status, and contents that grow by index and type.

use thiserror::Error;

use crate::content::{Content, ContentBody};
use crate::delta::append_body;
use crate::error::ErrorBody;
use crate::message::Message;
use crate::response::AgentResponse;
use crate::status::Status;

/// Adds status setters to a type. They do not check the previous status.
macro_rules! status_setters {
    ($($type:ty),*) => {$(
        impl $type {
            /// Sets the status to `created`.
            pub fn created(&mut self) -> &mut Self {
                self.status = Status::Created.into();
                self
            }

            /// Sets the status to `in_progress`.
            pub fn in_progress(&mut self) -> &mut Self {
                self.status = Status::InProgress.into();
                self
            }

            /// Sets the status to `failed`, with the error.
            pub fn failed(&mut self, error: ErrorBody) -> &mut Self {
                self.status = Status::Failed.into();
                self.error = Some(error);
                self
            }

            /// Sets the status to `rejected`.
            pub fn rejected(&mut self) -> &mut Self {
                self.status = Status::Rejected.into();
                self
            }

            /// Sets the status to `canceled`.
            pub fn canceled(&mut self) -> &mut Self {
                self.status = Status::Canceled.into();
                self
            }
        }
    )*};
}

status_setters!(Content, Message, AgentResponse);

/// Why a content could not be added to a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The delta refers to a content that the message does not have.
    #[error("the message has no content with index {index}")]
    NoSuchContent {
        /// The index of the delta, possibly negative.
        index: i64,
    },
    /// The delta and the content that it continues have different types.
    #[error("a delta of type {delta} cannot continue a content of type {content}")]
    TypeMismatch {
        /// The delta's type.
        delta: &'static str,
        /// The content's type.
        content: &'static str,
    },
}

impl Content {
    /// Sets the status to `completed`.
    pub fn completed(&mut self) -> &mut Self {
        self.status = Some(Status::Completed);
        self
    }
}

impl AgentResponse {
    /// Sets the status to `completed` and the time, in Unix seconds. A null output becomes an empty one.
    pub fn completed(&mut self, completed_at: i64) -> &mut Self {
        self.status = Status::Completed;
        self.completed_at = Some(completed_at);
        self.output.get_or_insert_default();
        self
    }
}

impl Message {
    /// Sets the status to `completed`.
    pub fn completed(&mut self) -> &mut Self {
        self.status = Status::Completed;
        self
    }

    /// Adds a content that is still growing and returns its event.
    ///
    /// A content without an index becomes a new one at the end. One with an index and `delta: true` extends the
    /// existing content, like [`append_body`]. The event is the content with its index, the message's id and the status
    /// `in_progress`. The copy in the message has index and id too; its `delta` is false, since it is a whole value. A
    /// content that has an index and is not a delta changes nothing and returns `None`.
    ///
    /// # Errors
    /// [`ContentError`] if there is no content at the index, or its type differs. The contents stay unchanged.
    pub fn add_delta_content(&mut self, mut content: Content) -> Result<Option<Content>, ContentError> {
        let contents = self.content.get_or_insert_default();
        if let Some(index) = content.index {
            if content.delta != Some(true) {
                return Ok(None);
            }
            let known = usize::try_from(index).ok().and_then(|index| contents.get_mut(index));
            let known = known.ok_or(ContentError::NoSuchContent { index })?;
            let (delta_type, content_type) = (content.body.type_name(), known.body.type_name());
            if delta_type != content_type {
                return Err(ContentError::TypeMismatch { delta: delta_type, content: content_type });
            }
            append_body(&mut known.body, &content.body);
            content.msg_id = Some(self.id.clone());
        } else {
            content.index = i64::try_from(contents.len()).ok();
            content.msg_id = Some(self.id.clone());
            contents.push(Content { delta: Some(false), ..content.clone() });
        }
        content.in_progress();
        Ok(Some(content))
    }

    /// Adds a complete content and returns its event.
    ///
    /// The copy in the message stays as given. The event is the content with its index, the message's id and the status
    /// `completed`. A content that already has an index changes nothing and returns `None`.
    pub fn add_content(&mut self, mut content: Content) -> Option<Content> {
        let contents = self.content.get_or_insert_default();
        if content.index.is_some() {
            return None;
        }
        contents.push(content.clone());
        content.index = i64::try_from(contents.len() - 1).ok();
        content.msg_id = Some(self.id.clone());
        content.completed();
        Some(content)
    }

    /// The event that completes a content; `None` if it does not exist. The message stays unchanged.
    pub fn content_completed(&self, index: usize) -> Option<Content> {
        let mut content = self.contents().get(index)?.clone();
        content.index = i64::try_from(index).ok();
        content.msg_id = Some(self.id.clone());
        content.delta = Some(false);
        content.completed();
        Some(content)
    }

    /// The URLs of all images that have one.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.contents().iter().filter_map(|content| match &content.body {
            ContentBody::Image { image_url } => image_url.as_deref(),
            _ => None,
        })
    }

    /// The data of all audio contents that have some: Base64 or URLs.
    pub fn audios(&self) -> impl Iterator<Item = &str> {
        self.contents().iter().filter_map(|content| match &content.body {
            ContentBody::Audio { data, .. } => data.as_deref(),
            _ => None,
        })
    }
}
