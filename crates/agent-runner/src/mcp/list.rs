//! Lists the tools of a server.

use std::collections::HashSet;

use agent_schemas::Json;
use rmcp::RoleClient;
use rmcp::model::{ClientRequest, ListToolsRequest, PaginatedRequestParams, ServerResult, Tool};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use serde_json::Value;

use super::abandoned::Abandoned;
use super::config::McpServerConfig;
use super::tool::Listing;

/// How many tools of a server are used at most.
const MAX_TOOLS: usize = 512;

/// All tools that the server lists and the settings allow. A cursor that comes again ends the list.
pub(super) async fn list(
    peer: &Peer<RoleClient>,
    config: &McpServerConfig,
) -> Result<Vec<Listing>, ServiceError> {
    let (mut listed, mut cursor, mut cursors) = (Vec::new(), None, HashSet::new());
    loop {
        let (tools, next_cursor) = page(peer, cursor, config).await?;
        listed.extend(tools.into_iter().filter_map(|tool| usable(tool, config)));
        if listed.len() > MAX_TOOLS {
            listed.truncate(MAX_TOOLS);
            tracing::warn!(
                mcp.server = config.name,
                "the server has more than {MAX_TOOLS} tools; the rest is left out"
            );
            return Ok(listed);
        }
        match next_cursor {
            Some(next) if cursors.insert(next.clone()) => cursor = Some(next),
            _ => return Ok(listed),
        }
    }
}

/// One page, and the cursor of the next one. It is asked for although the library may have one that is still fresh, because
/// nobody asks without a reason.
async fn page(
    peer: &Peer<RoleClient>,
    cursor: Option<String>,
    config: &McpServerConfig,
) -> Result<(Vec<Tool>, Option<String>), ServiceError> {
    let params = PaginatedRequestParams::default().with_cursor(cursor);
    let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
    let handle = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await?;
    let abandoned = Abandoned::new(peer, handle.id.clone());
    let answer = handle.await_response().await;
    abandoned.answered();
    match answer? {
        ServerResult::ListToolsResult(page) => Ok((page.tools, page.next_cursor)),
        // One tool that is no tool must not cost the others.
        ServerResult::CustomResult(page) => {
            read_one_by_one(page.0, config).ok_or(ServiceError::UnexpectedResponse)
        }
        _ => Err(ServiceError::UnexpectedResponse),
    }
}

/// The tools of a page that has others, which are left out.
fn read_one_by_one(mut page: Value, config: &McpServerConfig) -> Option<(Vec<Tool>, Option<String>)> {
    let next_cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
    let Value::Array(tools) = page.get_mut("tools")?.take() else { return None };
    let read = |tool: Value| {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tool = serde_json::from_value(tool);
        tool.inspect_err(|error| {
            tracing::warn!(mcp.server = config.name, tool.name = name, "a tool was left out: {error}");
        })
        .ok()
    };
    Some((tools.into_iter().filter_map(read).collect(), next_cursor))
}

/// The tool, if the settings allow it and models can take its schema.
fn usable(tool: Tool, config: &McpServerConfig) -> Option<Listing> {
    let name = &*tool.name;
    if config.allowed_tools.as_ref().is_some_and(|allowed| allowed.iter().all(|allowed| allowed != name)) {
        return None;
    }
    let Some(parameters) = parameters(&tool) else {
        tracing::warn!(
            mcp.server = config.name,
            tool.name = name,
            "a tool was left out: models take only parameters whose schema is an object"
        );
        return None;
    };
    let description = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    Some(Listing { name: name.into(), description: description.to_owned(), parameters })
}

/// The schema of the parameters. Models refuse a request with a schema whose top is no plain object.
fn parameters(tool: &Tool) -> Option<Json> {
    let Ok(Json::Object(mut schema)) = Json::from_serialize(&*tool.input_schema) else { return None };
    let is_odd =
        ["oneOf", "anyOf", "allOf", "not", "enum", "$ref"].iter().any(|key| schema.contains_key(*key));
    let is_object = schema.get("type").is_none_or(|kind| kind.as_str() == Some("object"));
    if is_odd || !is_object {
        return None;
    }
    schema.insert("type".to_owned(), "object".into());
    schema.entry("properties".to_owned()).or_insert_with(|| agent_schemas::object! {}.into());
    Some(schema.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn tool(schema: &str) -> Tool {
        let schema = serde_json::from_str(schema).expect(schema);
        Tool::new("t", "Does.", Arc::new(schema))
    }

    #[test]
    fn parameters__that_models_refuse__leave_the_tool_out() {
        let shown = |schema: &str| parameters(&tool(schema)).map(|schema| schema.to_string());
        assert_eq!(shown("{}").as_deref(), Some(r#"{"type":"object","properties":{}}"#));
        let whole = r#"{"properties":{"a":{"oneOf":[{},{}]}},"required":["a"],"type":"object"}"#;
        assert_eq!(shown(whole).as_deref(), Some(whole));
        for odd in [r#"{"type":"string"}"#, r#"{"type":"object","oneOf":[{}]}"#, r##"{"$ref":"#/x"}"##] {
            assert_eq!(shown(odd), None, "{odd}");
        }
    }

    #[test]
    fn tools__that_are_not_allowed__are_left_out() {
        let mut config = McpServerConfig::http("a", "http://x");
        assert!(usable(tool("{}"), &config).is_some());
        config.allowed_tools = Some(vec!["other".to_owned()]);
        assert!(usable(tool("{}"), &config).is_none());
    }
}
