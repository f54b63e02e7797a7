//! A run's log as the frames of another protocol.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agent_runner::{Cursor, CursorError};
use agent_schemas::sse;
use bytes::Bytes;
use futures_util::Stream;

use super::server::cut;
use super::{Frames, Translator};

/// Reads a cursor through a translator. The stream always ends with what the translator ends it with.
pub(super) struct Translated<T> {
    cursor: Cursor,
    translator: T,
    frames: Frames,
    done: bool,
}

impl<T: Translator> Translated<T> {
    pub(super) fn new(cursor: Cursor, translator: T) -> Self {
        Translated { cursor, translator, frames: Frames::new(), done: false }
    }

    fn cut(&mut self, error: &CursorError) {
        tracing::error!(error = %error, "a stream ends before its run");
        self.translator.on_cut(&cut(error), &mut self.frames);
        self.done = true;
    }

    fn take(&mut self, batch: &Bytes) {
        self.frames.expect(batch.len());
        for json in sse::frames(batch) {
            if let Err(error) = self.translator.on_entry(json, &mut self.frames) {
                return self.cut(&error.into());
            }
        }
    }
}

impl<T: Translator> Stream for Translated<T> {
    type Item = Result<Bytes, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.done {
            match ready!(Pin::new(&mut this.cursor).poll_next(cx)) {
                Some(Ok(batch)) => this.take(&batch.frames),
                Some(Err(error)) => this.cut(&error),
                None => this.done = true,
            }
            let bytes = this.frames.take();
            // Not every event is one to the client.
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
        Poll::Ready(None)
    }
}
