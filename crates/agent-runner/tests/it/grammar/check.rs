//! The grammar of a log, as a function that returns where a log violates it.

use std::collections::{BTreeMap, HashSet};

use agent_schemas::delta::{add_usage, append_body};
use agent_schemas::{AgentResponse, Content, ContentBody, Event, Fold, JsonObject, Message, Status, sse};

/// The message if a log violates the grammar.
pub(crate) type Broken = String;

macro_rules! demand {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

/// Checks a whole log, given as the bytes that its readers get, and returns its final response.
///
/// `strict` names the messages whose contents were only ever appended to or replaced, so that each closing event
/// must carry exactly what the events before it add up to.
pub(crate) fn check_log(bytes: &[u8], strict: &HashSet<String>) -> Result<AgentResponse, Broken> {
    let frames = split(bytes)?;
    let mut checker = Checker::default();
    let mut fold = Fold::new();
    let mut last = None;
    for (number, json) in frames.iter().enumerate() {
        let event = decode(json).map_err(|why| format!("event {number}: {why}: {json}"))?;
        demand!(last.is_none(), "event {number} follows the final response: {json}");
        demand!(event.sequence_number() == i64::try_from(number).ok(), "event {number} has another number");
        let done = checker.event(number, event.clone(), json, strict);
        last = done.map_err(|why| format!("event {number}: {why}: {json}"))?;
        if last.is_none() {
            fold.push(&event);
        }
    }
    let last = last.ok_or("the log has no final response")?;
    demand!(
        fold.output() == last.messages(),
        "the fold is {:?}, the output {:?}",
        fold.output(),
        last.output
    );
    demand!(fold.open_messages().is_empty(), "the fold has open messages");
    let folded = fold.response().ok_or("the fold has no response")?;
    demand!(folded.usage == last.usage, "the fold's usage is {:?}, not {:?}", folded.usage, last.usage);
    Ok(last)
}

/// Splits a log into the JSON texts of its frames.
fn split(bytes: &[u8]) -> Result<Vec<&str>, Broken> {
    let text = std::str::from_utf8(bytes).map_err(|why| format!("the log is not UTF-8: {why}"))?;
    demand!(!text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']), "the log has a raw line separator");
    let body = text.strip_suffix("\n\n").ok_or("the log does not end with an empty line")?;
    let frames = body.split("\n\n").enumerate().map(|(number, frame)| {
        let rest = frame.strip_prefix(&format!("id: {number}\ndata: "));
        let json = rest.ok_or_else(|| format!("frame {number} is {frame:?}"))?;
        demand!(!json.contains('\n'), "frame {number} has a raw newline");
        Ok(json)
    });
    frames.collect()
}

/// Reads one event. It must contain everything in its JSON, in the protocol's order.
fn decode(json: &str) -> Result<Event, Broken> {
    let event = Event::from_slice(json.as_bytes()).map_err(|why| format!("cannot be read: {why:?}"))?;
    let mut again = Vec::new();
    sse::write_json(&mut again, &event).map_err(|why| why.to_string())?;
    demand!(again == json.as_bytes(), "reads as {}", String::from_utf8_lossy(&again));
    Ok(event)
}

#[derive(Default)]
struct Checker<'a> {
    first: Option<AgentResponse>,
    open: Vec<OpenMessage<'a>>,
    seen: HashSet<String>,
    /// The JSON of the closed messages that belong to the output.
    output: Vec<&'a str>,
    usage: Option<JsonObject>,
}

struct OpenMessage<'a> {
    id: String,
    contents: BTreeMap<i64, OpenContent<'a>>,
}

struct OpenContent<'a> {
    value: ContentBody,
    /// The JSON of its closing event.
    closed: Option<&'a str>,
}

impl<'a> Checker<'a> {
    /// Adds one event; returns the final response if this is it.
    fn event(
        &mut self,
        number: usize,
        event: Event,
        json: &'a str,
        strict: &HashSet<String>,
    ) -> Result<Option<AgentResponse>, Broken> {
        match event {
            Event::Response(response) => return self.response(number, response, json),
            _ if number < 2 => return Err("the log does not start with two responses".to_owned()),
            Event::Message(message) => self.message(&message, json)?,
            Event::Content(content) => self.content(&content, json, strict)?,
            other => return Err(format!("unknown event {other:?}")),
        }
        Ok(None)
    }

    fn response(
        &mut self,
        number: usize,
        response: AgentResponse,
        json: &str,
    ) -> Result<Option<AgentResponse>, Broken> {
        let first = self.first.get_or_insert_with(|| response.clone());
        demand!(
            (&first.id, first.created_at, &first.session_id)
                == (&response.id, response.created_at, &response.session_id),
            "the response changed its identity"
        );
        let expected = [Status::Created, Status::InProgress];
        if let Some(expected) = expected.get(number) {
            let plain = response.output.is_none() && response.usage.is_none();
            let plain = plain && response.completed_at.is_none() && response.error.is_none();
            demand!(response.status == *expected && plain, "a log starts otherwise");
            return Ok(None);
        }
        demand!(response.status.is_final(), "a response in the middle");
        demand!(self.open.is_empty(), "messages are open");
        demand!(response.completed_at.is_some(), "there is no time of the end");
        demand!(response.error.is_some() == (response.status == Status::Failed), "error and status disagree");
        demand!(response.usage == self.usage, "the usage is not the sum {:?}", self.usage);
        let output = match (&self.output[..], &response.status) {
            ([], status) if *status != Status::Completed => "null".to_owned(),
            (messages, _) => format!("[{}]", messages.join(",")),
        };
        let there = json.contains(&format!(r#","output":{output},"usage":"#));
        demand!(there, "the output is not {output}");
        Ok(Some(response))
    }

    fn message(&mut self, message: &Message, json: &'a str) -> Result<(), Broken> {
        let position = self.open.iter().position(|open| open.id == message.id);
        if !message.status.is_final() {
            demand!(position.is_none() && !self.seen.contains(&message.id), "the message is opened twice");
            demand!(message.content.is_none(), "the message is opened with contents");
            demand!(!message.id.is_empty(), "the message has no id");
            self.seen.insert(message.id.clone());
            self.open.push(OpenMessage { id: message.id.clone(), contents: BTreeMap::new() });
            return Ok(());
        }
        let open = self.open.remove(position.ok_or("a closed message is not open")?);
        let (mut closings, mut count) = (Vec::new(), 0);
        for (index, content) in &open.contents {
            demand!(*index == count, "the content {count} is missing");
            closings.push(content.closed.ok_or_else(|| format!("content {index} is open"))?);
            count += 1;
        }
        let contents = match &closings[..] {
            [] => "null".to_owned(),
            closings => format!("[{}]", closings.join(",")),
        };
        demand!(
            json.contains(&format!(r#","content":{contents},"code":"#)),
            "the contents are not {contents}"
        );
        if message.status != Status::Failed {
            self.output.push(json);
            if let Some(usage) = &message.usage {
                add_usage(self.usage.get_or_insert_default(), usage);
            }
        }
        Ok(())
    }

    fn content(&mut self, event: &Content, json: &'a str, strict: &HashSet<String>) -> Result<(), Broken> {
        let id = event.msg_id.as_ref().ok_or("the content belongs to no message")?;
        let index = event.index.ok_or("the content has no index")?;
        let open = self.open.iter_mut().find(|open| open.id == *id);
        let open = open.ok_or("the content's message is not open")?;
        let closes = event.status.as_ref().is_some_and(Status::is_final);
        demand!(closes || event.status == Some(Status::InProgress), "the content has another status");
        let closed = closes.then_some(json);
        let Some(known) = open.contents.get_mut(&index) else {
            open.contents.insert(index, OpenContent { value: event.body.clone(), closed });
            return Ok(());
        };
        demand!(known.closed.is_none(), "the content is closed");
        demand!(known.value.type_name() == event.body.type_name(), "the content changed its type");
        if event.delta == Some(true) {
            demand!(!closes, "a closing is a delta");
            append_body(&mut known.value, &event.body);
        } else {
            let kept = !closes || !strict.contains(id) || known.value == event.body;
            demand!(kept, "the closing is not {:?}", known.value);
            known.value = event.body.clone();
        }
        known.closed = closed;
        Ok(())
    }
}
