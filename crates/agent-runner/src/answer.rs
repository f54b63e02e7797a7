//! Answers to the questions of agents.

use serde::{Deserialize, Serialize};

/// The member of a message's metadata that has the id of the question.
pub(crate) const QUESTION: &str = "question";

/// Texts that approve what a question asks for.
const YES: &[&str] = &[
    "yes",
    "y",
    "yes please",
    "ok",
    "okay",
    "sure",
    "approve",
    "approved",
    "confirm",
    "confirmed",
    "go ahead",
    "do it",
    "是",
    "是的",
    "好",
    "好的",
    "可以",
    "同意",
    "确认",
];

/// The user's answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// Whether the user has approved: with an approval response, or with a text such as "yes".
    pub approved: bool,
    /// The text of the answer, or the reason of the approval response.
    pub text: String,
}

impl Answer {
    /// An answer in words.
    pub(crate) fn from_text(text: String) -> Self {
        let words = text.to_lowercase();
        let words = words.split(|letter: char| letter.is_whitespace() || ".!,。！，".contains(letter));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        Answer { approved: YES.contains(&words.join(" ").as_str()), text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer__in_words__approves_only_if_nothing_else_is_said() {
        for text in ["yes", " Yes. ", "OK!", "Yes, please.", "好的。", "go  ahead"] {
            assert!(Answer::from_text(text.to_owned()).approved, "{text}");
        }
        for text in ["", "no", "yes, but to Bob", "yesterday", "not ok", "approve?"] {
            assert!(!Answer::from_text(text.to_owned()).approved, "{text}");
        }
    }
}
