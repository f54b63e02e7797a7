//! The frames that relay deltas of text.

/// The surroundings of the text in the frames of a series of deltas; the text itself is inserted as JSON, unchanged.
///
/// It begins with `data: ` or `event: ` and ends with the event's last byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeltaFrame {
    pub(super) before_number: Vec<u8>,
    pub(super) before_text: Vec<u8>,
    pub(super) after_text: Vec<u8>,
}

impl DeltaFrame {
    /// A frame with a prefix and a suffix around the text.
    pub fn new(prefix: impl Into<Vec<u8>>, suffix: impl Into<Vec<u8>>) -> Self {
        DeltaFrame { before_number: Vec::new(), before_text: prefix.into(), after_text: suffix.into() }
    }

    /// The same with a number between these bytes and the prefix.
    #[must_use]
    pub fn with_number_after(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.before_number = bytes.into();
        self
    }
}
