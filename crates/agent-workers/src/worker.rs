//! A worker that is running.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::health::Health;
use crate::process::Process;
use crate::start::{Started, WorkersConfig};
use crate::watch::{Condition, Watch};

/// A worker that is running, as its supervisor sees it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) connection: Arc<Connection>,
    began: Instant,
    condition: watch::Receiver<Condition>,
}

impl Worker {
    /// Exchanges frames with a worker and watches it, in a task that ends with the worker.
    pub(crate) fn open(
        started: Started,
        config: &WorkersConfig,
        stopping: CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let Started { mut process, data, health, decoder, applications, .. } = started;
        let (connection, serving) = Connection::open(data, decoder, applications, config.stops.clone());
        let (report, condition) = watch::channel(Condition::Well);
        let worker = Worker { connection: Arc::clone(&connection), began: Instant::now(), condition };
        let (timing, memory) = (config.timing.clone(), config.memory);
        tasks.spawn(async move {
            let (pid, health) = (process.id(), Health::new(health, &timing));
            let watch = Watch::new(pid, &connection, health, &timing, memory, &report);
            let end = end(&mut process, serving, watch.run(), timing.last_breath);
            // If the server stops, dropping the process kills it.
            if let Some(end) = stopping.run_until_cancelled(end).await {
                end.log(pid, connection.runs().is_draining);
                connection.runs().close();
            }
        });
        worker
    }

    /// How long it has been running.
    pub(crate) fn lived(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits until its condition changes; `None` when it has ended.
    pub(crate) async fn changed(&mut self) -> Option<Condition> {
        self.condition.changed().await.ok()?;
        Some(*self.condition.borrow_and_update())
    }
}

/// How a worker ended.
enum End {
    Exited(String),
    Killed(String),
}

/// Waits until the worker ends or has to be killed. After that, it and what it has started are gone.
async fn end(
    process: &mut Process,
    serving: impl Future<Output = Result<(), String>>,
    watching: impl Future<Output = String>,
    last_breath: Duration,
) -> End {
    let mut serving = pin!(serving);
    let end = tokio::select! {
        served = &mut serving => match served {
            Err(broken) => End::Killed(format!("it broke the protocol: {broken}")),
            Ok(()) => match timeout(last_breath, process.ended()).await {
                Ok(status) => return End::Exited(status),
                Err(_) => End::Killed("it had closed its socket".to_owned()),
            },
        },
        // A process that it has started may hold its socket open.
        status = process.ended() => {
            let _ = timeout(last_breath, serving).await;
            return End::Exited(status);
        }
        reason = watching => End::Killed(reason),
    };
    process.kill();
    let _ = timeout(last_breath, process.ended()).await;
    end
}

impl End {
    fn log(&self, pid: u32, is_draining: bool) {
        match self {
            End::Exited(_) if is_draining => tracing::info!(worker.pid = pid, "a worker was replaced"),
            End::Exited(reason) => {
                tracing::error!(worker.pid = pid, reason, "a worker has ended, and another one is started")
            }
            End::Killed(reason) if is_draining => {
                tracing::warn!(worker.pid = pid, reason, "a worker that was to be replaced was killed");
            }
            End::Killed(reason) => {
                tracing::error!(worker.pid = pid, reason, "a worker was killed, and another one is started")
            }
        }
    }
}
