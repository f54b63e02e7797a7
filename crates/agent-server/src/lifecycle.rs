//! Accepting connections, and shutting down.

mod admission;
mod connection;
mod phase;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use agent_runner::{ByteBudget, Runner};
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::closing::{ClosingBody, ClosingSignal};
use crate::extract::ClientAddress;
use crate::state::App;

use self::admission::{Admission, Admitted};
use self::connection::{Connection, Timeouts};
use self::phase::Phase;

pub(crate) use self::admission::Refusal;
pub(crate) use self::phase::ConnectionState;

/// How long cancelled runs have to write their last events, in addition to their agents' grace period.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// How long connections have to send their remaining bytes.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// How long the stores have to stop.
const STORES: Duration = Duration::from_secs(3);

/// The maximum duration of a shutdown, without the application's own hooks, if agents may continue for `drain` and
/// then for `cancel_grace`.
pub(crate) fn longest_stop(drain: Duration, cancel_grace: Duration) -> Duration {
    [cancel_grace, LAST_EVENTS, LAST_BYTES, STORES].into_iter().fold(drain, Duration::saturating_add)
}

/// How long a refused client may take to send its request.
const REFUSED: Duration = Duration::from_secs(2);

/// How much of an answer is buffered until the client reads, and the maximum size of a request's headers.
const BUFFER_BYTES: usize = 128 * 1024;

/// The pause before the next accept when file descriptors have run out.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Serves until the shutdown signal, then drains.
///
/// While draining, the server still accepts connections, so that probes see that it is not ready and requests for new
/// runs get 503. Runs that have not ended by the deadline are cancelled; their streams end with their final event.
pub(crate) async fn serve(
    app: App,
    routes: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
) {
    let http = app.http();
    let connections = Connections {
        routes,
        timeouts: Timeouts {
            header: http.header_timeout,
            keep_alive: http.keep_alive,
            message: http.read_timeout,
            write: http.write_timeout,
        },
        admission: Admission::new(http.max_connections, http.max_connections_per_address),
        bodies: app.bodies().clone(),
        unread: app.unread().clone(),
        closing: Arc::clone(app.closing()),
        tasks: app.connections().clone(),
    };
    app.set_ready(true);
    {
        let mut accepting = pin!(connections.accept_all(&listener));
        tokio::select! {
            () = &mut accepting => {}
            () = shutdown => {}
        }
        app.set_ready(false);
        app.runner().close();
        let active = app.runner().active_runs();
        tracing::info!(runs.active = active, drain_seconds = drain.as_secs(), "shutting down");
        tokio::select! {
            () = &mut accepting => {}
            () = self::drain(&app, drain) => {}
        }
    }
    drop(listener);
    connections.close().await;
    tracing::info!("stopped");
}

/// Waits for runs, and for requests that the application answers; cancels the runs that have not ended by the deadline.
async fn drain(app: &App, drain: Duration) {
    let (runner, answers) = (app.runner(), app.answers());
    answers.close();
    let drained = async { tokio::join!(runner.drained(), answers.wait()) };
    if timeout(drain, drained).await.is_ok() {
        return;
    }
    tracing::warn!(
        runs.active = runner.active_runs(),
        requests.active = answers.len(),
        "the drain deadline has passed; cancelling the remaining runs"
    );
    // Runs that have already ended are only waiting for their readers.
    let grace = if runner.active_runs() > 0 { runner.limits().cancel_grace } else { Duration::ZERO };
    runner.cancel_all();
    if timeout(grace.saturating_add(LAST_EVENTS), runner.drained()).await.is_err() {
        tracing::warn!("some streams did not end in time");
    }
}

/// Releases the lease and stops the services. Waits for a limited time, because a store that does not answer must not
/// keep the process alive.
pub(crate) async fn stop_services(runner: &Runner) {
    let stopped = async {
        if let Err(error) = runner.release_lease().await {
            tracing::warn!(error = %error, "could not release the lease; other servers take over the remaining runs when it expires");
        }
        if let Err(error) = runner.services().stop().await {
            tracing::error!(error = %error, "a service failed to stop");
        }
    };
    if timeout(STORES, stopped).await.is_err() {
        tracing::warn!("the stores did not stop in time; acknowledged writes are stored");
    }
}

struct Connections {
    routes: Router,
    timeouts: Timeouts,
    admission: Admission,
    bodies: ByteBudget,
    unread: ByteBudget,
    /// Makes connections end after the current answer.
    closing: Arc<ClosingSignal>,
    tasks: TaskTracker,
}

impl Connections {
    /// Accepts connections forever.
    async fn accept_all(&self, listener: &TcpListener) {
        let mut is_failing = false;
        loop {
            match listener.accept().await {
                Ok((stream, client)) => {
                    is_failing = false;
                    if let Some((admitted, refusal)) = self.admission.admit(client.ip()) {
                        self.spawn(stream, client, admitted, refusal);
                    }
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    // Logged once, not with every attempt.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::error!(error = %error, "cannot accept connections");
                    }
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, client: SocketAddr, admitted: Admitted, refusal: Option<Refusal>) {
        // Without this option, small events would be delayed.
        let _ = stream.set_nodelay(true);
        let state = ConnectionState::new(self.bodies.clone());
        let timeouts = match refusal {
            None => self.timeouts,
            Some(_) => Timeouts { header: REFUSED.min(self.timeouts.header), ..self.timeouts },
        };
        let unread = self.unread.reservation();
        let stream = Connection::new(stream, timeouts, Arc::clone(&state), unread, admitted);
        let (asked, answered, open) = (Arc::clone(&state), Arc::clone(&state), state);
        let (routes, closing) = (self.routes.clone(), Arc::clone(&self.closing));
        let service = routes
            .map_request(move |mut request: Request<Incoming>| {
                asked.enter(Phase::Busy);
                request.extensions_mut().insert(Arc::clone(&asked));
                request.extensions_mut().insert(ClientAddress(client));
                if let Some(refusal) = refusal {
                    request.extensions_mut().insert(refusal);
                }
                request.map(|body| ClosingBody::new(body, &closing))
            })
            .map_response(move |response| answered.note_answer(response));
        // The connection has its own timeouts, which start when it is read from. If hyper had one too, it would read on
        // at once.
        let longest = self.timeouts.keep_alive.saturating_add(self.timeouts.header).saturating_mul(2);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(longest)
            .keep_alive(refusal.is_none())
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .with_upgrades();
        let closing = Arc::clone(&self.closing);
        self.tasks.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closing.given() => {
                    connection.as_mut().graceful_shutdown();
                    // Polled first, so that pending bytes are sent.
                    match poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await {
                        Poll::Ready(ended) => ended,
                        // The server does not wait for the rest of an incomplete request.
                        Poll::Pending if open.has_no_request() => Ok(()),
                        Poll::Pending => connection.await,
                    }
                }
            };
            // The client caused this error: it did not send HTTP, or it disconnected.
            if let Err(error) = ended {
                tracing::debug!(client.address = %client, error = %error, "a connection ended with an error");
            }
        });
    }

    /// Gives connections some time to send their remaining bytes.
    async fn close(self) {
        self.tasks.close();
        self.closing.give();
        if timeout(LAST_BYTES, self.tasks.wait()).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "closed connections that did not finish in time");
        }
    }
}

/// Whether an accept failed because of one connection.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
