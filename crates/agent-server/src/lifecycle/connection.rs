//! A client's connection: its timeouts, and a bound on what is buffered for a client that does not read.
//!
//! Otherwise, a client that sends without reading could make the server accumulate answers: pongs, or the answers to
//! pipelined requests. So the server does not read from a connection that it cannot write to, and closes the connection
//! if that takes too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agent_runner::Reservation;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::admission::Admitted;
use super::phase::{Awaited, ConnectionState};

/// How long a connection may wait for its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a request's headers.
    pub(super) header: Duration,
    /// For the next request.
    pub(super) keep_alive: Duration,
    /// For the rest of a message that has begun.
    pub(super) message: Duration,
    /// For the client to read some of the written bytes.
    pub(super) write: Duration,
}

/// How much of what a refused client has sent is discarded.
const MAX_DISCARDED: usize = 1024 * 1024;

pub(super) struct Connection {
    stream: TcpStream,
    timeouts: Timeouts,
    state: Arc<ConnectionState>,
    /// The bytes that the client had not read at the last write; empty if it has read some.
    unread: Reservation,
    is_blocked: bool,
    /// The task that wants to read again once the client has read some of the written bytes.
    reader: Option<Waker>,
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Since when the connection has waited for the client, and for how long it may.
    read_timer: Option<(Awaited, Pin<Box<Sleep>>)>,
    /// Counts the connection while it is open, even as a WebSocket.
    _admitted: Admitted,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        timeouts: Timeouts,
        state: Arc<ConnectionState>,
        unread: Reservation,
        admitted: Admitted,
    ) -> Self {
        Connection {
            stream,
            timeouts,
            state,
            unread,
            is_blocked: false,
            reader: None,
            write_timer: None,
            read_timer: None,
            _admitted: admitted,
        }
    }

    /// Records that the client read nothing, and that `waiting` bytes are pending.
    fn block(&mut self, cx: &mut Context<'_>, waiting: usize) -> io::Result<()> {
        self.is_blocked = true;
        if self.unread.bytes() != waiting {
            self.unread.set(waiting);
        }
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(self.timeouts.write)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    fn unblock(&mut self) {
        if std::mem::take(&mut self.is_blocked) {
            self.unread.set(0);
            self.write_timer = None;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    fn note_written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        waiting: impl FnOnce() -> usize,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.block(cx, waiting())?;
        } else {
            self.unblock();
        }
        written
    }

    /// Resolves when the client has used up its time. Parts of headers or of a message do not extend the time
    /// for the whole.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Awaited> {
        let Some(awaited) = self.state.awaited() else {
            self.read_timer = None;
            return Poll::Pending;
        };
        let limit = match awaited {
            Awaited::Head(_) => self.timeouts.header,
            Awaited::Request => self.timeouts.keep_alive,
            Awaited::Message(_) => self.timeouts.message,
        };
        let timer = match &mut self.read_timer {
            Some((known, timer)) if *known == awaited => timer,
            slot => &mut slot.insert((awaited, Box::pin(sleep(limit)))).1,
        };
        timer.as_mut().poll(cx).map(|()| awaited)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.is_blocked {
            this.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Pending => match this.poll_overdue(cx) {
                Poll::Pending => Poll::Pending,
                // No request or answer is in progress, so this simply ends the connection.
                Poll::Ready(Awaited::Request) => Poll::Ready(Ok(())),
                Poll::Ready(_) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            },
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len() - before;
                Poll::Ready(this.state.note_read(count))
            }
            failed => failed,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_written(cx, written, || bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note_written(cx, written, || parts.iter().map(|part| part.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Connection {
    /// Discards unread bytes: closing a connection that has some resets it, and the client may lose the last answer.
    fn drop(&mut self) {
        if self.state.is_refused() {
            let mut bytes = [0; 4096];
            for _ in 0..MAX_DISCARDED / bytes.len() {
                if !matches!(self.stream.try_read(&mut bytes), Ok(1..)) {
                    return;
                }
            }
        }
    }
}
