//! Requests and events on the wire.

use std::io;

use agent_schemas::sse::parse_id;
use agent_tests::Connection;
use agent_tests::history::{Event, EventId};
use serde_json::Value;

use super::addresses::ServerAddress;

pub(super) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A request without a body.
pub(super) fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

pub(super) fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    format!("{head}{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

pub(super) fn id_text(id: EventId) -> String {
    match id {
        EventId { number, epoch: 1 } => number.to_string(),
        EventId { number, epoch } => format!("{number}.{epoch}"),
    }
}

/// The events of a stream as they arrive.
#[derive(Debug)]
pub(super) struct Events {
    connection: Connection,
    text: String,
}

impl Events {
    pub(super) fn new(connection: Connection) -> Self {
        Events { connection, text: String::new() }
    }

    /// The next event; `None` at the stream's end.
    pub(super) async fn next(&mut self, server: &mut ServerAddress) -> io::Result<Option<Event>> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let frame: String = self.text.drain(..end + 2).collect();
                if let Some(event) = event_of(&frame) {
                    return Ok(Some(event));
                }
            }
            match server.while_up(self.connection.chunk()).await? {
                Some(chunk) => self.text += &chunk,
                None => return Ok(None),
            }
        }
    }
}

/// The event of a frame; a heartbeat has none.
fn event_of(frame: &str) -> Option<Event> {
    let id = frame.lines().next()?.strip_prefix("id: ")?;
    let (number, epoch) = parse_id(id).expect("an id of an event");
    let json = frame.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    Some(Event { id: EventId { number, epoch }, json: json_of(json) })
}

pub(super) fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}
