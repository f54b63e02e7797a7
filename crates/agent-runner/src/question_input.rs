//! What a question asks the client for, beside its text.

use agent_schemas::{Json, JsonObject, object};

/// Something that a question asks the client for: a form that the user fills in, or something that the client's own
/// program knows. It has the form of a request of MCP, whose clients answer it as such. Other clients find it in the
/// metadata of the question's message, and answer it with a message whose metadata names the question.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuestionInput {
    /// The method, such as `elicitation/create`.
    pub method: String,
    /// Its parameters.
    pub params: JsonObject,
}

impl QuestionInput {
    /// A form that the user fills in: a JSON Schema of an object with flat properties, as MCP restricts it
    /// (2026-07-28, client/elicitation). The answer has `action` (`accept`, `decline` or `cancel`), and `content` with the
    /// values if it was accepted.
    pub fn form(message: impl Into<String>, schema: JsonObject) -> Self {
        let message = message.into();
        let params = object! { "mode" => "form", "message" => message, "requestedSchema" => schema };
        QuestionInput::of_client("elicitation/create", params)
    }

    /// A request that the client's own program answers, such as MCP's `sampling/createMessage` or `roots/list`. The answer
    /// is the request's result.
    pub fn of_client(method: impl Into<String>, params: JsonObject) -> Self {
        QuestionInput { method: method.into(), params }
    }

    /// As the metadata of a question's message show it.
    pub(crate) fn into_json(self) -> Json {
        object! { "method" => self.method, "params" => self.params }.into()
    }
}
