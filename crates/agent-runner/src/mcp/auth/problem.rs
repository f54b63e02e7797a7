//! What to do when a server asks for authorization.

use std::error::Error;

use rmcp::transport::auth::AuthError;
use rmcp::transport::streamable_http_client::{AuthRequiredError, InsufficientScopeError};

use crate::error_chain::chain;
use crate::mcp::auth_config::Grant;
use crate::mcp::config::McpServerConfig;

/// A sentence about what the operator can do, if authorization is what the error is about.
pub(in crate::mcp) fn explain(error: &(dyn Error + 'static), config: &McpServerConfig) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<InsufficientScopeError>() {
            return Some(lacks_scope(error.get_required_scope(), config));
        }
        if error.is::<AuthRequiredError>() {
            return Some(is_refused(config));
        }
        if let Some(error) = error.downcast_ref::<AuthError>() {
            return Some(has_no_token(error, config));
        }
        cause = error.source();
    }
    None
}

fn log_in(config: &McpServerConfig) -> String {
    format!("run agent-server tools login {}", config.name)
}

/// There is no token that could be sent.
fn has_no_token(error: &AuthError, config: &McpServerConfig) -> String {
    match error {
        AuthError::AuthorizationRequired => {
            format!("the MCP server '{}' needs a login: {}", config.name, log_in(config))
        }
        error => format!("the MCP server '{}' gets no access token: {}", config.name, chain(error)),
    }
}

/// The server does not take the token, nor a new one.
fn is_refused(config: &McpServerConfig) -> String {
    let name = &config.name;
    match config.auth.as_ref().map(|auth| auth.grant) {
        Some(Grant::AuthorizationCode) => {
            format!("the MCP server '{name}' refuses the login: {}", log_in(config))
        }
        Some(Grant::ClientCredentials) => {
            format!("the MCP server '{name}' refuses the access token: check auth.client_id and auth.scopes")
        }
        None => format!(
            "the MCP server '{name}' asks for authorization: set auth, for OAuth, or give it a token in headers_env"
        ),
    }
}

fn lacks_scope(scope: Option<&str>, config: &McpServerConfig) -> String {
    let scope = scope.map_or_else(String::new, |scope| format!(" '{scope}'"));
    let advice = match config.auth.as_ref().map(|auth| auth.grant) {
        Some(Grant::AuthorizationCode) => format!("{}, which asks for it", log_in(config)),
        Some(Grant::ClientCredentials) => "add it to auth.scopes".to_owned(),
        None => "give it another token in headers_env".to_owned(),
    };
    format!("the MCP server '{}' asks for a scope{scope} that the token does not have: {advice}", config.name)
}
