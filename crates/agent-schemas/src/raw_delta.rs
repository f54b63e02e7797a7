//! Deltas of text, read without being decoded.
//!
//! Most of a log is such deltas, and who passes them on needs their text only as the JSON that it is already.

use crate::event::DecodeError;

/// A delta event of a string, as its JSON has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawDelta<'a> {
    /// The `type` of the content.
    pub kind: RawKind,
    /// The position in its message.
    pub index: i64,
    /// The message it belongs to.
    pub msg_id: &'a str,
    /// The inside of the text's JSON string, safe on an SSE line.
    pub escaped: &'a str,
}

/// Which string grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// The text of a text content.
    Text,
    /// That of a refusal.
    Refusal,
}

impl<'a> RawDelta<'a> {
    /// Reads an event in the one form in which this library writes such deltas; `None` for all else, which may well be a
    /// delta in another form.
    pub fn read(event: &'a [u8]) -> Option<Self> {
        let rest = event.strip_prefix(b"{\"sequence_number\":")?;
        let (_, rest) = number(rest)?;
        let rest = rest
            .strip_prefix(b",\"object\":\"content\",\"status\":\"in_progress\",\"error\":null,\"type\":\"")?;
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
        let escaped = rest.strip_prefix(member)?.strip_suffix(b"\"}")?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(RawDelta { kind, index, msg_id: text(msg_id)?, escaped: text(escaped)? })
    }

    /// Appends the text itself.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no JSON, which no event that this library wrote has.
    pub fn append_to(&self, text: &mut String) -> Result<(), DecodeError> {
        RawDelta::append(self.escaped, text)
    }

    /// Appends the text whose JSON string has this inside.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no JSON, which no event that this library wrote has.
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

/// A number from 0 on, and what follows it.
fn number(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(digits)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
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
            let mut read = "before: ".to_owned();
            delta.append_to(&mut read).unwrap();
            assert_eq!(read, format!("before: {said}"));
        }
        let refusal = event(ContentBody::Refusal { refusal: Some("no".to_owned()) }, |_| {});
        assert_eq!(RawDelta::read(refusal.as_bytes()).unwrap().kind, RawKind::Refusal);
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
