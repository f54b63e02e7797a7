//! What a worker says: lines of its output, and records of its log.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;

use crate::frame::{Decoder, Kind};
use crate::message::{self, Log};

/// The maximum length of a line of output; longer ones are broken.
const LINE_BYTES: usize = 8 * 1024;

/// How many bytes of the log are read at once.
const READ_BYTES: usize = 64 * 1024;

/// Logs what a worker prints, line by line.
pub(crate) async fn log_lines(mut output: impl AsyncRead + Unpin, worker: u32, stream: &'static str) {
    let mut buffer = BytesMut::with_capacity(LINE_BYTES);
    while let Ok(1..) = output.read_buf(&mut buffer).await {
        loop {
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let Some(length) = end.or((buffer.len() >= LINE_BYTES).then_some(LINE_BYTES)) else { break };
            log_line(&buffer.split_to(length), worker, stream);
            if end.is_some() {
                buffer.advance(1);
            }
        }
        buffer.reserve(LINE_BYTES);
    }
    log_line(&buffer, worker, stream);
}

fn log_line(line: &[u8], worker: u32, stream: &'static str) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end();
    if !line.is_empty() {
        tracing::info!(target: "agent_workers::output", pid = worker, stream, "{line}");
    }
}

/// Logs what a worker says about itself and its runs.
pub(crate) async fn log_records(mut socket: UnixStream, worker: u32) {
    let mut decoder = Decoder::default();
    loop {
        match decoder.next() {
            Ok(Some(frame)) => {
                if let (Kind::Log, Ok(log)) = (frame.kind, message::read::<Log>(&frame)) {
                    log_record(&log, worker);
                }
            }
            Ok(None) => {
                decoder.buffer.reserve(READ_BYTES);
                if !matches!(socket.read_buf(&mut decoder.buffer).await, Ok(1..)) {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(worker.pid = worker, error = %error, "a worker sent a log that cannot be read");
                return;
            }
        }
    }
}

fn log_record(log: &Log, worker: u32) {
    let (message, logger) = (log.message.trim_end(), &log.logger);
    let run = (!log.run.is_empty()).then_some(&log.run);
    if let Some(stream) = &log.stream {
        tracing::info!(target: "agent_workers::output", pid = worker, stream, run.id = run, "{message}");
        return;
    }
    match log.level.as_str() {
        "error" | "critical" => tracing::error!(run.id = run, logger, "{message}"),
        "warning" => tracing::warn!(run.id = run, logger, "{message}"),
        "debug" => tracing::debug!(run.id = run, logger, "{message}"),
        _ => tracing::info!(run.id = run, logger, "{message}"),
    }
}
