//! The output of a translator.

use agent_schemas::sse;
use bytes::Bytes;
use serde::Serialize;

use super::{DeltaFrame, EscapedText};

/// Collects frames in the form of Server-Sent Events, or discards them without encoding them.
#[derive(Debug)]
pub struct FrameWriter {
    bytes: Vec<u8>,
    is_wanted: bool,
}

impl FrameWriter {
    /// A writer whose frames are sent to a client.
    pub fn new() -> Self {
        FrameWriter { bytes: Vec::new(), is_wanted: true }
    }

    /// A writer that discards its frames, for a client that gets one response at the end.
    pub fn discard() -> Self {
        FrameWriter { bytes: Vec::new(), is_wanted: false }
    }

    /// Whether frames are sent; otherwise they need not be built.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// A frame of JSON.
    pub fn push<T: Serialize + ?Sized>(&mut self, json: &T) {
        self.frame(None, |out| sse::write_json(out, json));
    }

    /// A frame of JSON with the event's name.
    pub fn push_named<T: Serialize + ?Sized>(&mut self, name: &str, json: &T) {
        self.frame(Some(name), |out| sse::write_json(out, json));
    }

    /// A frame of plain text, which must not have line breaks.
    pub fn push_text(&mut self, text: &str) {
        self.frame(None, |out| {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        });
    }

    /// A frame of already encoded pieces, from `event: ` or `data: ` on.
    pub fn push_encoded(&mut self, pieces: &[&[u8]]) {
        if self.is_wanted {
            pieces.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
            self.bytes.extend_from_slice(b"\n\n");
        }
    }

    /// A frame that relays a delta of text, with its number if the frame has one.
    pub fn push_delta(&mut self, frame: &DeltaFrame, number: Option<u64>, text: EscapedText<'_>) {
        if !self.is_wanted {
            return;
        }
        if let Some(number) = number {
            self.bytes.extend_from_slice(&frame.before_number);
            sse::write_number(&mut self.bytes, number);
        }
        for piece in
            [frame.before_text.as_slice(), text.as_json().as_bytes(), frame.after_text.as_slice(), b"\n\n"]
        {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// Reserves space for the frames of native events of this many bytes, which are about as large.
    pub(super) fn expect(&mut self, bytes: usize) {
        if self.is_wanted {
            self.bytes.reserve(bytes + bytes / 2);
        }
    }

    /// The output since the last call.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes).into()
    }

    fn frame(
        &mut self,
        name: Option<&str>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) {
        if !self.is_wanted {
            return;
        }
        let start = self.bytes.len();
        if let Some(name) = name {
            self.bytes.extend_from_slice(b"event: ");
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(b"data: ");
        match write(&mut self.bytes) {
            Ok(()) => self.bytes.extend_from_slice(b"\n\n"),
            Err(error) => {
                tracing::error!(error = %error, "could not write a frame as JSON; skipping it");
                self.bytes.truncate(start);
            }
        }
    }
}

impl Default for FrameWriter {
    fn default() -> Self {
        FrameWriter::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_writer__frames__are_server_sent_events() {
        let mut frames = FrameWriter::new();
        frames.push(&["a\u{2028}"]);
        frames.push_named("end", &1);
        frames.push_text("[DONE]");
        assert_eq!(&*frames.take(), b"data: [\"a\\u2028\"]\n\nevent: end\ndata: 1\n\ndata: [DONE]\n\n");
        assert!(frames.take().is_empty());
    }

    #[test]
    fn frame_writer__discard__writes_nothing() {
        let mut frames = FrameWriter::discard();
        frames.push_named("end", &1);
        assert!(frames.take().is_empty());
    }
}
