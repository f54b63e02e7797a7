//! The members that all results of 2026-07-28 have.

use agent_schemas::{Json, JsonObject, object};

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The name and the version of this server.
pub(crate) fn server_info() -> JsonObject {
    object! { "name" => "agent-server", "version" => env!("CARGO_PKG_VERSION") }
}

/// A result as 2026-07-28 wants it: with its type, and the server's name.
pub(crate) fn complete(mut result: JsonObject) -> JsonObject {
    if !result.contains_key("resultType") {
        result.insert("resultType".to_owned(), "complete".into());
    }
    let mut meta = match result.shift_remove("_meta") {
        Some(Json::Object(meta)) => meta,
        _ => JsonObject::new(),
    };
    meta.insert(SERVER_INFO.to_owned(), server_info().into());
    result.insert("_meta".to_owned(), meta.into());
    result
}

/// A result that says that the agent has failed, for the model that has called it.
pub(crate) fn failed(text: &str) -> JsonObject {
    let text = if text.is_empty() { "The agent failed" } else { text };
    let content = object! { "type" => "text", "text" => text };
    object! { "content" => vec![Json::from(content)], "isError" => true }
}

/// A complete result with how long clients may keep it (2026-07-28, server/utilities/caching).
pub(crate) fn cacheable(mut result: JsonObject, seconds: i64, is_public: bool) -> JsonObject {
    result.insert("ttlMs".to_owned(), (seconds * 1000).into());
    result.insert("cacheScope".to_owned(), if is_public { "public" } else { "private" }.into());
    complete(result)
}
