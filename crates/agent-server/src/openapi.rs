//! The OpenAPI 3.1 document of the server's own routes.
//!
//! It is a file, `openapi/openapi.json`, in which only names are filled in: its schemas list fields in the order of
//! the wire, and each as required that is always there. The tests hold it to what the server answers.

use agent_schemas::Json;

const TEMPLATE: &str = include_str!("openapi/openapi.json");

/// The document, as JSON text, for an application of this name with this endpoint.
pub(crate) fn document(name: &str, endpoint: &str) -> String {
    let filled = |document: String, placeholder: &str, value: &str| {
        document.replacen(placeholder, &Json::from(value).to_string(), 1)
    };
    // The name comes last: it may hold anything, even what looks like a placeholder.
    let document = filled(TEMPLATE.to_owned(), "\"{version}\"", env!("CARGO_PKG_VERSION"));
    let document = filled(document, "\"{endpoint}\"", endpoint);
    filled(document, "\"{name}\"", name)
}

#[cfg(test)]
mod tests;
