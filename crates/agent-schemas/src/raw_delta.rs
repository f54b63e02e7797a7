//! Reads text deltas without decoding them.
//!
//! Most of a log consists of text deltas, and code that passes them on needs their text only as JSON, which it already
//! is. Nearly all of them follow another delta of the same content and differ from it only in number and text.

use crate::event::DecodeError;

/// The bytes of an event before its number, between the number and the type, and after the text.
const BEFORE_NUMBER: &str = "{\"sequence_number\":";
const BEFORE_TYPE: &str = ",\"object\":\"content\",\"status\":\"in_progress\",\"error\":null,\"type\":\"";
const END: &str = "\"}";

/// A delta event of a string, as raw JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawDelta<'a> {
    /// The `type` of the content.
    pub kind: RawKind,
    /// The position in the message.
    pub index: i64,
    /// The id of the message.
    pub msg_id: &'a str,
    /// The inside of the text's JSON string, safe on an SSE line.
    pub escaped: &'a str,
}

/// The string that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// The text of a text content.
    Text,
    /// The text of a refusal.
    Refusal,
}

/// The deltas of one content, whose events differ only in number and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSeries(String);

impl RawSeries {
    /// The series that a delta belongs to.
    pub fn of(delta: &RawDelta<'_>) -> Self {
        let RawDelta { kind, index, msg_id, .. } = delta;
        let name = match kind {
            RawKind::Text => "text",
            RawKind::Refusal => "refusal",
        };
        RawSeries(format!(
            "{BEFORE_TYPE}{name}\",\"index\":{index},\"delta\":true,\"msg_id\":\"{msg_id}\",\"{name}\":\""
        ))
    }

    /// The inside of the text's JSON string, if this event is a delta of the series.
    pub fn next<'a>(&self, event: &'a [u8]) -> Option<&'a str> {
        let rest = event.strip_prefix(BEFORE_NUMBER.as_bytes())?;
        let (_, rest) = rest.split_at_checked(digits(rest))?;
        let escaped = rest.strip_prefix(self.0.as_bytes())?.strip_suffix(END.as_bytes())?;
        std::str::from_utf8(escaped).ok()
    }
}

impl<'a> RawDelta<'a> {
    /// Reads an event in the exact form in which this library writes such deltas. Returns `None` for anything else,
    /// which may still be a delta in another form.
    pub fn read(event: &'a [u8]) -> Option<Self> {
        let rest = event.strip_prefix(BEFORE_NUMBER.as_bytes())?;
        let (_, rest) = number(rest)?;
        let rest = rest.strip_prefix(BEFORE_TYPE.as_bytes())?;
        let (kind, rest, member) = match rest.strip_prefix(b"text\",\"index\":") {
            Some(rest) => (RawKind::Text, rest, b"\",\"text\":\"".as_slice()),
            None => (
                RawKind::Refusal,
                rest.strip_prefix(b"refusal\",\"index\":")?,
                b"\",\"refusal\":\"".as_slice(),
            ),
        };
        let (index, rest) = number(rest)?;
        let rest = rest.strip_prefix(b",\"delta\":true,\"msg_id\":\"")?;
        let (msg_id, rest) = rest.split_at_checked(memchr::memchr2(b'"', b'\\', rest)?)?;
        let escaped = rest.strip_prefix(member)?.strip_suffix(END.as_bytes())?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(RawDelta { kind, index, msg_id: text(msg_id)?, escaped: text(escaped)? })
    }

    /// Appends the text whose JSON string has this inside.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not JSON. Events written by this library always are.
    pub fn append(escaped: &str, text: &mut String) -> Result<(), DecodeError> {
        if memchr::memchr(b'\\', escaped.as_bytes()).is_none() {
            text.push_str(escaped);
            return Ok(());
        }
        let json = crate::json::parse(&format!("\"{escaped}\""))?;
        text.push_str(json.as_str().unwrap_or_default());
        Ok(())
    }
}

/// A non-negative number, and the rest of the input.
fn number(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(digits(bytes))?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The number of leading digits.
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, ContentBody, Event, Status, sse};

    fn event(body: ContentBody, change: impl FnOnce(&mut Content)) -> String {
        let mut content = Content::new(body);
        content.sequence_number = Some(12);
        content.status = Some(Status::InProgress);
        (content.delta, content.index, content.msg_id) = (Some(true), Some(3), Some("msg_1".to_owned()));
        change(&mut content);
        let mut out = Vec::new();
        sse::write_json(&mut out, &Event::Content(content)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text(text: &str) -> ContentBody {
        ContentBody::Text { text: Some(text.to_owned()) }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        for said in ["", "a", "say \"hi\"}", "\\", "line\nbreak\u{2028}", "\"}", "你好 é"] {
            let event = event(text(said), |_| {});
            let delta = RawDelta::read(event.as_bytes()).unwrap();
            assert_eq!((delta.kind, delta.index, delta.msg_id), (RawKind::Text, 3, "msg_1"));
            assert_eq!(RawSeries::of(&delta).next(event.as_bytes()), Some(delta.escaped));
            let mut read = "before: ".to_owned();
            RawDelta::append(delta.escaped, &mut read).unwrap();
            assert_eq!(read, format!("before: {said}"));
        }
        let refusal = event(ContentBody::Refusal { refusal: Some("no".to_owned()) }, |_| {});
        assert_eq!(RawDelta::read(refusal.as_bytes()).unwrap().kind, RawKind::Refusal);
    }

    #[test]
    fn a_series_has_the_deltas_of_one_content() {
        let first = event(text("a"), |_| {});
        let series = RawSeries::of(&RawDelta::read(first.as_bytes()).unwrap());
        let later = event(text(" \"b\""), |content| content.sequence_number = Some(i64::MAX));
        assert_eq!(series.next(later.as_bytes()), Some(r#" \"b\""#));
        let others = [
            event(text("a"), |content| content.index = Some(33)),
            event(text("a"), |content| content.msg_id = Some("msg_11".to_owned())),
            event(text("a"), |content| content.delta = Some(false)),
            event(text("a"), |content| content.status = Some(Status::Completed)),
            event(ContentBody::Refusal { refusal: Some("a".to_owned()) }, |_| {}),
            event(ContentBody::Text { text: None }, |_| {}),
            first.replace('}', ""),
            String::new(),
        ];
        for event in others {
            assert_eq!(series.next(event.as_bytes()), None, "{event}");
        }
    }

    #[test]
    fn all_else_is_left_alone() {
        let others = [
            event(text("a"), |content| content.delta = Some(false)),
            event(text("a"), |content| content.status = Some(Status::Completed)),
            event(text("a"), |content| content.index = None),
            event(text("a"), |content| content.msg_id = Some("\"".to_owned())),
            event(ContentBody::Text { text: None }, |_| {}),
            event(ContentBody::Image { image_url: Some("a".to_owned()) }, |_| {}),
            "{}".to_owned(),
            String::new(),
        ];
        for event in others {
            assert_eq!(RawDelta::read(event.as_bytes()), None, "{event}");
        }
    }
}
