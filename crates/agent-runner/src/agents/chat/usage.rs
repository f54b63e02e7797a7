//! The token counts that model servers report.

use agent_schemas::{Json, JsonObject};

/// More tokens than any model reads or writes.
const MAX_COUNT: i64 = 1_000_000_000_000;

/// The end of the names of counts.
const COUNT: &str = "_tokens";

/// The usage for clients of this protocol: with counts that can be true, and with the names that they expect beside
/// those of chat completions.
pub(super) fn readable(mut usage: JsonObject) -> JsonObject {
    retain_counts(&mut usage);
    for (name, theirs) in [("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")] {
        if !usage.contains_key(name)
            && let Some(count) = usage.get(theirs).cloned()
        {
            usage.insert(name.to_owned(), count);
        }
    }
    usage
}

/// Removes what cannot be a count, also in objects with details: clients add counts up, and some pay by them.
fn retain_counts(usage: &mut JsonObject) {
    usage.retain(|key, value| match value {
        Json::Object(details) => {
            retain_counts(details);
            true
        }
        value if key.ends_with(COUNT) && !value.is_null() => match count(value) {
            Some(count) => {
                *value = count.into();
                true
            }
            None => false,
        },
        _ => true,
    });
}

/// A whole number that is not negative. Some servers write `12.0`.
fn count(value: &Json) -> Option<i64> {
    let whole = || {
        let number =
            value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= MAX_COUNT as f64)?;
        // Whole and small enough, so the conversion is exact.
        Some(number as i64)
    };
    value.as_i64().or_else(whole).filter(|count| (0..=MAX_COUNT).contains(count))
}

#[cfg(test)]
mod tests {
    use agent_schemas::json;

    use super::*;

    #[track_caller]
    fn check(usage: &str, expected: &str) {
        let Ok(Json::Object(usage)) = json::parse(usage) else { panic!("{usage} is no object") };
        assert_eq!(Json::from(readable(usage)).to_string(), expected);
    }

    #[test]
    fn usage__openai_names__gain_protocol_names() {
        check(
            r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#,
            r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"input_tokens":1,"output_tokens":2}"#,
        );
        check(r#"{"input_tokens":5,"prompt_tokens":1}"#, r#"{"input_tokens":5,"prompt_tokens":1}"#);
    }

    #[test]
    fn usage__counts_that_cannot_be_true__are_left_out() {
        check(r#"{"prompt_tokens":-1,"total_tokens":12.0}"#, r#"{"total_tokens":12}"#);
        check(r#"{"total_tokens":1e300,"output_tokens":9223372036854775807}"#, "{}");
        check(r#"{"total_tokens":"many","input_tokens":1.5,"x_tokens":[1]}"#, "{}");
        check(
            r#"{"input_tokens_details":{"cached_tokens":-5,"audio_tokens":null},"cost":-0.5}"#,
            r#"{"input_tokens_details":{"audio_tokens":null},"cost":-0.5}"#,
        );
    }
}
