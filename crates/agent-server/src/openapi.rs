//! The OpenAPI 3.1 document of the server's own routes.
//!
//! The routes are files: `openapi/openapi.json`, in which names are filled in, and one for each other protocol. The schemas of
//! the wire types are those that [`agent_schemas::export`] has. The tests hold the document to what the server answers.

use std::sync::LazyLock;

use agent_schemas::json::{self, Json};
use agent_schemas::{JsonObject, export};

/// Every type that a client of the routes writes or reads. The last ones ride in data contents.
const TYPES: [&str; 22] = [
    "AgentRequest",
    "Event",
    "SessionPage",
    "SessionChange",
    "MessagePage",
    "MessageAppend",
    "MessagesAppended",
    "RunInfo",
    "RunPage",
    "OpenAIResponse",
    "ResponseItem",
    "FunctionCall",
    "FunctionCallOutput",
    "McpCall",
    "McpCallOutput",
    "McpListTools",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "ChatCompletionRequest",
    "ChatCompletionToolCallInput",
    "ChoiceDeltaToolCallInput",
    "CompletionUsageInput",
];

/// The paths and components of other protocols.
const PROTOCOLS: [&str; 2] =
    [include_str!("openapi/openai.json"), include_str!("openapi/chat_completions.json")];

/// The document with its placeholders. It is made when it is first asked for.
static TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let mut document = json::parse(include_str!("openapi/openapi.json")).unwrap_or_default();
    for protocol in PROTOCOLS {
        merge(&mut document, json::parse(protocol).unwrap_or_default());
    }
    if let Some(schemas) = member(&mut document, "components").and_then(|inside| member(inside, "schemas")) {
        let own = schemas.as_object().cloned().unwrap_or_default();
        let mut all: JsonObject = export::components(&TYPES, "#/components/schemas/");
        all.extend(own);
        *schemas = Json::from(all);
    }
    document.to_string()
});

/// Adds the members of another object, and those of objects that both have.
fn merge(json: &mut Json, other: Json) {
    match (json, other) {
        (Json::Object(members), Json::Object(others)) => {
            for (key, value) in others {
                merge(members.entry(key).or_default(), value);
            }
        }
        (json, other) => *json = other,
    }
}

fn member<'a>(json: &'a mut Json, key: &str) -> Option<&'a mut Json> {
    match json {
        Json::Object(members) => members.get_mut(key),
        _ => None,
    }
}

/// The document, as JSON text, for an application of this name with this endpoint.
pub(crate) fn document(name: &str, endpoint: &str) -> String {
    let filled = |document: &str, placeholder: &str, value: &str| {
        document.replacen(placeholder, &Json::from(value).to_string(), 1)
    };
    // The name comes last: it may hold anything, even what looks like a placeholder.
    let document = filled(&TEMPLATE, "\"{version}\"", env!("CARGO_PKG_VERSION"));
    let document = filled(&document, "\"{endpoint}\"", endpoint);
    let document = filled(&document, "\"{endpoint}/task\"", &format!("{endpoint}/task"));
    let document = filled(&document, "\"{endpoint}/task/{id}\"", &format!("{endpoint}/task/{{id}}"));
    filled(&document, "\"{name}\"", name)
}

#[cfg(test)]
mod tests;
