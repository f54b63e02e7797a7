//! The builder of one content.

use crate::builder::BuilderError;
use crate::content::{Content, ContentBody};
use crate::delta::append_body;
use crate::json::{Json, JsonObject};
use crate::status::Status;

/// Builds a content and its events; [`MessageBuilder::content`] starts one.
///
/// Setters return events with the whole value (`delta: false`); the `add_…` methods return events with the next part
/// (`delta: true`). A setter replaces the current value, in the message and for clients.
///
/// [`MessageBuilder::content`]: crate::builder::MessageBuilder::content
#[derive(Clone, Debug)]
pub struct ContentBuilder {
    content: Content,
}

/// Replaces the body if the type matches, and returns the event.
macro_rules! set {
    ($self:ident.$method:ident: $variant:ident { $($field:ident),* }) => {{
        $self.expect_type(stringify!($method), ContentBody::$variant { $($field: None),* }.type_name())?;
        $self.content.body = ContentBody::$variant { $($field),* };
        Ok($self.content.clone())
    }};
}

impl ContentBuilder {
    pub(super) fn new(empty: ContentBody, msg_id: String, index: i64) -> Self {
        let mut content = Content::new(empty);
        content.status = Some(Status::InProgress);
        content.msg_id = Some(msg_id);
        content.index = Some(index);
        ContentBuilder { content }
    }

    fn expect_type(&self, method: &'static str, type_name: &'static str) -> Result<(), BuilderError> {
        if self.content.body.type_name() == type_name {
            Ok(())
        } else {
            Err(BuilderError::WrongType { method, type_name })
        }
    }

    /// Sets the text of a text content.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`] if this content has another type. This holds for every method here.
    pub fn set_text(&mut self, text: impl Into<String>) -> Result<Content, BuilderError> {
        let text = Some(text.into());
        set!(self.set_text: Text { text })
    }

    /// Sets the text of a refusal.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn set_refusal(&mut self, refusal: impl Into<String>) -> Result<Content, BuilderError> {
        let refusal = Some(refusal.into());
        set!(self.set_refusal: Refusal { refusal })
    }

    /// Sets the URL of an image.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn set_image_url(&mut self, image_url: impl Into<String>) -> Result<Content, BuilderError> {
        let image_url = Some(image_url.into());
        set!(self.set_image_url: Image { image_url })
    }

    /// Sets the URL of a video.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn set_video_url(&mut self, video_url: impl Into<String>) -> Result<Content, BuilderError> {
        let video_url = Some(video_url.into());
        set!(self.set_video_url: Video { video_url })
    }

    /// Sets the data (Base64 or a URL) and the format (`wav`, `mp3`, …) of an audio content.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn set_audio(
        &mut self,
        data: impl Into<String>,
        format: Option<String>,
    ) -> Result<Content, BuilderError> {
        let data = Some(data.into());
        set!(self.set_audio: Audio { data, format })
    }

    /// Sets all fields of a file from a body of that type.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`], also if the given body is not a file.
    pub fn set_file(&mut self, file: ContentBody) -> Result<Content, BuilderError> {
        self.expect_type("set_file", "file")?;
        if file.type_name() != "file" {
            return Err(BuilderError::WrongType { method: "set_file", type_name: "file" });
        }
        self.content.body = file;
        Ok(self.content.clone())
    }

    /// Sets the object of a data content.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn set_data(&mut self, data: JsonObject) -> Result<Content, BuilderError> {
        let data = Some(data);
        set!(self.set_data: Data { data })
    }

    /// Sets one member of the object of a data content; the event has the whole object.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn update_data(
        &mut self,
        key: impl Into<String>,
        value: impl Into<Json>,
    ) -> Result<Content, BuilderError> {
        let ContentBody::Data { data } = &mut self.content.body else {
            return Err(BuilderError::WrongType { method: "update_data", type_name: "data" });
        };
        data.get_or_insert_default().insert(key.into(), value.into());
        Ok(self.content.clone())
    }

    /// Appends to the text of a text content.
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn add_text_delta(&mut self, text: impl Into<String>) -> Result<Content, BuilderError> {
        self.expect_type("add_text_delta", "text")?;
        Ok(self.append(ContentBody::Text { text: Some(text.into()) }))
    }

    /// Merges an object into a data content's object, like [`merge_data`](crate::delta::merge_data).
    ///
    /// # Errors
    /// [`BuilderError::WrongType`].
    pub fn add_data_delta(&mut self, data: JsonObject) -> Result<Content, BuilderError> {
        self.expect_type("add_data_delta", "data")?;
        Ok(self.append(ContentBody::Data { data: Some(data) }))
    }

    /// Appends the next part to a content of any type, like [`append_body`].
    ///
    /// # Errors
    /// [`BuilderError::WrongType`] if the part and the content have different types.
    pub fn add_delta(&mut self, part: ContentBody) -> Result<Content, BuilderError> {
        self.expect_type("add_delta", part.type_name())?;
        Ok(self.append(part))
    }

    /// Appends a part of the content's own type and returns the event.
    pub(super) fn append(&mut self, part: ContentBody) -> Content {
        append_body(&mut self.content.body, &part);
        let mut event = Content::new(part);
        event.status = Some(Status::InProgress);
        event.msg_id.clone_from(&self.content.msg_id);
        event.index = self.content.index;
        event.delta = Some(true);
        event
    }

    /// Completes the content with everything set and added so far. For contents that do not belong to a
    /// [`MessageBuilder`].
    ///
    /// [`MessageBuilder`]: crate::builder::MessageBuilder
    pub fn complete(mut self) -> Content {
        self.content.completed();
        self.content
    }
}
