//! Calls a tool of a server.

use std::time::Duration;

use agent_schemas::JsonObject;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, InputRequest, InputRequests,
    InputResponses, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use tokio::time::timeout;

use super::abandoned::Abandoned;
use super::auth::problem;
use super::client::Client;
use super::config::McpServerConfig;
use super::oversized;
use crate::error_chain::chain;
use crate::tools::{ToolContext, ToolError};

/// How often a server may ask for further input before it answers.
const MAX_ROUNDS: usize = 8;

/// Calls a tool. A server that asks for the user's input gets the answer that there is none; nothing else can be asked. If
/// the future is dropped, or takes too long, the server is told that nobody waits any more.
pub(super) async fn call(
    peer: &Peer<RoleClient>,
    client: &Client,
    config: &McpServerConfig,
    ctx: &ToolContext,
    name: &str,
    arguments: JsonObject,
    total: Duration,
) -> Result<CallToolResult, ToolError> {
    let mut params = CallToolRequestParams::new(name.to_owned());
    params.arguments = Some(serde_json::from_str(&agent_schemas::Json::from(arguments).to_string())?);
    let rounds = async {
        for _ in 0..MAX_ROUNDS {
            match once(peer, client, config, ctx, params.clone()).await? {
                ServerResult::CallToolResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(asked) => {
                    params.input_responses = asked.input_requests.map(declined).transpose()?;
                    params.request_state = asked.request_state;
                }
                ServerResult::CreateTaskResult(_) => {
                    return Err(ToolError::new(
                        "the tool works in the background, which this server does not support",
                    ));
                }
                _ => return Err(ToolError::new("the tool's server gave no result of a tool")),
            }
        }
        Err(ToolError::new("the tool asks for further input again and again"))
    };
    timeout(total, rounds).await.unwrap_or_else(|_| {
        let seconds = total.as_secs();
        Err(ToolError::new(format!("the tool has not answered within {seconds} seconds")))
    })
}

/// Sends one request, and waits for its answer as long as there are signs of life.
async fn once(
    peer: &Peer<RoleClient>,
    client: &Client,
    config: &McpServerConfig,
    ctx: &ToolContext,
    params: CallToolRequestParams,
) -> Result<ServerResult, ToolError> {
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let handle = sent.map_err(|error| failure(client, config, &error))?;
    let followed = client.follow(handle.progress_token.clone(), ctx);
    let abandoned = Abandoned::new(peer, handle.id.clone());
    let idle = config.idle_timeout;
    let silence = async { while timeout(idle, followed.moved()).await.is_ok() {} };
    let answer = tokio::select! {
        answer = handle.await_response() => answer,
        () = silence => return Err(ToolError::new(format!(
            "the tool has not answered, nor reported progress, for {} seconds",
            idle.as_secs()
        ))),
    };
    abandoned.answered();
    answer.map_err(|error| failure(client, config, &error))
}

/// The answers to what a server asks for: the user declines.
fn declined(asked: InputRequests) -> Result<InputResponses, ToolError> {
    let answer = |(key, request)| match request {
        InputRequest::Elicitation(_) => Ok((key, serde_json::json!({ "action": "decline" }))),
        _ => Err(ToolError::new("the tool asks for a model or for folders, which this server does not lend")),
    };
    asked.into_iter().map(answer).collect()
}

/// What the model reads if a call has failed without a word of the tool.
fn failure(client: &Client, config: &McpServerConfig, error: &ServiceError) -> ToolError {
    match error {
        ServiceError::McpError(error) => ToolError::new(error.message.to_string()),
        ServiceError::TransportClosed => {
            ToolError::new("the tool's server has ended or closed the connection; try again later")
        }
        error => {
            // Whether the others still work is soon known.
            client.list_again();
            if let Some(problem) = problem::explain(error, config) {
                tracing::warn!(mcp.server = config.name, "a tool was not called: the server {problem}");
                return ToolError::new(format!("the MCP server '{}' {problem}", config.name));
            }
            tracing::warn!(mcp.server = config.name, error = chain(error), "a call of an MCP tool failed");
            if is_too_large(error) {
                return ToolError::new(oversized::reason());
            }
            ToolError::new("the tool's server cannot be reached; try again later")
        }
    }
}

/// Whether an answer over HTTP is larger than the maximum.
fn is_too_large(error: &ServiceError) -> bool {
    let ServiceError::TransportSend(error) = error else { return false };
    let error = error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>();
    matches!(error, Some(StreamableHttpError::ResponseBodyTooLarge { .. }))
}
