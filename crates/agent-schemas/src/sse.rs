//! The only encoding of a run's log: Server-Sent Events frames.
//!
//! A frame consists of `id: N`, a `data:` line with the event's JSON, and an empty line. Stores keep these bytes and
//! servers send them unchanged, so an event is serialized once. The JSON contains no line breaks, and the three
//! characters that some clients treat as one (U+0085, U+2028, U+2029) are escaped.
//!
//! Source: WHATWG HTML, section 9.2 "Server-sent events".

use std::io;

use memchr::memmem;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Writes a value as compact JSON that is safe on an SSE line.
///
/// # Errors
/// If the value's own serialization fails.
pub fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, LineSafe))
}

/// Writes the inside of a JSON string, without the quotes, safe on an SSE line.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    // Writing a string into memory cannot fail; if it did, the text would be empty.
    if write_json(out, text).is_ok() {
        out.pop();
        out.remove(start);
    }
}

/// Starts the frame of event `number`; the event's JSON follows, then [`end_frame`].
pub fn start_frame(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(b"id: ");
    write_number(out, number);
    out.extend_from_slice(b"\ndata: ");
}

/// Starts the frame of an event that was written after a run was taken over: the event's number, a dot and the epoch,
/// so that a reader's position tells which of two histories it has read. The first epoch is 1 and is not written.
pub fn start_frame_of_epoch(out: &mut Vec<u8>, number: u64, epoch: u64) {
    out.extend_from_slice(b"id: ");
    write_number(out, number);
    if epoch > 1 {
        out.push(b'.');
        write_number(out, epoch);
    }
    out.extend_from_slice(b"\ndata: ");
}

/// A position as in a frame's id: the event's number and the epoch.
pub fn parse_id(id: &str) -> Option<(u64, u64)> {
    let digits = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse::<u64>().ok()).flatten()
    };
    match id.split_once('.') {
        None => Some((digits(id)?, 1)),
        Some((number, epoch)) => Some((digits(number)?, digits(epoch).filter(|epoch| *epoch > 1)?)),
    }
}

/// Ends a frame.
pub fn end_frame(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}

/// Writes a number in decimal digits.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The JSON of each frame in a section of a log that starts and ends between frames.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let end = memchr::memchr(b'\n', rest)?;
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if let Some(json) = line.strip_prefix(b"data: ") {
                // An empty line ends a frame.
                return rest.starts_with(b"\n").then_some(json);
            }
        }
    })
}

/// The same with each frame's id.
pub fn frames_with_ids(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memmem::find(rest, b"\n\n")?;
        let frame = &rest[..end];
        rest = &rest[end + 2..];
        let json = memmem::find(frame, b"\ndata: ")?;
        Some((frame[..json].strip_prefix(b"id: ").unwrap_or_default(), &frame[json + 7..]))
    })
}

/// Where the first `count` frames end.
pub fn skip_frames(bytes: &[u8], count: usize) -> usize {
    memmem::find_iter(bytes, b"\n\n").take(count).last().map_or(0, |end| end + 2)
}

/// Compact JSON with Unicode line separators escaped.
struct LineSafe;

impl Formatter for LineSafe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        // The first bytes of U+0085 (C2) and of U+2028 and U+2029 (E2) are rare, so most text is copied unchanged.
        if memchr::memchr2(0xC2, 0xE2, bytes).is_none() {
            return writer.write_all(bytes);
        }
        let mut start = 0;
        for (at, separator) in fragment.match_indices(['\u{85}', '\u{2028}', '\u{2029}']) {
            writer.write_all(&bytes[start..at])?;
            let escape: &[u8] = match separator {
                "\u{85}" => b"\\u0085",
                "\u{2028}" => b"\\u2028",
                _ => b"\\u2029",
            };
            writer.write_all(escape)?;
            start = at + separator.len();
        }
        writer.write_all(&bytes[start..])
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        CompactFormatter.write_raw_fragment(writer, fragment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(text: &str) -> String {
        let mut out = Vec::new();
        write_json(&mut out, text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json__line_separators__are_the_only_escapes_added() {
        assert_eq!(
            json_of("a\u{2028}b\u{2029}c\u{85}d\u{80}é你\u{7f}/\"\n"),
            "\"a\\u2028b\\u2029c\\u0085d\u{80}é你\u{7f}/\\\"\\n\""
        );
    }

    #[test]
    fn write_escaped__text__is_a_string_body() {
        let mut out = b"x".to_vec();
        write_escaped(&mut out, "say \"hi\"\n");
        assert_eq!(out, br#"xsay \"hi\"\n"#);
    }

    #[test]
    fn frames__written__are_found_again() {
        let mut log = Vec::new();
        for number in [0, 9, 10, u64::MAX] {
            start_frame(&mut log, number);
            write_json(&mut log, &number).unwrap();
            end_frame(&mut log);
        }
        let found: Vec<_> = frames(&log).map(|json| String::from_utf8_lossy(json).into_owned()).collect();
        assert_eq!(found, ["0", "9", "10", "18446744073709551615"]);
        assert_eq!(&log[skip_frames(&log, 0)..][..6], b"id: 0\n");
        assert_eq!(&log[skip_frames(&log, 2)..][..7], b"id: 10\n");
        assert_eq!(skip_frames(&log, 4), log.len());
    }
}
