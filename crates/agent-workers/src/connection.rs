//! The server's end of a worker's data socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use agent_schemas::RunId;
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};

use crate::frame::{self, Decoder, Frame, Kind};
use crate::message::{self, Applications, Cancel, Credit, Reply, RequestHead, StartRun, StopSession};
use crate::runs::{CREDIT, Queue, RunOfWorker, Runs};

/// How many bytes are taken before the credit for them is returned.
const RETURNED: usize = CREDIT / 4;

/// How many bytes are read from the socket at once.
const READ_BYTES: usize = 64 * 1024;

/// A worker that is ready.
#[derive(Debug)]
pub(crate) struct Connection {
    urgent: UnboundedSender<Bytes>,
    bulk: UnboundedSender<Bytes>,
    pub(crate) applications: Applications,
    runs: Mutex<Runs>,
}

impl Connection {
    /// Sends and receives frames until the returned future resolves, with the reason if the worker broke the protocol.
    pub(crate) fn open(
        socket: UnixStream,
        decoder: Decoder,
        applications: Applications,
        stops: Option<Sender<StopSession>>,
    ) -> (Arc<Self>, impl Future<Output = Result<(), String>> + Send) {
        let (urgent, urgent_frames) = mpsc::unbounded_channel();
        let (bulk, bulk_frames) = mpsc::unbounded_channel();
        let connection = Arc::new(Connection { urgent, bulk, applications, runs: Mutex::default() });
        let (input, output) = socket.into_split();
        let reader = Arc::clone(&connection);
        let serving = async move {
            tokio::select! {
                read = reader.read_all(input, decoder, stops) => read,
                () = write_all(output, urgent_frames, bulk_frames) => Ok(()),
            }
        };
        (connection, serving)
    }

    /// Starts a run in the worker; `None` if the worker takes no runs any more.
    pub(crate) fn start(self: &Arc<Self>, run: &StartRun<'_>) -> Option<Link> {
        let names = RunOfWorker { id: RunId::new(run.id), agent: run.agent.to_owned() };
        let payload = to_json(run);
        self.link(Some(names), |number| send(&self.bulk, Kind::Run, number, &payload))
    }

    /// Hands an HTTP request to the worker; `None` if the worker takes none any more.
    pub(crate) fn request(self: &Arc<Self>, head: &RequestHead, body: &[u8]) -> Option<Link> {
        let payload = to_json(head);
        self.link(None, |number| {
            send(&self.bulk, Kind::Request, number, &payload);
            send(&self.bulk, Kind::Body, number, body);
        })
    }

    fn link(self: &Arc<Self>, run: Option<RunOfWorker>, send: impl FnOnce(u32)) -> Option<Link> {
        let (frames, received) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let number = {
            let mut runs = self.runs.lock();
            let number = runs.add(Queue::new(run, frames, Arc::clone(&queued)))?;
            // Under the lock, so that nothing comes behind `DRAIN`.
            send(number);
            number
        };
        let connection = Arc::clone(self);
        Some(Link { connection, number, received, queued, uncredited: 0, reason: "dropped" })
    }

    /// Lets the worker exit once its runs have ended; it gets no further ones.
    pub(crate) fn drain(&self) {
        let mut runs = self.runs.lock();
        if !std::mem::replace(&mut runs.is_draining, true) {
            send(&self.bulk, Kind::Drain, 0, b"");
        }
    }

    pub(crate) fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock()
    }

    async fn read_all(
        &self,
        mut input: OwnedReadHalf,
        mut decoder: Decoder,
        stops: Option<Sender<StopSession>>,
    ) -> Result<(), String> {
        loop {
            while let Some(frame) = decoder.next().map_err(|error| error.to_string())? {
                if frame.kind == Kind::StopSession {
                    let stop = message::read(&frame).map_err(|error| error.to_string())?;
                    if let Some(stops) = &stops {
                        // The server may be about to stop.
                        let _ = stops.send(stop).await;
                    }
                } else {
                    self.runs.lock().deliver(frame)?;
                }
            }
            decoder.buffer.reserve(READ_BYTES);
            // An error is the end too: the worker is gone.
            if input.read_buf(&mut decoder.buffer).await.unwrap_or(0) == 0 {
                return Ok(());
            }
        }
    }
}

/// Writes what is queued until the socket ends or nobody can queue any more. An urgent frame waits for one frame at most.
async fn write_all(
    mut output: OwnedWriteHalf,
    mut urgent: UnboundedReceiver<Bytes>,
    mut bulk: UnboundedReceiver<Bytes>,
) {
    loop {
        let frame = tokio::select! {
            biased;
            Some(frame) = urgent.recv() => frame,
            Some(frame) = bulk.recv() => frame,
            else => return,
        };
        if output.write_all(&frame).await.is_err() {
            return;
        }
    }
}

fn to_json(message: &impl Serialize) -> Vec<u8> {
    // Every message can be written as JSON.
    serde_json::to_vec(message).unwrap_or_default()
}

fn send(queue: &UnboundedSender<Bytes>, kind: Kind, run: u32, payload: &[u8]) {
    for frame in frame::encode(kind, 0, run, payload) {
        // If the worker is gone, so are its runs.
        let _ = queue.send(frame);
    }
}

/// A run or a request in a worker. If it is dropped before the worker has ended it, the worker is told to stop it.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Arc<Connection>,
    number: u32,
    received: UnboundedReceiver<Frame>,
    queued: Arc<AtomicUsize>,
    uncredited: usize,
    /// Why the worker is told to stop it.
    pub(crate) reason: &'static str,
}

impl Link {
    /// Waits for frames; returns how many there are, or 0 once the worker is gone.
    pub(crate) async fn receive(&mut self, frames: &mut Vec<Frame>) -> usize {
        self.received.recv_many(frames, 64).await
    }

    /// Waits for one frame; `None` once the worker is gone.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.received.poll_recv(cx)
    }

    /// Notes that frames of this size have been taken.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
        self.uncredited += bytes;
        if self.uncredited >= RETURNED {
            let credit = Credit { bytes: std::mem::take(&mut self.uncredited) };
            send(&self.connection.urgent, Kind::Credit, self.number, &to_json(&credit));
        }
    }

    pub(crate) fn reply(&self, reply: &Reply) {
        send(&self.connection.bulk, Kind::Reply, self.number, &to_json(reply));
    }

    /// Asks the worker to stop the run.
    pub(crate) fn cancel(&self, reason: &'static str) {
        send(&self.connection.urgent, Kind::Cancel, self.number, &to_json(&Cancel { reason }));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.connection.runs.lock().leave(self.number) {
            self.cancel(self.reason);
        }
    }
}
