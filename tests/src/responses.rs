//! Checks streams of the Responses API, by the rules of OpenAI's API reference and the Open Responses specification and
//! with no regard to how a server makes them.
//!
//! - The `event` of a frame is its data's `type`; `[DONE]` ends the stream.
//! - Events are numbered without gaps. `response.created` comes first and one terminal event last.
//! - Items begin in the order of their places, each ends once, and the final response has them as they ended.
//! - So do the parts of an item; the deltas of a part or call add up to what its end says.
//! - Every member that a client requires is there.

mod members;
mod state;

use serde_json::Value;

pub use members::check_response;
use state::Stream;

/// The events of a whole stream as it came over the wire.
///
/// # Errors
/// If it is not framed as the specification says.
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

/// Checks a whole stream as it came over the wire, and gives its final response.
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

/// Checks what came of a stream that a client took up again, behind events that it had: they are one stream together.
///
/// # Errors
/// The first rule that is broken.
pub fn check_resumed(before: &[Value], after: &[Value]) -> Result<Value, String> {
    check_events(&[before, after].concat())
}
