//! The server's end of a worker's health socket.

use bytes::Bytes;
use tokio::net::UnixStream;
use tokio::time::Instant;

use crate::frame::{self, Decoder, Kind};
use crate::message::{self, Ping, Pong};
use crate::timing::Timing;

/// Asks a worker for signs of life.
#[derive(Debug)]
pub(crate) struct Health {
    socket: UnixStream,
    decoder: Decoder,
    ping: Option<Bytes>,
    /// When the worker answered for the last time.
    pub(crate) heard: Instant,
}

impl Health {
    pub(crate) fn new(socket: UnixStream, timing: &Timing) -> Self {
        let stuck_ms = u64::try_from(timing.stuck.as_millis()).unwrap_or(u64::MAX);
        let payload = serde_json::to_vec(&Ping { stuck_ms }).unwrap_or_default();
        let ping = frame::encode(Kind::Ping, 0, 0, &payload).pop();
        Health { socket, decoder: Decoder::default(), ping, heard: Instant::now() }
    }

    /// Takes the last answer since the previous call, and asks again.
    ///
    /// # Errors
    /// If the worker sends something else.
    pub(crate) fn exchange(&mut self) -> Result<Option<Pong>, String> {
        // The end of the process is noticed elsewhere.
        while let Ok(1..) = self.socket.try_read_buf(&mut self.decoder.buffer) {}
        let mut last = None;
        while let Some(frame) = self.decoder.next().map_err(|error| error.to_string())? {
            if frame.kind == Kind::Pong {
                self.heard = Instant::now();
                last = Some(message::read(&frame).map_err(|error| error.to_string())?);
            }
        }
        if let Some(ping) = &self.ping {
            let _ = self.socket.try_write(ping);
        }
        Ok(last)
    }
}
