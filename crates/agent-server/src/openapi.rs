//! The OpenAPI 3.1 document of the server's own routes.

use serde_json::{Value, json};

/// The document for an application of this name with this endpoint.
pub(crate) fn document(name: &str, endpoint: &str) -> Value {
    json!({ "openapi": "3.1.0", "info": { "title": name, "version": env!("CARGO_PKG_VERSION") }, "paths": { endpoint: {} } })
}
