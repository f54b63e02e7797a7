//! What to do when a server asks for authorization.

use std::error::Error;

use rmcp::transport::auth::AuthError;
use rmcp::transport::streamable_http_client::{AuthRequiredError, InsufficientScopeError};

use crate::error_chain::chain;
use crate::mcp::auth_config::Grant;
use crate::mcp::config::McpServerConfig;

/// What the server wants and what the operator can do, if authorization is what the error is about. It continues "the
/// server …".
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

fn grant(config: &McpServerConfig) -> Option<Grant> {
    config.auth.as_ref().map(|auth| auth.grant)
}

fn log_in(config: &McpServerConfig) -> String {
    format!("run agent-server tools login {}", config.name)
}

/// There is no token that could be sent.
fn has_no_token(error: &AuthError, config: &McpServerConfig) -> String {
    match error {
        AuthError::AuthorizationRequired => format!("needs a login: {}", log_in(config)),
        error => format!("cannot be used without an access token, and there is none: {}", chain(error)),
    }
}

/// The server does not take the token, nor a new one.
fn is_refused(config: &McpServerConfig) -> String {
    match grant(config) {
        Some(Grant::AuthorizationCode) => format!("refuses the login: {}", log_in(config)),
        Some(Grant::ClientCredentials) => {
            "refuses the access token: check auth.client_id and auth.scopes".to_owned()
        }
        None => "asks for authorization: set auth, for OAuth, or give it a token in headers_env".to_owned(),
    }
}

fn lacks_scope(scope: Option<&str>, config: &McpServerConfig) -> String {
    let scope = scope.map_or_else(String::new, |scope| format!(" '{scope}'"));
    let advice = match grant(config) {
        Some(Grant::AuthorizationCode) => format!("{}, which asks for it", log_in(config)),
        Some(Grant::ClientCredentials) => "add it to auth.scopes".to_owned(),
        None => "give it another token in headers_env".to_owned(),
    };
    format!("asks for a scope{scope} that the access token does not have: {advice}")
}
