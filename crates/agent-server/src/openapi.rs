//! The OpenAPI 3.1 document of everything that is served.
//!
//! The server's own routes are in the file `openapi/openapi.json`, with placeholders for names; each protocol adds its
//! part. The schemas of the wire types come from [`agent_schemas::export`]. Tests compare the document with the
//! server's responses.

use agent_schemas::{Json, JsonObject, export};

use crate::protocol::OpenApiPart;

/// Every type that a client of the server's own routes writes or reads. The last ones are found in data contents.
const TYPES: [&str; 16] = [
    "AgentRequest",
    "Event",
    "SessionPage",
    "SessionChange",
    "MessagePage",
    "MessageAppend",
    "MessagesAppended",
    "RunInfo",
    "RunPage",
    "FunctionCall",
    "FunctionCallOutput",
    "McpCall",
    "McpCallOutput",
    "McpListTools",
    "McpApprovalRequest",
    "McpApprovalResponse",
];

/// The document, as JSON text, for an application of this name with this endpoint and these protocols.
pub(crate) fn document(
    name: &str,
    endpoint: &str,
    protocols: impl IntoIterator<Item = OpenApiPart>,
) -> String {
    let own = OpenApiPart::parse(include_str!("openapi/openapi.json")).with_types(&TYPES);
    let mut all = protocols.into_iter().fold(own, OpenApiPart::merge);
    if let Some(schemas) =
        member(&mut all.document, "components").and_then(|inside| member(inside, "schemas"))
    {
        let own = schemas.as_object().cloned().unwrap_or_default();
        let mut types: JsonObject = export::components(&all.types, "#/components/schemas/");
        types.extend(own);
        *schemas = Json::from(types);
    }
    let filled = |document: &str, placeholder: &str, value: &str| {
        document.replacen(placeholder, &Json::from(value).to_string(), 1)
    };
    // The name comes last, because it may contain anything, even text that looks like a placeholder.
    let document = filled(&all.document.to_string(), "\"{version}\"", env!("CARGO_PKG_VERSION"));
    let document = filled(&document, "\"{endpoint}\"", endpoint);
    let document = filled(&document, "\"{endpoint}/task\"", &format!("{endpoint}/task"));
    let document = filled(&document, "\"{endpoint}/task/{id}\"", &format!("{endpoint}/task/{{id}}"));
    filled(&document, "\"{name}\"", name)
}

fn member<'a>(json: &'a mut Json, key: &str) -> Option<&'a mut Json> {
    match json {
        Json::Object(members) => members.get_mut(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
