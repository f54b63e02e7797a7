//! The phase of a connection, which determines how long the server waits for its client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use agent_runner::ByteBudget;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Nothing has arrived yet.
    New,
    /// The headers of a request are arriving.
    Head,
    /// A request is being answered.
    Busy,
    /// A request has been answered, and the next one has not arrived.
    Idle,
    /// The connection was upgraded to another protocol.
    Upgraded,
}

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The rest of a request's headers, on a new connection or not.
    Head(Phase),
    /// The next request.
    Request,
    /// The rest of the message of this number.
    Message(usize),
}

/// The state shared by both sides of a connection: the one that handles bytes and the one that handles requests.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    phase: AtomicU8,
    bodies: ByteBudget,
    /// Whether incoming bytes count until they are a message.
    is_metered: AtomicBool,
    /// How many of them count.
    incoming: AtomicUsize,
    /// How many messages there were.
    messages: AtomicUsize,
    /// Whether memory for more of them ran out.
    is_refused: AtomicBool,
}

impl ConnectionState {
    pub(super) fn new(bodies: ByteBudget) -> Arc<Self> {
        Arc::new(ConnectionState {
            phase: AtomicU8::new(Phase::New as u8),
            bodies,
            is_metered: AtomicBool::new(false),
            incoming: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            is_refused: AtomicBool::new(false),
        })
    }

    fn phase(&self) -> Phase {
        let number = self.phase.load(Ordering::Acquire);
        [Phase::New, Phase::Head, Phase::Busy, Phase::Idle]
            .into_iter()
            .find(|phase| *phase as u8 == number)
            .unwrap_or(Phase::Upgraded)
    }

    /// Returns whether no complete request has arrived since the last answer.
    pub(super) fn has_no_request(&self) -> bool {
        matches!(self.phase(), Phase::New | Phase::Head)
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    fn leave(&self, from: Phase, to: Phase) {
        let _ = self.phase.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Records that bytes arrived.
    ///
    /// # Errors
    /// If they belong to a message for which there is no memory.
    pub(super) fn note_read(&self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        self.leave(Phase::Idle, Phase::Head);
        if !self.is_metered.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.bodies.reserve(count) {
            Some(reservation) => {
                reservation.hand_over();
                self.incoming.fetch_add(count, Ordering::AcqRel);
                Ok(())
            }
            None => {
                self.is_refused.store(true, Ordering::Release);
                Err(io::Error::other("no memory for the message (http.bodies_bytes)"))
            }
        }
    }

    /// Counts incoming bytes from now on until they are [settled](Self::settle).
    pub(crate) fn meter(&self) {
        self.is_metered.store(true, Ordering::Release);
    }

    /// Records that this many of the bytes have been handled.
    pub(crate) fn settle_some(&self, count: usize) {
        let left = |incoming: usize| Some(incoming.saturating_sub(count));
        let before = self.incoming.fetch_update(Ordering::AcqRel, Ordering::Acquire, left);
        self.bodies.take_over(before.unwrap_or(0).min(count));
    }

    /// Records that the bytes so far form a message, or have been handled.
    pub(crate) fn settle(&self) {
        self.messages.fetch_add(1, Ordering::AcqRel);
        self.bodies.take_over(self.incoming.swap(0, Ordering::AcqRel));
    }

    /// What the server waits for; nothing while it is the server's turn, or between messages.
    pub(super) fn awaited(&self) -> Option<Awaited> {
        match self.phase() {
            phase @ (Phase::New | Phase::Head) => Some(Awaited::Head(phase)),
            Phase::Idle => Some(Awaited::Request),
            Phase::Busy => None,
            Phase::Upgraded => {
                let is_inside = self.incoming.load(Ordering::Acquire) > 0;
                is_inside.then(|| Awaited::Message(self.messages.load(Ordering::Acquire)))
            }
        }
    }

    /// Returns whether the connection is being closed because there was no memory for a message.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Acquire)
    }

    /// Records that a request is being answered with this.
    pub(super) fn note_answer(self: &Arc<Self>, response: Response) -> axum::http::Response<AnswerBody> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.enter(Phase::Upgraded);
        }
        response.map(|body| AnswerBody { body, state: Arc::clone(self) })
    }
}

impl Drop for ConnectionState {
    fn drop(&mut self) {
        self.settle();
    }
}

/// The body of an answer. At its end, the connection starts to wait for the next request.
pub(super) struct AnswerBody {
    body: Body,
    state: Arc<ConnectionState>,
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.state.leave(Phase::Busy, Phase::Idle);
    }
}
