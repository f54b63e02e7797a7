//! Keeps one worker running.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::frame::{self, Kind};
use crate::start::{Started, WorkersConfig, start};

/// How often a worker is asked for a sign of life, and how long it may stay silent.
const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(60);

/// The pauses between starts, while workers end soon after they were started.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A worker that has lived this long was not part of a series of crashes.
const STABLE: Duration = Duration::from_secs(60);

/// How long a worker that has closed its socket may take to exit.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// The worker that gets new runs: none while there is none that is ready.
pub(crate) type Slot = watch::Sender<Option<Arc<Connection>>>;

/// What keeps one worker running.
#[derive(Clone)]
pub(crate) struct Supervisor {
    pub(crate) config: WorkersConfig,
    pub(crate) slot: Arc<Slot>,
    /// Notified when the script has changed.
    pub(crate) reload: Arc<Notify>,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Supervisor {
    /// Replaces the worker when it ends, and when it is to load its script anew.
    pub(crate) async fn run(self, first: Started) {
        let (mut pause, mut current) = (FIRST_PAUSE, self.serve(first));
        loop {
            let began = Instant::now();
            let is_reload = tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = &mut current => false,
                () = self.reload.notified() => true,
            };
            if is_reload {
                match start(&self.config).await {
                    Ok(worker) => {
                        let before = self.slot.borrow().clone();
                        current = self.serve(worker);
                        // It exits once its runs have ended.
                        if let Some(before) = before {
                            before.drain();
                        }
                    }
                    Err(error) => {
                        let traceback = error.traceback();
                        tracing::error!(error = %error, "the changed script could not be loaded, so the agents stay as they are{traceback}");
                    }
                }
                continue;
            }
            if began.elapsed() >= STABLE {
                pause = FIRST_PAUSE;
            }
            current = loop {
                tokio::select! {
                    () = self.stopping.cancelled() => return,
                    // A script that was corrected is loaded at once.
                    () = self.reload.notified() => {}
                    () = sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                match start(&self.config).await {
                    Ok(worker) => break self.serve(worker),
                    Err(error) => {
                        let (traceback, seconds) = (error.traceback(), pause.as_secs_f32());
                        tracing::error!(error = %error, retry_seconds = seconds, "a worker could not be started{traceback}");
                    }
                }
            };
        }
    }

    /// Hands new runs to this worker, in a task that ends with the worker.
    fn serve(&self, worker: Started) -> JoinHandle<()> {
        let (connection, serving) = Connection::open(worker.data, worker.decoder);
        self.slot.send_replace(Some(Arc::clone(&connection)));
        let (slot, stopping, mut process) = (Arc::clone(&self.slot), self.stopping.clone(), worker.process);
        self.tasks.spawn(async move {
            let broken = tokio::select! {
                broken = serving => broken.err(),
                () = listen(worker.health) => Some("it gave no sign of life".to_owned()),
                () = stopping.cancelled() => return,
            };
            slot.send_if_modified(|ready| {
                let is_this = ready.as_ref().is_some_and(|ready| Arc::ptr_eq(ready, &connection));
                ready.take_if(|_| is_this).is_some()
            });
            let id = process.id();
            let why = match broken {
                Some(why) => why,
                None => {
                    let exited = timeout(LAST_BREATH, process.ended()).await;
                    exited.unwrap_or_else(|_| "it has closed its socket".to_owned())
                }
            };
            process.kill();
            if connection.is_draining() {
                tracing::info!(worker.pid = id, "a worker was replaced");
            } else {
                tracing::error!(
                    worker.pid = id,
                    reason = why,
                    "a worker has ended; its runs fail, and another one is started"
                );
            }
        })
    }
}

/// Resolves when the worker is silent for too long.
async fn listen(mut health: UnixStream) {
    let (mut ticks, mut heard) = (interval(PING), Instant::now());
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if heard.elapsed() > SILENCE {
                    return;
                }
                for ping in frame::encode(Kind::Ping, 0, 0, b"{}") {
                    // The end of the process is noticed elsewhere.
                    let _ = health.try_write(&ping);
                }
            }
            read = health.read(&mut answer) => match read {
                Ok(1..) => heard = Instant::now(),
                // The end of the process is noticed elsewhere, and a worker without a health thread is silent.
                _ => {
                    sleep(SILENCE.saturating_sub(heard.elapsed())).await;
                    return;
                }
            },
        }
    }
}
