//! What the user's signals ask for.

use std::io;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::signal::unix::{SignalKind, signal};

/// A wish of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Ctrl-C: to cancel the answer; a second time, to leave.
    Interrupt,
    /// SIGTERM: to leave.
    Terminate,
}

/// The signals of the process, or in tests others. From its creation on, they no longer end the program by themselves.
pub(super) struct Interrupts(BoxStream<'static, Stop>);

impl Interrupts {
    /// # Errors
    /// If the system allows no handlers.
    pub(super) fn of_process() -> io::Result<Self> {
        let of = |kind, stop| {
            let signal = signal(kind)?;
            let stops = stream::unfold(signal, move |mut signal| async move {
                signal.recv().await;
                Some((stop, signal))
            });
            io::Result::Ok(stops.boxed())
        };
        let interrupt = of(SignalKind::interrupt(), Stop::Interrupt)?;
        let terminate = of(SignalKind::terminate(), Stop::Terminate)?;
        Ok(Interrupts::new(stream::select(interrupt, terminate).boxed()))
    }

    /// Takes what these say; after their end, nothing more is asked for.
    pub(super) fn new(stops: BoxStream<'static, Stop>) -> Self {
        Interrupts(stops.chain(stream::pending()).boxed())
    }

    /// The next wish.
    pub(super) async fn next(&mut self) -> Stop {
        match self.0.next().await {
            Some(stop) => stop,
            None => std::future::pending().await,
        }
    }
}
