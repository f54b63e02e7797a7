//! Checks streams of the Responses API against OpenAI's API reference and the Open Responses specification, independent of
//! the server's implementation.
//!
//! - The `event` of a frame is its data's `type`; `[DONE]` ends the stream.
//! - Events are numbered without gaps. `response.created` comes first and one terminal event last.
//! - Items begin in the order of their positions, each ends once, and the final response has them as they ended.
//! - The same holds for the parts of an item. The deltas of a part or call add up to its final value.
//! - Every member that a client requires is present.

mod members;
mod state;

use serde_json::Value;

pub use members::check_response;
use state::Stream;

/// The events of a whole stream as received over the wire.
///
/// # Errors
/// If its framing violates the specification.
pub fn parse(stream: &str) -> Result<Vec<Value>, String> {
    let body = stream.strip_suffix("data: [DONE]\n\n").ok_or("the stream does not end with [DONE]")?;
    let frames = body.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':'));
    frames.map(parse_frame).collect()
}

fn parse_frame(frame: &str) -> Result<Value, String> {
    let (name, data) = frame
        .strip_prefix("event: ")
        .and_then(|rest| rest.split_once("\ndata: "))
        .ok_or_else(|| format!("a frame is not an event and its data: {frame:?}"))?;
    let event: Value = serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
    if event["type"] == name { Ok(event) } else { Err(format!("a frame is named {name} and is {event}")) }
}

/// Checks a whole stream as received over the wire, and returns its final response.
///
/// # Errors
/// The first rule that is broken.
pub fn check(stream: &str) -> Result<Value, String> {
    check_events(&parse(stream)?)
}

/// The same for events.
///
/// # Errors
/// The first rule that is broken.
pub fn check_events(events: &[Value]) -> Result<Value, String> {
    let mut stream = Stream::default();
    for (position, event) in events.iter().enumerate() {
        stream.take(event).map_err(|fault| format!("event {position}: {fault}: {event}"))?;
    }
    stream.finish()
}

/// Checks the events of a resumed stream after the events that the client already had: together, they form one stream.
///
/// # Errors
/// The first rule that is broken.
pub fn check_resumed(before: &[Value], after: &[Value]) -> Result<Value, String> {
    check_events(&[before, after].concat())
}
