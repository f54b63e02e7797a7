//! The library's state machine for OAuth, made for one server.

use rmcp::transport::auth::{AuthError, AuthorizationManager, AuthorizationMetadata, OAuthClientConfig};

use crate::http_client;
use crate::mcp::auth_config::McpAuthConfig;

/// Knows nothing of the server yet, and has no tokens.
///
/// # Errors
/// If the address is none, or the system has no certificates.
pub(in crate::mcp) async fn manager(
    url: &str,
    auth: &McpAuthConfig,
) -> Result<AuthorizationManager, AuthError> {
    http_client::prepare_tls();
    if auth.allow_private_addresses {
        AuthorizationManager::new_allowing_private_addresses(url).await
    } else {
        AuthorizationManager::new(url).await
    }
}

/// Where tokens come from, if that is the authorization server of the settings.
///
/// # Errors
/// If the MCP server names another one.
pub(in crate::mcp) fn checked(
    metadata: AuthorizationMetadata,
    auth: &McpAuthConfig,
) -> Result<AuthorizationMetadata, AuthError> {
    let Some(expected) = &auth.issuer else { return Ok(metadata) };
    let received = metadata.issuer.as_deref().unwrap_or_default();
    if received.trim_end_matches('/') == expected.trim_end_matches('/') {
        return Ok(metadata);
    }
    Err(AuthError::AuthorizationServerMismatch {
        expected_issuer: expected.clone(),
        received_issuer: received.to_owned(),
    })
}

/// A client that has no login in progress, so nobody is sent back to it.
pub(super) fn client(id: &str, secret: Option<&str>, url: &str) -> OAuthClientConfig {
    let client = OAuthClientConfig::new(id, url);
    match secret {
        Some(secret) => client.with_client_secret(secret),
        None => client,
    }
}
