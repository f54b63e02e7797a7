//! The body of a successful response: a stream of events, or one JSON object from a server that does not stream.

use super::wire::Chunk;
use crate::sse_reader::{SseEvent, SseParser};

/// The maximum size of an event, or of a response that is not a stream, in bytes.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// The maximum size of a whole response, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// How much of an answer's beginning is kept for the log, in bytes.
const START: usize = 200;

/// The bytes of the mark with which some servers begin a text in UTF-8.
const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// A part of a body.
#[derive(Debug)]
pub(super) enum Item {
    Chunk(Box<Chunk>),
    /// The server's own end marker.
    Done,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the response exceeds {MAX_ANSWER} bytes, or one of its events exceeds {MAX_EVENT} bytes")]
    TooLarge,
    #[error("the response is not a chat completion in JSON")]
    Malformed,
}

/// Takes a body's bytes, however they are split, and returns its parts.
#[derive(Debug)]
pub(super) struct Body {
    form: Form,
    bytes: usize,
    /// The beginning of the body, which shows the operator what it is if it is not a chat completion.
    start: Vec<u8>,
}

#[derive(Debug)]
enum Form {
    /// Only white space and the mark of UTF-8 have arrived so far.
    Unknown,
    Events(SseParser),
    Json(Vec<u8>),
}

impl Body {
    pub(super) fn new() -> Self {
        Body { form: Form::Unknown, bytes: 0, start: Vec::new() }
    }

    /// Parses more bytes, and appends what is complete.
    pub(super) fn push(&mut self, bytes: &[u8], items: &mut impl Extend<Item>) -> Result<(), BodyError> {
        self.bytes += bytes.len();
        self.start.extend(bytes.iter().take(START - self.start.len()));
        if self.bytes > MAX_ANSWER {
            return Err(BodyError::TooLarge);
        }
        let mut bytes = bytes;
        if let Form::Unknown = self.form
            && let Some(start) =
                bytes.iter().position(|byte| !byte.is_ascii_whitespace() && !BOM.contains(byte))
        {
            bytes = &bytes[start..];
            let first = &bytes[0];
            // The content type would say so too, if every server set it correctly. No event starts with a brace.
            let is_json = *first == b'{';
            // Events never begin like a web page. Without this check, its lines would be skipped as unknown fields.
            if *first == b'<' {
                return Err(BodyError::Malformed);
            }
            self.form =
                if is_json { Form::Json(Vec::new()) } else { Form::Events(SseParser::new(MAX_EVENT)) };
        }
        match &mut self.form {
            Form::Unknown => Ok(()),
            Form::Json(json) if json.len() + bytes.len() > MAX_EVENT => Err(BodyError::TooLarge),
            Form::Json(json) => {
                json.extend_from_slice(bytes);
                Ok(())
            }
            Form::Events(parser) => {
                let mut events = Vec::new();
                parser.push(bytes, &mut events).map_err(|_| BodyError::TooLarge)?;
                for event in events {
                    items.extend(item(&event)?);
                }
                Ok(())
            }
        }
    }

    /// The beginning of the body as text.
    pub(super) fn start(&self) -> String {
        String::from_utf8_lossy(&self.start).into_owned()
    }

    /// Reads what is left at the end. Half an event is ignored.
    pub(super) fn finish(&mut self, items: &mut impl Extend<Item>) -> Result<(), BodyError> {
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Unknown => {}
            Form::Events(mut parser) => {
                let last = parser.finish().map(|event| item(&event));
                items.extend(last.and_then(Result::ok).flatten());
            }
            Form::Json(json) => {
                let chunk = std::str::from_utf8(&json).ok().and_then(Chunk::parse);
                let chunk = chunk.filter(Chunk::is_answer).ok_or(BodyError::Malformed)?;
                items.extend([Item::Chunk(Box::new(chunk)), Item::Done]);
            }
        }
        Ok(())
    }
}

fn item(event: &SseEvent) -> Result<Option<Item>, BodyError> {
    match event.data.trim() {
        "" => Ok(None),
        "[DONE]" => Ok(Some(Item::Done)),
        data => {
            let mut chunk = Chunk::parse(data);
            if event.is_error {
                let chunk = chunk.get_or_insert_default();
                if chunk.error.is_null() {
                    chunk.error = agent_schemas::json::parse(data).unwrap_or_else(|_| data.into());
                }
            }
            chunk.map(|chunk| Some(Item::Chunk(Box::new(chunk)))).ok_or(BodyError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, BodyError> {
        let (mut body, mut items) = (Body::new(), Vec::new());
        for byte in text.as_bytes() {
            body.push(&[*byte], &mut items)?;
        }
        body.finish(&mut items)?;
        Ok(items.into_iter().map(show).collect())
    }

    fn show(item: Item) -> String {
        match item {
            Item::Done => "done".to_owned(),
            Item::Chunk(chunk) if !chunk.error.is_null() => format!("error {}", chunk.error),
            Item::Chunk(chunk) => {
                chunk.into_choice().map(|choice| choice.into_delta().content).unwrap_or_default()
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(read(text).expect(text), expected, "{text}");
    }

    #[test]
    fn body__stream_or_object__is_read() {
        check("data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n", &["hi", "done"]);
        check(" \n {\"choices\":[{\"message\":{\"content\":\"hi\"}}]}\n", &["hi", "done"]);
        check("\u{feff}{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}", &["hi", "done"]);
        check("\u{feff}data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n", &["hi"]);
        check(": hello\n\ndata:\n\n", &[]);
        check("", &[]);
    }

    #[test]
    fn body__error_event__is_a_chunk_with_error() {
        check("error: {\"code\":500,\"message\":\"no\"}\n\n", &[r#"error {"code":500,"message":"no"}"#]);
        check("event: error\ndata: out of memory\n\n", &[r#"error "out of memory""#]);
        check("data: {\"error\":{\"message\":\"no\"}}\n\n", &[r#"error {"message":"no"}"#]);
    }

    #[test]
    fn body__invalid_json__is_refused_unless_truncated() {
        assert_eq!(read("data: {\"cho\n\n"), Err(BodyError::Malformed));
        assert_eq!(read("{\"choices\":["), Err(BodyError::Malformed));
        assert_eq!(read("{\"detail\":\"not a model server\"}"), Err(BodyError::Malformed));
        check("data: {\"cho", &[]);
    }

    #[test]
    fn web_page__with_status_200__is_refused() {
        assert_eq!(read(" <!DOCTYPE html>\n<title>hi</title>"), Err(BodyError::Malformed));
        let mut body = Body::new();
        let long = format!("<html>{}", "x".repeat(1000));
        assert_eq!(body.push(long.as_bytes(), &mut Vec::new()), Err(BodyError::Malformed));
        assert_eq!(body.start(), long[..START]);
    }
}
