//! Keeps one worker running.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::crashes::{Crashes, Restart};
use crate::error::WorkerError;
use crate::start::{Started, WorkersConfig, start};
use crate::watch::Condition;
use crate::worker::Worker;

/// What new runs find.
#[derive(Clone, Debug)]
pub(crate) enum Availability {
    Ready(Arc<Connection>),
    /// A worker may be ready soon.
    Soon,
    /// The workers crash again and again; the next one is not started before this time.
    Later(Instant),
}

/// What keeps one worker running.
#[derive(Debug)]
pub(crate) struct Supervisor {
    pub(crate) config: WorkersConfig,
    pub(crate) availability: Arc<watch::Sender<Availability>>,
    /// Notified when the script has changed.
    pub(crate) reload: Arc<Notify>,
    /// Whether the newest worker decides what the server may answer.
    pub(crate) has_checks: Arc<AtomicBool>,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A worker that is about to start. Dropping it kills the process.
type Starting = BoxFuture<'static, Result<Started, WorkerError>>;

impl Supervisor {
    /// Replaces the worker when it ends, when it has to be replaced, and when it is to load its script anew.
    pub(crate) async fn run(self, first: Started) {
        let mut crashes = Crashes::new(&self.config.timing);
        let mut current = Some(self.open(first));
        let mut starting: Option<Starting> = None;
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                // A worker that is loading an older script is dropped.
                () = self.reload.notified() => starting = Some(self.start_after(Duration::ZERO)),
                condition = changed(&mut current) => {
                    let Some(worker) = &current else { continue };
                    match condition {
                        Some(Condition::Well) => self.offer(Availability::Ready(Arc::clone(&worker.connection))),
                        Some(Condition::Stuck) => self.offer(Availability::Soon),
                        Some(Condition::Spent) | None => {
                            // It exits once its runs have ended.
                            worker.connection.drain();
                            let restart = crashes.note(worker.lived());
                            current = None;
                            self.offer(after(restart));
                            starting.get_or_insert_with(|| self.start_after(restart.pause));
                        }
                    }
                }
                started = finished(&mut starting) => {
                    starting = None;
                    match started {
                        Ok(worker) => {
                            if let Some(before) = current.replace(self.open(worker)) {
                                before.connection.drain();
                            }
                        }
                        Err(error) if current.is_some() => {
                            let traceback = error.traceback();
                            tracing::error!(error = %error, "the changed script could not be loaded, so the agents stay as they are{traceback}");
                        }
                        Err(error) => {
                            let restart = crashes.note(Duration::ZERO);
                            let (traceback, retry_seconds) = (error.traceback(), restart.pause.as_secs_f32());
                            tracing::error!(error = %error, retry_seconds, "a worker could not be started{traceback}");
                            self.offer(after(restart));
                            starting = Some(self.start_after(restart.pause));
                        }
                    }
                }
            }
        }
    }

    /// Hands new runs to this worker.
    fn open(&self, worker: Started) -> Worker {
        self.has_checks.store(worker.applications.checks, Ordering::Relaxed);
        let worker = Worker::open(worker, &self.config, self.stopping.clone(), &self.tasks);
        self.offer(Availability::Ready(Arc::clone(&worker.connection)));
        worker
    }

    fn offer(&self, availability: Availability) {
        self.availability.send_replace(availability);
    }

    fn start_after(&self, pause: Duration) -> Starting {
        let config = self.config.clone();
        Box::pin(async move {
            sleep(pause).await;
            start(&config).await
        })
    }
}

fn after(restart: Restart) -> Availability {
    if restart.is_hopeless { Availability::Later(Instant::now() + restart.pause) } else { Availability::Soon }
}

/// Waits for a change of the worker's condition; `None` when it has ended.
async fn changed(worker: &mut Option<Worker>) -> Option<Condition> {
    match worker {
        Some(worker) => worker.changed().await,
        None => pending().await,
    }
}

/// Waits until a worker that is about to start is ready.
async fn finished(starting: &mut Option<Starting>) -> Result<Started, WorkerError> {
    match starting {
        Some(starting) => starting.await,
        None => pending().await,
    }
}
