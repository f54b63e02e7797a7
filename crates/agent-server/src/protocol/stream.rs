//! A run's log as the frames of another protocol.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use agent_runner::{Cursor, CursorError};
use agent_schemas::{Error, ErrorBody, sse};
use bytes::Bytes;
use futures_util::Stream;

use super::{FrameWriter, Translation, Translator};
use crate::closing::{Closing, ClosingSignal};
use crate::error::log_cut;

/// What a client receives when a log cannot be read to its end.
pub(super) fn abort_error(error: &CursorError) -> ErrorBody {
    Error::RunInterrupted { reason: error.to_string() }.to_body()
}

/// Reads a cursor through a translator. The stream always has the end that the translator writes.
pub(super) struct TranslatedStream<T> {
    cursor: Cursor,
    translation: Translation<T>,
    frames: FrameWriter,
    closing: Closing,
    done: bool,
}

impl<T: Translator> TranslatedStream<T> {
    pub(super) fn new(cursor: Cursor, translator: T, closing: &Arc<ClosingSignal>) -> Self {
        TranslatedStream {
            cursor,
            translation: Translation::new(translator),
            frames: FrameWriter::new(),
            closing: Closing::new(closing),
            done: false,
        }
    }

    fn abort(&mut self, error: &CursorError) {
        log_cut(error, "a stream ends before its run");
        self.translation.on_abort(&abort_error(error), &mut self.frames);
        self.done = true;
    }

    /// Ends the stream of a run that will continue on another server, or on this one after its next start.
    fn end_at_shutdown(&mut self) {
        self.translation.on_abort(&Error::ShuttingDown {}.to_body(), &mut self.frames);
        self.done = true;
    }

    fn take(&mut self, batch: &Bytes) {
        self.frames.expect(batch.len());
        for json in sse::frames(batch) {
            if let Err(error) = self.translation.on_entry(json, &mut self.frames) {
                return self.abort(&error.into());
            }
        }
    }
}

impl<T: Translator> Stream for TranslatedStream<T> {
    type Item = Result<Bytes, CursorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.done {
            match Pin::new(&mut this.cursor).poll_next(cx) {
                Poll::Ready(Some(Ok(batch))) => this.take(&batch.frames),
                Poll::Ready(Some(Err(error))) => this.abort(&error),
                Poll::Ready(None) => this.done = true,
                Poll::Pending => {
                    ready!(this.closing.poll(cx));
                    this.end_at_shutdown();
                }
            }
            let bytes = this.frames.take();
            // Not every event produces output for the client.
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
        Poll::Ready(None)
    }
}
