//! Why a model stopped, by the names that servers use.

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It was done, or called tools.
    Whole,
    /// A token limit cut the answer off.
    Length,
    /// A filter cut the answer off.
    Filtered,
    /// The server failed.
    Failed,
}

/// Words in the names of each reason, in lower case. The first match counts: servers also write `model_length`,
/// `MAX_TOKENS`, `function_call_filter: MALFORMED_FUNCTION_CALL`, …
const REASONS: [(&str, Finish); 33] = [
    ("malformed", Finish::Failed),
    ("unexpected_tool_call", Finish::Failed),
    ("too_many_tool_calls", Finish::Failed),
    ("missing_thought_signature", Finish::Failed),
    ("error", Finish::Failed),
    ("abort", Finish::Failed),
    ("cancel", Finish::Failed),
    ("fail", Finish::Failed),
    ("insufficient_system_resource", Finish::Failed),
    ("overload", Finish::Failed),
    ("unavailable", Finish::Failed),
    ("timeout", Finish::Failed),
    ("time_limit", Finish::Failed),
    ("interrupt", Finish::Failed),
    ("length", Finish::Length),
    ("max_tokens", Finish::Length),
    ("max_output_tokens", Finish::Length),
    ("max_completion_tokens", Finish::Length),
    ("max_new_tokens", Finish::Length),
    ("truncated", Finish::Length),
    ("token_limit", Finish::Length),
    ("context_window", Finish::Length),
    ("repetition", Finish::Length),
    ("filter", Finish::Filtered),
    ("safety", Finish::Filtered),
    ("recitation", Finish::Filtered),
    ("blocklist", Finish::Filtered),
    ("blocked", Finish::Filtered),
    ("prohibited", Finish::Filtered),
    ("spii", Finish::Filtered),
    ("sensitive", Finish::Filtered),
    ("guardrail", Finish::Filtered),
    ("refusal", Finish::Filtered),
];

/// Whether a `finish_reason` says that the model has called a tool.
pub(super) fn is_for_call(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    Finish::of(&reason) == Finish::Whole && ["tool", "function"].iter().any(|word| reason.contains(word))
}

impl Finish {
    /// The meaning of a `finish_reason`. An unknown one counts as the end of a complete answer.
    pub(super) fn of(reason: &str) -> Self {
        let reason = reason.to_lowercase().replace(['-', ' '], "_");
        if reason == "other" {
            // Gemini's word for a failure without a name.
            return Finish::Failed;
        }
        let known = REASONS.into_iter().find(|(word, _)| reason.contains(word));
        known.map_or(Finish::Whole, |(_, finish)| finish)
    }

    /// The `finish_reason` that tells the client why the answer is incomplete; `None` if it is not.
    pub(super) fn shortened_by(self) -> Option<&'static str> {
        match self {
            Finish::Length => Some("length"),
            Finish::Filtered => Some("content_filter"),
            Finish::Whole | Finish::Failed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_reason__of_any_server__has_its_meaning() {
        for (finish, reasons) in [
            (
                Finish::Whole,
                &["stop", "tool_calls", "function_call", "end_turn", "STOP", "eos", "tool_use"][..],
            ),
            (
                Finish::Length,
                &["length", "model_length", "max_tokens", "MAX_TOKENS", "model_context_window_exceeded"],
            ),
            (
                Finish::Filtered,
                &["content_filter", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "sensitive", "refusal"],
            ),
            (
                Finish::Failed,
                &[
                    "error",
                    "abort",
                    "insufficient_system_resource",
                    "network_error",
                    "OTHER",
                    "MALFORMED_FUNCTION_CALL",
                    "function_call_filter: MALFORMED_FUNCTION_CALL",
                ],
            ),
        ] {
            for reason in reasons {
                assert_eq!(Finish::of(reason), finish, "{reason}");
            }
        }
    }
}
