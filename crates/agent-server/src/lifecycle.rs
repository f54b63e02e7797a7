//! Accepting connections, and shutting down.

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

/// How long cancelled runs have to write their last events, in addition to their agents' grace period.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// How long connections have to send their remaining bytes.
const LAST_BYTES: Duration = Duration::from_secs(5);

/// The pause before the next accept when the system is out of file descriptors.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Serves until the shutdown signal, then drains.
///
/// While draining, the server still accepts connections, so that probes see that it is not ready and requests for new runs
/// get 503. Runs that have not ended by the deadline are cancelled; their streams end with their final event.
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
        tracing::warn!("some runs or streams did not end within the grace period");
    }
}

struct Connections {
    routes: Router,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Makes connections end after the current response.
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Connections {
    /// Accepts connections forever.
    async fn accept_all(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, client)) => self.spawn(stream, client),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(error = %error, "could not accept a connection");
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, client: SocketAddr) {
        // Small events should be sent at once; without this option the system delays them.
        let _ = stream.set_nodelay(true);
        // A client that does not read could otherwise keep a run's log in memory forever, and delay the shutdown.
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
            // The client caused this error: it did not send HTTP, or it disconnected.
            if let Err(error) = ended {
                tracing::debug!(client.address = %client, error = %error, "a connection ended with an error");
            }
        });
    }

    /// Gives connections some time to send their remaining bytes.
    async fn close(self) {
        self.tasks.close();
        self.closing.cancel();
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
