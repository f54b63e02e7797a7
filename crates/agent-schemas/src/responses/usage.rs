//! Token usage of a response.

use agent_schemas_derive::Record;

use crate::json::{Json, JsonObject};

/// Token usage of a response.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ResponseUsage {
    /// Input tokens.
    #[record(default)]
    pub input_tokens: i64,
    /// Details of the input tokens.
    #[record(default)]
    pub input_tokens_details: InputTokensDetails,
    /// Output tokens.
    #[record(default)]
    pub output_tokens: i64,
    /// Details of the output tokens.
    #[record(default)]
    pub output_tokens_details: OutputTokensDetails,
    /// Input and output tokens.
    #[record(default)]
    pub total_tokens: i64,
}

/// Details of the input tokens.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct InputTokensDetails {
    /// Tokens read from the cache.
    #[record(default)]
    pub cached_tokens: i64,
    /// Tokens written to the cache.
    #[record(default)]
    pub cache_write_tokens: i64,
}

/// Details of the output tokens.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OutputTokensDetails {
    /// Reasoning tokens.
    #[record(default)]
    pub reasoning_tokens: i64,
}

impl ResponseUsage {
    /// Reads an agent's usage, named as in the Responses API or as in chat completions.
    pub fn from_usage(usage: &JsonObject) -> Self {
        let number = |names: [&str; 2]| names.iter().find_map(|name| usage.get(*name)?.as_i64());
        let detail = |objects: [&str; 2], name: &str| {
            objects.iter().find_map(|object| usage.get(*object)?.get(name)?.as_i64()).unwrap_or(0)
        };
        let input = ["input_tokens_details", "prompt_tokens_details"];
        let input_tokens = number(["input_tokens", "prompt_tokens"]).unwrap_or(0);
        let output_tokens = number(["output_tokens", "completion_tokens"]).unwrap_or(0);
        let total = usage.get("total_tokens").and_then(Json::as_i64);
        ResponseUsage {
            input_tokens,
            input_tokens_details: InputTokensDetails {
                cached_tokens: detail(input, "cached_tokens"),
                cache_write_tokens: detail(input, "cache_write_tokens"),
            },
            output_tokens,
            output_tokens_details: OutputTokensDetails {
                reasoning_tokens: detail(
                    ["output_tokens_details", "completion_tokens_details"],
                    "reasoning_tokens",
                ),
            },
            total_tokens: total.unwrap_or_else(|| input_tokens.saturating_add(output_tokens)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn usage__either_naming__is_read() {
        let chat = object! {
            "prompt_tokens" => 7, "completion_tokens" => 5, "total_tokens" => 12,
            "prompt_tokens_details" => object! { "cached_tokens" => 3 },
            "completion_tokens_details" => object! { "reasoning_tokens" => 2 },
        };
        let responses = object! {
            "input_tokens" => 7, "output_tokens" => 5,
            "input_tokens_details" => object! { "cached_tokens" => 3 },
            "output_tokens_details" => object! { "reasoning_tokens" => 2 },
        };
        let usage = ResponseUsage::from_usage(&chat);
        assert_eq!(usage, ResponseUsage::from_usage(&responses));
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (7, 5, 12));
        assert_eq!(
            (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens),
            (3, 2)
        );
    }
}
