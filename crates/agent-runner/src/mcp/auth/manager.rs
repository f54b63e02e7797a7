//! The library's state machine for OAuth, made for one server.

use rmcp::transport::auth::{AuthError, AuthorizationManager, OAuthClientConfig};

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

/// A client that has no login in progress, so nobody is sent back to it.
pub(super) fn client(id: &str, secret: Option<&str>, url: &str) -> OAuthClientConfig {
    let client = OAuthClientConfig::new(id, url);
    match secret {
        Some(secret) => client.with_client_secret(secret),
        None => client,
    }
}
