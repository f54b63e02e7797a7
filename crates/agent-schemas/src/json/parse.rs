//! A strict parser of JSON text (RFC 8259) into [`Json`], with a limit on nesting.

use thiserror::Error;

use super::{Json, JsonObject, Number};

/// The default nesting limit of [`parse`]: deep enough for any honest document, shallow enough for any stack.
pub const DEFAULT_DEPTH: usize = 128;

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at character {offset}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The position, in characters from the start.
    pub offset: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The text ended too early, or a value was expected.
    #[error("expected a value")]
    ExpectedValue,
    /// An object member did not start with a string.
    #[error("expected a property name in double quotes")]
    ExpectedName,
    /// A property name was not followed by a colon.
    #[error("expected ':'")]
    ExpectedColon,
    /// A member or item was not followed by a comma or the end.
    #[error("expected ',' or the closing bracket")]
    ExpectedComma,
    /// A string was not terminated.
    #[error("unterminated string")]
    UnterminatedString,
    /// A string contains an unescaped control character.
    #[error("unescaped control character in a string")]
    ControlCharacter,
    /// An unknown escape, or half of a surrogate pair.
    #[error("invalid escape in a string")]
    InvalidEscape,
    /// Digits that are not a JSON number.
    #[error("invalid number")]
    InvalidNumber,
    /// Something followed the value.
    #[error("unexpected text after the value")]
    TrailingText,
    /// Arrays and objects were nested deeper than the limit.
    #[error("nested too deeply")]
    TooDeep,
}

/// Parses one JSON text that nests at most [`DEFAULT_DEPTH`] deep.
///
/// # Errors
/// [`ParseError`] for the first error.
pub fn parse(text: &str) -> Result<Json, ParseError> {
    parse_with_depth(text, DEFAULT_DEPTH)
}

/// Parses one JSON text; `depth` is the maximum nesting of arrays and objects.
///
/// # Errors
/// [`ParseError`] for the first error.
pub fn parse_with_depth(text: &str, depth: usize) -> Result<Json, ParseError> {
    let mut parser = Parser { bytes: text.as_bytes(), text, at: 0 };
    let result = parser.document(depth);
    result
        .map_err(|kind| ParseError { kind, offset: text[..floor_boundary(text, parser.at)].chars().count() })
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, ParseErrorKind>;

impl Parser<'_> {
    fn document(&mut self, depth: usize) -> Parsed<Json> {
        let value = self.value(depth)?;
        self.skip_space();
        if self.at < self.bytes.len() { Err(ParseErrorKind::TrailingText) } else { Ok(value) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Json> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(ParseErrorKind::TooDeep)?),
            Some(b'[') => self.array(depth.checked_sub(1).ok_or(ParseErrorKind::TooDeep)?),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            Some(b'n') => self.literal("null", Json::Null),
            _ => Err(ParseErrorKind::ExpectedValue),
        }
    }

    fn literal(&mut self, word: &str, value: Json) -> Parsed<Json> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(ParseErrorKind::ExpectedValue);
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Parsed<Json> {
        let mut members = JsonObject::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(ParseErrorKind::ExpectedName);
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(ParseErrorKind::ExpectedColon);
            }
            self.at += 1;
            let value = self.value(depth)?;
            members.insert(key, value);
            if self.end_of_list(b'}')? {
                return Ok(Json::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<Json> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.end_of_list(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    fn end_of_list(&mut self, close: u8) -> Parsed<bool> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(ParseErrorKind::ExpectedComma),
        }
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        let mut start = self.at;
        loop {
            match self.peek() {
                None => return Err(ParseErrorKind::UnterminatedString),
                Some(b'"') => {
                    out.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[start..self.at]);
                    out.push(self.escape()?);
                    start = self.at;
                }
                Some(0..0x20) => return Err(ParseErrorKind::ControlCharacter),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let letter = self.bytes.get(self.at + 1).copied().ok_or(ParseErrorKind::UnterminatedString)?;
        self.at += 2;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(ParseErrorKind::InvalidEscape),
        })
    }

    fn unicode_escape(&mut self) -> Parsed<char> {
        let first = self.hex4()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or(ParseErrorKind::InvalidEscape);
        }
        if first >= 0xDC00 || !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(ParseErrorKind::InvalidEscape);
        }
        self.at += 2;
        let second = self.hex4()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(ParseErrorKind::InvalidEscape);
        }
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        char::from_u32(code).ok_or(ParseErrorKind::InvalidEscape)
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(ParseErrorKind::InvalidEscape)?;
        let mut code = 0;
        for &digit in digits {
            let value = char::from(digit).to_digit(16).ok_or(ParseErrorKind::InvalidEscape)?;
            code = code * 16 + value;
        }
        self.at += 4;
        Ok(code)
    }

    fn number(&mut self) -> Parsed<Json> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let integer = self.digits()?;
        if integer > 1 && self.bytes[self.at - integer] == b'0' {
            return Err(ParseErrorKind::InvalidNumber);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(Number::from_valid_text(&self.text[start..self.at])))
    }

    /// Skips at least one digit and returns how many there were.
    fn digits(&mut self) -> Parsed<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(ParseErrorKind::InvalidNumber) } else { Ok(self.at - start) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_error(text: &str, kind: ParseErrorKind, offset: usize) {
        assert_eq!(parse(text), Err(ParseError { kind, offset }), "{text}");
    }

    #[test]
    fn parse__invalid_text__gives_kind_and_offset() {
        check_error("", ParseErrorKind::ExpectedValue, 0);
        check_error(r#"{"input": ["#, ParseErrorKind::ExpectedValue, 11);
        check_error("{bad", ParseErrorKind::ExpectedName, 1);
        check_error(r#"{"ä" 1}"#, ParseErrorKind::ExpectedColon, 5);
        check_error("[1 2]", ParseErrorKind::ExpectedComma, 3);
        check_error("[1,]", ParseErrorKind::ExpectedValue, 3);
        check_error("01", ParseErrorKind::InvalidNumber, 2);
        check_error("1 1", ParseErrorKind::TrailingText, 2);
        check_error("NaN", ParseErrorKind::ExpectedValue, 0);
        check_error("\"a\nb\"", ParseErrorKind::ControlCharacter, 2);
        check_error(r#""\ud800""#, ParseErrorKind::InvalidEscape, 7);
    }

    #[test]
    fn parse__above_depth_limit__is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_with_depth(&nested(5), 5).is_ok());
        assert_eq!(parse_with_depth(&nested(6), 5).map_err(|e| e.kind), Err(ParseErrorKind::TooDeep));
    }

    #[test]
    fn parse__order_and_digits__are_kept() {
        let text = r#"{"z":123456789012345678901234567890,"a":1.50,"m":1e400,"b":-0.0}"#;
        assert_eq!(parse(text).unwrap().to_string(), text);
    }

    proptest! {
        #[test]
        fn parse__any_text__agrees_with_serde_json(text in r#"[\[\]{}:,"\\u0-9eE+\-. a-cnul\n]{0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            // serde_json rejects numbers that no float can hold; we keep their digits.
            let too_large = theirs.as_ref().is_err_and(|e| e.to_string().starts_with("number out of range"));
            if !too_large {
                prop_assert_eq!(parse(&text).is_ok(), theirs.is_ok(), "{}", text);
            }
        }

        #[test]
        fn string__any__round_trips(text: String) {
            let json = Json::String(text);
            prop_assert_eq!(parse(&json.to_string()).unwrap(), json);
        }
    }
}
