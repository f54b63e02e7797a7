//! How a protocol describes itself.

use agent_schemas::{Json, json};

/// An endpoint that `GET /` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The name by which clients find it, such as `responses`.
    pub name: &'static str,
    /// Its path, such as `/v1/responses`.
    pub path: String,
}

impl Endpoint {
    /// An endpoint.
    pub fn new(name: &'static str, path: impl Into<String>) -> Self {
        Endpoint { name, path: path.into() }
    }
}

/// A protocol's part of the server's OpenAPI 3.1 document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenApiPart {
    /// An object with `paths` and `components`, as in an OpenAPI document. It may refer to components of the server's
    /// own part, such as the header `RequestId`.
    pub document: Json,
    /// The types of [`agent_schemas::export`] that the document refers to, as `#/components/schemas/NAME`.
    pub types: Vec<&'static str>,
}

impl OpenApiPart {
    /// Parses a part from a JSON document, such as a compiled-in file. Invalid JSON results in an empty part;
    /// a test of the protocol should check that its routes are described.
    pub fn parse(text: &str) -> Self {
        OpenApiPart { document: json::parse(text).unwrap_or_default(), types: Vec::new() }
    }

    /// Adds types of [`agent_schemas::export`] that the document refers to.
    #[must_use]
    pub fn with_types(mut self, types: &[&'static str]) -> Self {
        self.types.extend(types);
        self
    }

    /// Adds another part.
    #[must_use]
    pub fn merge(mut self, other: OpenApiPart) -> Self {
        merge(&mut self.document, other.document);
        self.types.extend(other.types);
        self
    }
}

/// Adds the members of another object, and merges objects that both have.
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
