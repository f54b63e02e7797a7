//! Reads JSON that is almost valid, as some model servers write it.

use std::borrow::Cow;

/// The private character that stands for the first surrogate; those for the other surrogates follow it.
const FIRST_HALF: u32 = 0x0010_F000;

/// The surrogates: the high ones, then the low ones.
const SURROGATES: std::ops::Range<u32> = 0xD800..0xE000;

/// The first low one.
const FIRST_LOW: u32 = 0xDC00;

/// Words that JavaScript and Python write for numbers that JSON does not have.
const NO_NUMBERS: [&str; 4] = ["NaN", "-NaN", "-Infinity", "Infinity"];

/// Repairs two faults in a JSON text. `NaN` and infinities become null. Halves of surrogate pairs, which tokenizers
/// produce when they split a character, become private characters, which [`Halves`] joins again.
pub(super) fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(next) = rest.chars().next() {
        let no_number = NO_NUMBERS.into_iter().find(|word| !in_string && rest.starts_with(word));
        let length = if let Some(word) = no_number {
            out.push_str("null");
            word.len()
        } else if in_string && next == '\\' {
            escape(rest, &mut out)
        } else {
            in_string ^= next == '"';
            out.push(next);
            next.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

/// Copies the escape at the beginning of a text, and returns its length.
fn escape(text: &str, out: &mut String) -> usize {
    let length = match surrogate(text) {
        None => 1 + text[1..].chars().next().map_or(0, char::len_utf8),
        Some(high) if high < FIRST_LOW && surrogate(&text[6..]).is_some_and(|low| low >= FIRST_LOW) => 12,
        Some(half) => {
            out.extend(char::from_u32(half - SURROGATES.start + FIRST_HALF));
            return 6;
        }
    };
    out.push_str(&text[..length]);
    length
}

/// The surrogate that a text begins with, as an escape.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|code| SURROGATES.contains(code))
}

/// Joins the halves of characters in a text that arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct Halves(Option<u32>);

impl Halves {
    /// The piece with whole characters. A half at its end waits for the next piece; a half without its counterpart
    /// becomes U+FFFD. Chunks that were not repaired contain no halves.
    pub(super) fn join<'a>(&mut self, piece: &'a str, is_repaired: bool) -> Cow<'a, str> {
        if piece.is_empty() || (self.0.is_none() && !is_repaired) {
            return Cow::Borrowed(piece);
        }
        let mut out = String::with_capacity(piece.len());
        for character in piece.chars() {
            let half = half_of(character).filter(|_| is_repaired);
            match (self.0.take(), half) {
                (Some(high), Some(low)) if low >= FIRST_LOW => {
                    let code = 0x1_0000 + ((high - SURROGATES.start) << 10) + (low - FIRST_LOW);
                    out.extend(char::from_u32(code));
                    continue;
                }
                (Some(_), _) => out.push(char::REPLACEMENT_CHARACTER),
                (None, _) => {}
            }
            match half {
                Some(high) if high < FIRST_LOW => self.0 = Some(high),
                Some(_) => out.push(char::REPLACEMENT_CHARACTER),
                None => out.push(character),
            }
        }
        Cow::Owned(out)
    }

    /// What is left at the end of the text.
    pub(super) fn finish(&mut self) -> Option<char> {
        self.0.take().map(|_| char::REPLACEMENT_CHARACTER)
    }
}

fn half_of(character: char) -> Option<u32> {
    let half = u32::from(character).checked_sub(FIRST_HALF)? + SURROGATES.start;
    SURROGATES.contains(&half).then_some(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(json: &str) -> String {
        serde_json::from_str(&repaired(json)).expect(json)
    }

    #[track_caller]
    fn check(pieces: &[&str], expected: &str) {
        let mut halves = Halves::default();
        let mut joined: String =
            pieces.iter().map(|piece| halves.join(&text_of(piece), true).into_owned()).collect();
        joined.extend(halves.finish());
        assert_eq!(joined, expected, "{pieces:?}");
    }

    #[test]
    fn halves__of_one_character__are_joined() {
        check(&[r#""a \ud83d""#, r#""\ude00 b""#], "a 😀 b");
        check(&[r#""\uD83D\uDE00""#], "😀");
        check(&[r#""\ud83d""#, r#""""#, r#""\ude00""#], "😀");
    }

    #[test]
    fn halves__without_the_other__become_replacement_characters() {
        check(&[r#""a \ud83d""#, r#"" b""#], "a \u{fffd} b");
        check(&[r#""\ude00 b""#], "\u{fffd} b");
        check(&[r#""\ud83d\ud83d\ude00""#], "\u{fffd}😀");
        check(&[r#""a \ud83d""#], "a \u{fffd}");
        check(&[r#""\ud83d\n""#], "\u{fffd}\n");
    }

    #[test]
    fn halves__private_characters_of_the_model__stay() {
        assert_eq!(Halves::default().join("\u{10f123}", false), "\u{10f123}");
    }

    #[test]
    fn repaired__numbers_that_json_lacks__become_null() {
        let json = r#"{"a":NaN,"b":[-Infinity,Infinity,-NaN,-1],"c":"-NaN \" Infinity"}"#;
        assert_eq!(repaired(json), r#"{"a":null,"b":[null,null,null,-1],"c":"-NaN \" Infinity"}"#);
    }

    #[test]
    fn repaired__any_text__does_not_panic() {
        for text in ["\\", "\"\\", "\"\\u", "\"\\ud83d", "\"\\ud83d\\", "\"\\ü\"", "\"\\ud83é\""] {
            repaired(text);
        }
    }
}
