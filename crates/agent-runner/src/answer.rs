//! Answers to the questions of agents.

use agent_schemas::{Content, Json, JsonObject, McpApprovalResponse, Message, MessageType, Role};
use serde::{Deserialize, Serialize};

use crate::open_json;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// Whether the user has approved: with an approval response, or with a text such as "yes". Of forms, whether all were
    /// accepted.
    pub approved: bool,
    /// The text of the answer, or the reason of the approval response.
    pub text: String,
    /// The results of what the question has asked for, by key; see [`Question::with_input`](crate::Question::with_input).
    #[serde(default, with = "open_json", skip_serializing_if = "JsonObject::is_empty")]
    pub inputs: JsonObject,
}

impl Answer {
    /// The member of a message's metadata with the question's id, in the question and in its answer.
    pub const QUESTION: &'static str = "question";

    /// An answer in words.
    pub(crate) fn from_text(text: String) -> Self {
        let words = text.to_lowercase();
        let words = words.split(|letter: char| letter.is_whitespace() || ".!,。！，".contains(letter));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let approved = YES.contains(&words.join(" ").as_str());
        Answer { approved, text, inputs: JsonObject::new() }
    }

    /// What a model or an agent reads instead of the output of a call that was not approved.
    pub(crate) fn refusal(&self) -> String {
        match self.text.trim() {
            "" => "the user has not approved this call".to_owned(),
            text => format!("the user has not approved this call: {text}"),
        }
    }

    /// The values of a form that the user has accepted.
    pub fn form(&self, key: &str) -> Option<&JsonObject> {
        let result = self.inputs.get(key)?.as_object().filter(|result| is_accepted(result))?;
        result.get("content")?.as_object()
    }

    /// The answer in a message that names its question, and the question's id.
    pub(crate) fn named(message: &Message) -> Option<(String, Self)> {
        if message.kind == MessageType::McpApprovalResponse {
            let response =
                McpApprovalResponse::from_data(message.contents().iter().find_map(Content::as_data)?).ok()?;
            let (approved, text) = (response.approve, response.reason.unwrap_or_default());
            return Some((
                response.approval_request_id,
                Answer { approved, text, inputs: JsonObject::new() },
            ));
        }
        let question = message.metadata.as_ref()?.get(Answer::QUESTION)?.as_str()?;
        if message.role != Some(Role::User) {
            return None;
        }
        let mut answer = Answer::from_text(message.full_text());
        if let Some(inputs) = message.contents().iter().find_map(Content::as_data) {
            answer.approved = inputs.values().all(|result| result.as_object().is_none_or(is_accepted));
            answer.inputs = inputs.clone();
        }
        Some((question.to_owned(), answer))
    }
}

/// Whether the result of a request for input is not a form that the user has declined.
fn is_accepted(result: &JsonObject) -> bool {
    result.get("action").and_then(Json::as_str).is_none_or(|action| action == "accept")
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
