//! A question that has ended a run, as requests to the client, and the client's answers as the next run's input.

use agent_runner::{Answer, Question};
use agent_schemas::{Content, Json, JsonObject, McpApprovalResponse, Message, MessageType, Role, object};

use crate::capabilities::Capabilities;
use crate::input::{form_request, is_answer};

/// The key of the only request of a question that has none of its own.
const ANSWER: &str = "answer";

/// A question at the end of a run's output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunQuestion {
    id: String,
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// Answered in words.
    Text,
    /// Answered with yes or no.
    Approval,
    /// Answered with the results of these requests.
    Inputs(JsonObject),
}

impl RunQuestion {
    /// The question that ends this output, if one does.
    pub(crate) fn of(output: &[Message]) -> Option<Self> {
        let (last, before) = output.split_last()?;
        let metadata = last.metadata.as_ref()?;
        let id = metadata.get(Answer::QUESTION)?.as_str()?.to_owned();
        if last.kind == MessageType::McpApprovalRequest {
            let text = before.last().map(Message::full_text).unwrap_or_default();
            return Some(RunQuestion { id, text, kind: Kind::Approval });
        }
        let inputs =
            metadata.get(Question::INPUTS).and_then(Json::as_object).filter(|inputs| !inputs.is_empty());
        let kind = inputs.map_or(Kind::Text, |inputs| Kind::Inputs(inputs.clone()));
        Some(RunQuestion { id, text: last.full_text(), kind })
    }

    /// The text shown to the user.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether plain text can answer it, in another call.
    pub(crate) fn is_in_words(&self) -> bool {
        !matches!(self.kind, Kind::Inputs(_))
    }

    /// The requests that a client answers, by key.
    pub(crate) fn requests(&self) -> JsonObject {
        let properties = match &self.kind {
            Kind::Inputs(inputs) => return inputs.clone(),
            Kind::Text => object! { ANSWER => object! { "type" => "string", "title" => "Answer" } },
            Kind::Approval => object! {
                "approve" => object! { "type" => "boolean", "title" => "Approve" },
                "reason" => object! { "type" => "string", "title" => "Reason" },
            },
        };
        let required = vec![Json::from(if self.kind == Kind::Approval { "approve" } else { ANSWER })];
        object! { ANSWER => form_request(&self.text, properties, required) }
    }

    /// The first capability that a client lacks for the requests.
    pub(crate) fn missing(&self, capabilities: Capabilities) -> Option<&'static str> {
        let requests = self.requests();
        let mut methods =
            requests.values().filter_map(|request| request.as_object()?.get("method")?.as_str());
        methods.find_map(|method| capabilities.missing_for(method))
    }

    /// Whether every request has an answer of the right form.
    pub(crate) fn is_answered(&self, responses: &JsonObject) -> bool {
        self.requests().iter().all(|(key, request)| {
            let method = request.as_object().and_then(|request| request.get("method")?.as_str());
            responses.get(key).is_some_and(|answer| is_answer(method.unwrap_or_default(), answer))
        })
    }

    /// The client's answers as a message for the run that continues.
    pub(crate) fn answer(&self, responses: &JsonObject) -> Message {
        match &self.kind {
            Kind::Inputs(inputs) => {
                let known = responses.iter().filter(|(key, _)| inputs.contains_key(key.as_str()));
                let known = known.map(|(key, value)| (key.clone(), value.clone())).collect();
                self.named(Content::data(known))
            }
            Kind::Text => {
                let text = content(responses).and_then(|content| content.get(ANSWER)?.as_str());
                self.in_words(text.unwrap_or("I do not want to answer."))
            }
            Kind::Approval => {
                let content = content(responses);
                let approve =
                    content.and_then(|content| content.get("approve")?.as_bool()).unwrap_or_default();
                let reason = content.and_then(|content| content.get("reason")?.as_str()).map(str::to_owned);
                self.approval(approve, reason)
            }
        }
    }

    /// The user's words as an answer.
    pub(crate) fn in_words(&self, text: &str) -> Message {
        self.named(Content::text(text))
    }

    fn named(&self, content: Content) -> Message {
        let mut message = Message::new("", MessageType::Message);
        message.role = Some(Role::User);
        message.content = Some(vec![content]);
        message.metadata = Some(object! { Answer::QUESTION => self.id.as_str() });
        message
    }

    fn approval(&self, approve: bool, reason: Option<String>) -> Message {
        let response =
            McpApprovalResponse { approval_request_id: self.id.clone(), approve, id: None, reason };
        let mut message = Message::new("", MessageType::McpApprovalResponse);
        message.role = Some(Role::User);
        message.content = Some(vec![Content::data(response.into_data())]);
        message
    }
}

/// The values of the only form, if it was accepted.
fn content(responses: &JsonObject) -> Option<&JsonObject> {
    let response = responses.get(ANSWER)?.as_object()?;
    let is_accepted = response.get("action").and_then(Json::as_str) == Some("accept");
    response.get("content").filter(|_| is_accepted)?.as_object()
}
