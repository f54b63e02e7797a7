//! Lists in pages.

use agent_schemas::{Json, JsonObject};

use crate::rpc::RpcError;

/// How many entries a page has.
const PAGE: usize = 100;

/// The page of a list that a request asks for. The cursor is the position of the next page.
pub(crate) fn page(params: &JsonObject, name: &str, all: Vec<Json>) -> Result<JsonObject, RpcError> {
    let from = match params.get("cursor") {
        None => 0,
        Some(cursor) => {
            let from = cursor.as_str().and_then(|cursor| cursor.parse().ok());
            from.filter(|from| *from < all.len()).ok_or_else(unknown_cursor)?
        }
    };
    let next = from.saturating_add(PAGE);
    let is_last = next >= all.len();
    let items: Vec<Json> = all.into_iter().skip(from).take(PAGE).collect();
    let mut result = JsonObject::new();
    result.insert(name.to_owned(), items.into());
    if !is_last {
        result.insert("nextCursor".to_owned(), next.to_string().into());
    }
    Ok(result)
}

pub(crate) fn unknown_cursor() -> RpcError {
    RpcError::invalid_params("cursor is none that this server has returned")
}
