//! The server's end of a worker's data socket.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use agent_schemas::RunId;
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::frame::{self, Decoder, Frame, Kind};
use crate::message::{self, Cancel, Credit, Log, Reply, StartRun};

/// How many bytes a run may send before the server has taken them.
pub(crate) const CREDIT: usize = 256 * 1024;

/// How many bytes are taken before the credit for them is returned.
const RETURNED: usize = CREDIT / 4;

/// How many bytes are read from the socket at once.
const READ_BYTES: usize = 64 * 1024;

/// A worker that is ready.
#[derive(Debug)]
pub(crate) struct Connection {
    urgent: UnboundedSender<Bytes>,
    bulk: UnboundedSender<Bytes>,
    runs: Mutex<Runs>,
    /// Whether the worker has been told to exit after its last run.
    is_draining: AtomicBool,
}

#[derive(Debug, Default)]
struct Runs {
    last: u32,
    open: HashMap<u32, Queue>,
    is_closed: bool,
}

/// The frames of a run that its agent has not taken.
#[derive(Debug)]
struct Queue {
    id: RunId,
    frames: UnboundedSender<Frame>,
    bytes: Arc<AtomicUsize>,
}

impl Connection {
    /// Sends and receives frames until the returned future resolves, with the reason if the worker broke the protocol.
    pub(crate) fn open(
        socket: UnixStream,
        decoder: Decoder,
    ) -> (Arc<Self>, impl Future<Output = Result<(), String>> + Send) {
        let (urgent, urgent_frames) = mpsc::unbounded_channel();
        let (bulk, bulk_frames) = mpsc::unbounded_channel();
        let connection = Arc::new(Connection {
            urgent,
            bulk,
            runs: Mutex::default(),
            is_draining: AtomicBool::new(false),
        });
        let (input, output) = socket.into_split();
        let reader = Arc::clone(&connection);
        let serving = async move {
            let ended = tokio::select! {
                read = reader.read_all(input, decoder) => read,
                () = write_all(output, urgent_frames, bulk_frames) => Ok(()),
            };
            reader.close();
            ended
        };
        (connection, serving)
    }

    /// Starts a run in the worker; `None` if the worker is gone.
    pub(crate) fn start(self: &Arc<Self>, run: &StartRun<'_>) -> Option<RunLink> {
        let (frames, received) = mpsc::unbounded_channel();
        let bytes = Arc::new(AtomicUsize::new(0));
        let queue = Queue { id: RunId::new(run.id), frames, bytes: Arc::clone(&bytes) };
        let number = {
            let mut runs = self.runs.lock();
            if runs.is_closed {
                return None;
            }
            // Numbers are not used again before the others were used; 0 means no run.
            loop {
                runs.last = runs.last.wrapping_add(1).max(1);
                if !runs.open.contains_key(&runs.last) {
                    break;
                }
            }
            let number = runs.last;
            runs.open.insert(number, queue);
            number
        };
        let link = RunLink {
            connection: Arc::clone(self),
            number,
            received,
            queued: bytes,
            uncredited: 0,
            has_ended: false,
        };
        send(&self.bulk, Kind::Run, number, run);
        Some(link)
    }

    /// Lets the worker exit once its runs have ended.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
        // Behind the runs that it was given.
        send(&self.bulk, Kind::Drain, 0, &());
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    async fn read_all(&self, mut input: OwnedReadHalf, mut decoder: Decoder) -> Result<(), String> {
        loop {
            while let Some(frame) = decoder.next().map_err(|error| error.to_string())? {
                self.deliver(frame)?;
            }
            decoder.buffer.reserve(READ_BYTES);
            // An error is the end too: the worker is gone.
            if input.read_buf(&mut decoder.buffer).await.unwrap_or(0) == 0 {
                return Ok(());
            }
        }
    }

    /// Hands a frame to its run. The frames of a run that has ended are ignored.
    fn deliver(&self, frame: Frame) -> Result<(), String> {
        let runs = self.runs.lock();
        let queue = runs.open.get(&frame.run);
        if frame.kind == Kind::Log {
            if let Ok(log) = message::read::<Log>(&frame) {
                write_log(&log, queue.map(|queue| &queue.id));
            }
            return Ok(());
        }
        let Some(queue) = queue else { return Ok(()) };
        let size = frame.payload.len();
        let queued = queue.bytes.fetch_add(size, Ordering::Relaxed) + size;
        // A single frame may be larger than all credit.
        if queued > 2 * CREDIT + size {
            return Err(format!("a run sent {queued} bytes with a credit of {CREDIT}"));
        }
        // The agent may just have left.
        let _ = queue.frames.send(frame);
        Ok(())
    }

    fn close(&self) {
        let mut runs = self.runs.lock();
        runs.is_closed = true;
        runs.open.clear();
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

fn send(queue: &UnboundedSender<Bytes>, kind: Kind, run: u32, message: &impl Serialize) {
    // Every message can be written as JSON.
    let payload = serde_json::to_vec(message).unwrap_or_default();
    for frame in frame::encode(kind, 0, run, &payload) {
        // If the worker is gone, so are its runs.
        let _ = queue.send(frame);
    }
}

/// Logs a line of a worker, with its run if it belongs to one.
fn write_log(log: &Log, run: Option<&RunId>) {
    let (message, logger, run) = (&log.message, &log.logger, run.map(tracing::field::display));
    match log.level.as_str() {
        "error" | "critical" => tracing::error!(run.id = run, logger, "{message}"),
        "warning" => tracing::warn!(run.id = run, logger, "{message}"),
        "debug" => tracing::debug!(run.id = run, logger, "{message}"),
        _ => tracing::info!(run.id = run, logger, "{message}"),
    }
}

/// A run in a worker. If it is dropped before the worker has ended the run, the worker is told to stop it.
#[derive(Debug)]
pub(crate) struct RunLink {
    connection: Arc<Connection>,
    number: u32,
    received: UnboundedReceiver<Frame>,
    queued: Arc<AtomicUsize>,
    uncredited: usize,
    has_ended: bool,
}

impl RunLink {
    /// Waits for frames; returns how many there are, or 0 once the worker is gone.
    pub(crate) async fn receive(&mut self, frames: &mut Vec<Frame>) -> usize {
        self.received.recv_many(frames, 64).await
    }

    /// Notes that frames of this size have been written to the log.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
        self.uncredited += bytes;
        if self.uncredited >= RETURNED {
            let credit = Credit { bytes: std::mem::take(&mut self.uncredited) };
            send(&self.connection.urgent, Kind::Credit, self.number, &credit);
        }
    }

    pub(crate) fn reply(&self, reply: &Reply) {
        send(&self.connection.bulk, Kind::Reply, self.number, reply);
    }

    /// Asks the worker to stop the run.
    pub(crate) fn cancel(&self, reason: &'static str) {
        send(&self.connection.urgent, Kind::Cancel, self.number, &Cancel { reason });
    }

    /// Notes that the worker has ended the run.
    pub(crate) fn end(&mut self) {
        self.has_ended = true;
    }
}

impl Drop for RunLink {
    fn drop(&mut self) {
        self.connection.runs.lock().open.remove(&self.number);
        if !self.has_ended {
            self.cancel("dropped");
        }
    }
}
