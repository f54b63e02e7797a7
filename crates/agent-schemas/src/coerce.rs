//! Lenient numbers and booleans: values written as other JSON types, as upstream's clients may send them.
//!
//! `"2"`, `2.0` and `true` are accepted as integers, `"0.5"` as a float, `"yes"` and `1` as booleans. Strings are never
//! made from other types. Digits grouped with `_` and non-finite numbers are rejected.

use crate::decode::{Decoded, FromJson, ValidationError};
use crate::json::Json;

impl FromJson for i64 {
    fn from_json(json: Json) -> Decoded<Self> {
        let value = match &json {
            Json::Bool(value) => Ok(i64::from(*value)),
            Json::Number(number) => integer_from_text(number.as_str()),
            Json::String(text) => integer_from_text(text.trim()),
            _ => return Err(ValidationError::new("int_type", "expected an integer", json)),
        };
        value.map_err(|kind| {
            let message = match kind {
                "int_from_float" => "expected an integer, but this number has a fraction",
                "int_parsing_size" => "this integer is too large",
                _ => "expected an integer, but this string is not one",
            };
            ValidationError::new(kind, message, json)
        })
    }
}

/// Rejects integers that need a conversion: strings, booleans and numbers with a decimal point.
pub(crate) fn strict_integer(json: &Json) -> Decoded<()> {
    match json {
        Json::Null => Ok(()),
        Json::Number(number) if number.is_integer() => Ok(()),
        other => Err(ValidationError::new("int_type", "expected a JSON integer", other.clone())),
    }
}

/// Rejects numbers that need a conversion: OpenAI's clients write them as JSON numbers.
pub(crate) fn strict_number(json: &Json) -> Decoded<()> {
    match json {
        Json::Null | Json::Number(_) => Ok(()),
        other => Err(ValidationError::new("float_type", "expected a number", other.clone())),
    }
}

/// Rejects booleans that need a conversion.
pub(crate) fn strict_flag(json: &Json) -> Decoded<()> {
    match json {
        Json::Null | Json::Bool(_) => Ok(()),
        other => Err(ValidationError::new("bool_type", "expected true or false", other.clone())),
    }
}

fn integer_from_text(text: &str) -> Result<i64, &'static str> {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(value);
    }
    let value: f64 = finite(text).ok_or("int_parsing")?;
    if value.fract() != 0.0 {
        return Err("int_from_float");
    }
    // Floats are exact only up to 2^53; a larger integer would change silently.
    if value.abs() > 9_007_199_254_740_992.0 {
        return Err("int_parsing_size");
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small enough")]
    Ok(value as i64)
}

/// Parses a float in JSON's or Python's plain notation. Words such as `inf` and `nan` are rejected.
fn finite(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|value| plain && value.is_finite())
}

impl FromJson for f64 {
    fn from_json(json: Json) -> Decoded<Self> {
        let value = match &json {
            Json::Bool(value) => Some(f64::from(u8::from(*value))),
            Json::Number(number) => finite(number.as_str()),
            Json::String(text) => finite(text.trim()),
            _ => return Err(ValidationError::new("float_type", "expected a number", json)),
        };
        value.ok_or_else(|| ValidationError::new("float_parsing", "expected a finite number", json))
    }
}

impl FromJson for bool {
    fn from_json(json: Json) -> Decoded<Self> {
        let value = match &json {
            Json::Bool(value) => Some(*value),
            Json::Number(number) => match number.as_f64() {
                Some(0.0) => Some(false),
                Some(1.0) => Some(true),
                _ => None,
            },
            Json::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "t" | "y" | "1" => Some(true),
                "false" | "no" | "off" | "f" | "n" | "0" => Some(false),
                _ => None,
            },
            _ => return Err(ValidationError::new("bool_type", "expected true or false", json)),
        };
        value.ok_or_else(|| ValidationError::new("bool_parsing", "expected true or false", json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn read<T: FromJson>(text: &str) -> Result<T, &'static str> {
        T::from_json(parse(text).unwrap()).map_err(|fault| fault.kind)
    }

    #[test]
    fn integer__each_form__is_coerced_or_refused() {
        for (text, value) in [
            ("2", 2),
            ("2.0", 2),
            (r#""2""#, 2),
            (r#"" 1 ""#, 1),
            (r#""1.0""#, 1),
            (r#""+1""#, 1),
            ("true", 1),
        ] {
            assert_eq!(read::<i64>(text), Ok(value), "{text}");
        }
        for (text, kind) in [
            ("1.5", "int_from_float"),
            (r#""1.5""#, "int_from_float"),
            (r#""""#, "int_parsing"),
            (r#""1_000""#, "int_parsing"),
            ("1e300", "int_parsing_size"),
            ("99999999999999999999", "int_parsing_size"),
            ("[]", "int_type"),
            ("null", "int_type"),
        ] {
            assert_eq!(read::<i64>(text), Err(kind), "{text}");
        }
    }

    #[test]
    fn float__each_form__is_coerced_or_refused() {
        for (text, value) in [("1", 1.0), (r#""1e3""#, 1000.0), ("true", 1.0), (r#"" 0.5 ""#, 0.5)] {
            assert_eq!(read::<f64>(text), Ok(value), "{text}");
        }
        for text in [r#""nan""#, r#""inf""#, r#""hot""#, "1e999"] {
            assert_eq!(read::<f64>(text), Err("float_parsing"), "{text}");
        }
    }

    #[test]
    fn boolean__each_form__is_coerced_or_refused() {
        for text in ["true", "1", "1.0", r#""YES""#, r#""on""#, r#""t""#] {
            assert_eq!(read::<bool>(text), Ok(true), "{text}");
        }
        for text in ["false", "0", r#""No""#, r#""off""#, r#""n""#] {
            assert_eq!(read::<bool>(text), Ok(false), "{text}");
        }
        for (text, kind) in [("2", "bool_parsing"), (r#""""#, "bool_parsing"), ("null", "bool_type")] {
            assert_eq!(read::<bool>(text), Err(kind), "{text}");
        }
    }
}
