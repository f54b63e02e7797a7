//! Reads server-sent events, as WHATWG defines them: any line ends, a byte order mark, comments, data of several
//! lines.

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's id, if any.
    pub id: Option<String>,
    /// Whether the server marks it as an error: by the event's name, or by llama.cpp's `error:` field.
    pub is_error: bool,
    /// The data; lines are joined with line feeds.
    pub data: String,
}

/// An event that is larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event exceeds the size limit")]
pub struct EventTooLarge;

/// Takes bytes, however they are split, and produces events.
///
/// ```
/// use agent_runner::sse_reader::SseParser;
///
/// let mut parser = SseParser::new(1024);
/// let mut events = Vec::new();
/// parser.push(b"id: 0\ndata: {\"a\"", &mut events)?;
/// parser.push(b":1}\n\n", &mut events)?;
/// assert_eq!(events[0].data, r#"{"a":1}"#);
/// # Ok::<(), agent_runner::sse_reader::EventTooLarge>(())
/// ```
#[derive(Debug)]
pub struct SseParser {
    limit: usize,
    line: Vec<u8>,
    /// The last byte was a carriage return; a following line feed belongs to it.
    after_return: bool,
    first_line: bool,
    id: Option<String>,
    data: Option<String>,
    is_error: bool,
}

impl SseParser {
    /// A parser that rejects events larger than this many bytes.
    pub fn new(limit: usize) -> Self {
        SseParser {
            limit,
            line: Vec::new(),
            after_return: false,
            first_line: true,
            id: None,
            data: None,
            is_error: false,
        }
    }

    /// Parses more bytes, and appends the events that are complete.
    ///
    /// # Errors
    /// [`EventTooLarge`]; the parser must not be used after it.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), EventTooLarge> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + line.len() + self.data.as_ref().map_or(0, String::len) > self.limit {
                return Err(EventTooLarge);
            }
            self.line.extend_from_slice(line);
            bytes = rest;
            if let Some(end) = rest.first() {
                self.after_return = *end == b'\r';
                bytes = &rest[1..];
                events.extend(self.end_line());
            }
        }
        Ok(())
    }

    /// The event that lacks only its blank line. Unlike in WHATWG's definition it counts, because servers forget the
    /// line.
    pub fn finish(&mut self) -> Option<SseEvent> {
        self.end_line().or_else(|| self.dispatch())
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line);
        if std::mem::take(&mut self.first_line)
            && let Some(unmarked) = line.strip_prefix('\u{feff}')
        {
            line = unmarked.to_owned().into();
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.is_error |= value == "error",
            "data" | "error" => {
                self.is_error |= field == "error";
                match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.data = Some(value.to_owned()),
                }
            }
            "id" => self.id = Some(value.to_owned()),
            // Comments, retry times and unknown fields.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let (id, is_error) = (self.id.take(), std::mem::take(&mut self.is_error));
        self.data.take().map(|data| SseEvent { id, is_error, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let mut parser = SseParser::new(1000);
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk, &mut events).expect("small events");
        }
        events.extend(parser.finish());
        events
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let data: Vec<_> = parse(&[text.as_bytes()]).into_iter().map(|event| event.data).collect();
        assert_eq!(data, expected, "{text:?}");
    }

    #[test]
    fn parser__all_line_forms__give_the_data() {
        check("data: a\n\ndata:b\n\n", &["a", "b"]);
        check("data: a\r\ndata: b\r\n\r\ndata: c\r\r", &["a\nb", "c"]);
        check(": keep-alive\n\nid: 1\nretry: 5\ndata:  two spaces\n\n", &[" two spaces"]);
        check("\u{feff}data: a\n\n", &["a"]);
        check("data\n\ndata:\n\n", &["", ""]);
        check("other: a\n\n", &[]);
        check("data: the blank line is missing\n", &["the blank line is missing"]);
        check("data: no line end", &["no line end"]);
        check("", &[]);
    }

    #[test]
    fn parser__error_events__are_marked() {
        let event = |is_error| SseEvent { id: None, is_error, data: "{}".to_owned() };
        assert_eq!(
            parse(&[b"event: error\ndata: {}\n\nerror: {}\n\ndata: {}\n\n"]),
            [event(true), event(true), event(false)]
        );
    }

    #[test]
    fn parser__id__applies_to_one_event() {
        let ids: Vec<_> = parse(&[b"id: 7.2\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"]);
        let ids: Vec<_> = ids.into_iter().map(|event| event.id).collect();
        assert_eq!(ids, [Some("7.2".to_owned()), None, Some(String::new())]);
    }

    #[test]
    fn parser__event_above_limit__is_refused() {
        for text in
            ["data: 12345678901234567890", "data: 1234567890\ndata: 1234567890\n", ": 12345678901234567890"]
        {
            assert_eq!(
                SseParser::new(20).push(text.as_bytes(), &mut Vec::new()),
                Err(EventTooLarge),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn parser__any_chunking__gives_same_events(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("data: "), Just("data:"), Just("event: error"), Just(":"), Just("\n"), Just("\r"),
                    Just("\r\n"), Just("\n\n"), Just("é€😀"), Just("{\"a\":1}"), Just("id: 1"), Just("\u{feff}"), Just("error: ")
                ],
                0..30
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10)
        ) {
            let text = pieces.concat();
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(parse(&chunks), parse(&[bytes]));
        }
    }
}
