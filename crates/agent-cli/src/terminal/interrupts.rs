//! Requests that the user makes by signals.

use std::io;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::signal::unix::{SignalKind, signal};

/// What the user requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Ctrl-C: cancel the answer; the second time, quit.
    Interrupt,
    /// SIGTERM: quit.
    Terminate,
}

/// The signals of the process, or simulated ones in tests. Once this is created, they no longer end the program by
/// themselves.
pub(super) struct Interrupts(BoxStream<'static, Stop>);

impl Interrupts {
    /// # Errors
    /// If the system rejects the handlers.
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

    /// Takes requests from a stream; after its end, there are no more requests.
    pub(super) fn new(stops: BoxStream<'static, Stop>) -> Self {
        Interrupts(stops.chain(stream::pending()).boxed())
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Stop {
        match self.0.next().await {
            Some(stop) => stop,
            None => std::future::pending().await,
        }
    }
}
