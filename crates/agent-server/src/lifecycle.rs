//! Accepting connections, and the way from the shutdown signal to the exit.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::state::App;

/// How long cancelled runs have to write their last events, beyond the grace that their agents have.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// How long connections have to send what they hold.
const LAST_BYTES: Duration = Duration::from_secs(5);

/// How long to wait before accepting again where the system has no file descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Serves until the shutdown signal, then drains.
///
/// While draining, connections are still accepted, so that probes see the server as not ready and new runs are told
/// to go elsewhere. Runs that have not ended by the deadline are cancelled; their streams end with their final event.
pub(crate) async fn serve(
    app: App,
    routes: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
) {
    let connections = Connections {
        routes,
        header_timeout: app.http().header_timeout,
        write_timeout: app.http().write_timeout,
        closing: CancellationToken::new(),
        tasks: TaskTracker::new(),
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
            () = drain_runs(&app, drain) => {}
        }
    }
    drop(listener);
    connections.close().await;
    tracing::info!("stopped");
}

async fn drain_runs(app: &App, drain: Duration) {
    let runner = app.runner();
    if timeout(drain, runner.drained()).await.is_ok() {
        return;
    }
    tracing::warn!(
        runs.active = runner.active_runs(),
        "the drain deadline has passed; cancelling the remaining runs"
    );
    runner.cancel_all();
    if timeout(runner.limits().cancel_grace + LAST_EVENTS, runner.drained()).await.is_err() {
        tracing::warn!("some streams were not read to their end");
    }
}

struct Connections {
    routes: Router,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Tells connections to end after what they are at.
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Connections {
    /// Accepts connections for ever.
    async fn accept_all(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.spawn(stream, peer),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(error = %error, "no connection can be accepted");
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        // Events are small and must not wait for more; a socket that refuses the option only sends them later.
        let _ = stream.set_nodelay(true);
        // A client that does not read would keep a run's log in memory for as long as it likes, and a shutdown waiting.
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(self.write_timeout));
        let service = TowerToHyperService::new(self.routes.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
            .with_upgrades();
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            // What goes wrong here is the client's: it sent no HTTP, or went away.
            if let Err(error) = ended {
                tracing::debug!(%peer, error = %error, "a connection ended with an error");
            }
        });
    }

    /// Lets connections send what they hold, for a while.
    async fn close(self) {
        self.tasks.close();
        self.closing.cancel();
        if timeout(LAST_BYTES, self.tasks.wait()).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "some connections were cut");
        }
    }
}

/// Whether an accept failed because of the connection that was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
