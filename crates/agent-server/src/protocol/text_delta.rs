//! Reads text deltas without decoding them.
//!
//! Most of a log consists of such deltas. A protocol that relays them needs their text only as the JSON string that it
//! already is. Nearly all of them follow a delta of the same content, and differ from it only in number and text.

use agent_schemas::{DecodeError, json};

/// The parts of an event before its number, between its number and its type, and after its text.
const BEFORE_NUMBER: &str = "{\"sequence_number\":";
const BEFORE_TYPE: &str = ",\"object\":\"content\",\"status\":\"in_progress\",\"error\":null,\"type\":\"";
const END: &str = "\"}";

/// An event that appends to a text or a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextDelta<'a> {
    /// Which string grows.
    pub kind: TextKind,
    /// The position of the content in its message.
    pub index: i64,
    /// The message that the content belongs to.
    pub msg_id: &'a str,
    /// The appended text.
    pub text: EscapedText<'a>,
}

/// Which string of a content grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextKind {
    /// The text of a text content.
    Text,
    /// The refusal of a refusal content.
    Refusal,
}

/// The inside of a JSON string, without the quotes, safe on an SSE line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscapedText<'a>(&'a str);

impl<'a> EscapedText<'a> {
    /// Whether there is no text.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The text as it is in JSON.
    pub fn as_json(self) -> &'a str {
        self.0
    }

    /// Appends the text itself.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not the inside of a JSON string, which cannot happen for events that this server wrote.
    pub fn append_to(self, text: &mut String) -> Result<(), DecodeError> {
        if memchr::memchr(b'\\', self.0.as_bytes()).is_none() {
            text.push_str(self.0);
            return Ok(());
        }
        let json = json::parse(&format!("\"{}\"", self.0))?;
        text.push_str(json.as_str().unwrap_or_default());
        Ok(())
    }
}

/// The deltas of one content. Their events are equal between number and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeltaSeries(String);

impl DeltaSeries {
    /// The series that a delta belongs to.
    pub(super) fn of(delta: &TextDelta<'_>) -> Self {
        let TextDelta { kind, index, msg_id, .. } = delta;
        let name = match kind {
            TextKind::Text => "text",
            TextKind::Refusal => "refusal",
        };
        DeltaSeries(format!(
            "{BEFORE_TYPE}{name}\",\"index\":{index},\"delta\":true,\"msg_id\":\"{msg_id}\",\"{name}\":\""
        ))
    }

    /// The text that an event appends, if it is a delta of the series.
    pub(super) fn next<'a>(&self, event: &'a [u8]) -> Option<EscapedText<'a>> {
        let rest = event.strip_prefix(BEFORE_NUMBER.as_bytes())?;
        let (_, rest) = rest.split_at_checked(digits(rest))?;
        let escaped = rest.strip_prefix(self.0.as_bytes())?.strip_suffix(END.as_bytes())?;
        std::str::from_utf8(escaped).ok().map(EscapedText)
    }
}

impl<'a> TextDelta<'a> {
    /// Reads an event in the exact form in which the runner writes such deltas. `None` for everything else, which may
    /// still be a delta in another form.
    pub(super) fn read(event: &'a [u8]) -> Option<Self> {
        let rest = event.strip_prefix(BEFORE_NUMBER.as_bytes())?;
        let (_, rest) = number(rest)?;
        let rest = rest.strip_prefix(BEFORE_TYPE.as_bytes())?;
        let (kind, rest, member) = match rest.strip_prefix(b"text\",\"index\":") {
            Some(rest) => (TextKind::Text, rest, b"\",\"text\":\"".as_slice()),
            None => (
                TextKind::Refusal,
                rest.strip_prefix(b"refusal\",\"index\":")?,
                b"\",\"refusal\":\"".as_slice(),
            ),
        };
        let (index, rest) = number(rest)?;
        let rest = rest.strip_prefix(b",\"delta\":true,\"msg_id\":\"")?;
        let (msg_id, rest) = rest.split_at_checked(memchr::memchr2(b'"', b'\\', rest)?)?;
        let escaped = rest.strip_prefix(member)?.strip_suffix(END.as_bytes())?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(TextDelta { kind, index, msg_id: text(msg_id)?, text: EscapedText(text(escaped)?) })
    }
}

/// A number without a sign, and what follows it.
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
    use agent_schemas::{Content, ContentBody, Event, Status, sse};

    use super::*;

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
    fn text_delta__written_event__is_read_back() {
        for said in ["", "a", "say \"hi\"}", "\\", "line\nbreak\u{2028}", "\"}", "你好 é"] {
            let event = event(text(said), |_| {});
            let delta = TextDelta::read(event.as_bytes()).unwrap();
            assert_eq!((delta.kind, delta.index, delta.msg_id), (TextKind::Text, 3, "msg_1"));
            assert_eq!(DeltaSeries::of(&delta).next(event.as_bytes()), Some(delta.text));
            let mut read = "before: ".to_owned();
            delta.text.append_to(&mut read).unwrap();
            assert_eq!(read, format!("before: {said}"));
        }
        let refusal = event(ContentBody::Refusal { refusal: Some("no".to_owned()) }, |_| {});
        assert_eq!(TextDelta::read(refusal.as_bytes()).unwrap().kind, TextKind::Refusal);
    }

    #[test]
    fn delta_series__other_content__ends_it() {
        let first = event(text("a"), |_| {});
        let series = DeltaSeries::of(&TextDelta::read(first.as_bytes()).unwrap());
        let later = event(text(" \"b\""), |content| content.sequence_number = Some(i64::MAX));
        assert_eq!(series.next(later.as_bytes()), Some(EscapedText(r#" \"b\""#)));
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
    fn text_delta__other_event__is_none() {
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
            assert_eq!(TextDelta::read(event.as_bytes()), None, "{event}");
        }
    }
}
