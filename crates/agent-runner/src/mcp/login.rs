//! A login, which somebody makes in a browser.

use agent_schemas::SecretText;
use reqwest::Url;
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadata, AuthorizationMetadataSource,
    AuthorizationRequest, AuthorizationSession, CredentialStore, InMemoryCredentialStore,
};

use super::McpError;
use super::auth::login_file::{Login, LoginFile};
use super::auth::manager::{checked, manager};
use super::auth_config::{Grant, McpAuthConfig};
use super::config::McpServerConfig;
use super::connect::challenge;
use crate::error_chain::chain;

/// What a client is called where it is registered.
const CLIENT_NAME: &str = "agent-server";

/// A login at an MCP server that is in progress.
pub struct McpLogin {
    server: String,
    file: LoginFile,
    session: AuthorizationSession,
    /// Where the tokens come in.
    received: InMemoryCredentialStore,
    /// The secret that came with the id, if this login has registered a client.
    registered_secret: Option<SecretText>,
}

impl std::fmt::Debug for McpLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpLogin").field("server", &self.server).finish_non_exhaustive()
    }
}

impl McpLogin {
    /// Begins a login: asks the server where, and registers a client there if there is none. The browser is sent back to
    /// `redirect_uri`.
    ///
    /// # Errors
    /// If the settings have no login, or why it cannot begin.
    pub async fn begin(config: &McpServerConfig, redirect_uri: &str) -> Result<Self, McpError> {
        config.check()?;
        let error = |reason: String| McpError::new(&config.name, reason);
        let (Some(url), Some(auth)) = (&config.url, &config.auth) else {
            return Err(error("there is nothing to log in to: it has no auth".to_owned()));
        };
        let (Grant::AuthorizationCode, Some(path)) = (auth.grant, &auth.file) else {
            return Err(error("it needs no login: it has an id and a secret of this server".to_owned()));
        };
        let file = LoginFile::new(path.clone(), url.clone());
        // If it is damaged, this login replaces it.
        let earlier = file.read().await.ok().flatten();
        let challenge = challenge(config).await.map_err(|reason| error(format!("no login: {reason}")))?;
        let received = InMemoryCredentialStore::new();
        let session = async {
            let mut manager = manager(url, auth).await?;
            manager.set_credential_store(received.clone());
            begin_session(manager, auth, redirect_uri, challenge, earlier).await
        };
        let (session, registered_secret) = session
            .await
            .map_err(|fault: AuthError| error(format!("the login cannot begin: {}", chain(&fault))))?;
        Ok(McpLogin { server: config.name.clone(), file, session, received, registered_secret })
    }

    /// The address that somebody has to open in a browser.
    pub fn url(&self) -> &str {
        self.session.get_authorization_url()
    }

    /// Ends the login with the address to which the browser was sent back, and keeps it for the servers that use its
    /// file.
    ///
    /// # Errors
    /// If the login was refused, the address does not belong to it, or it cannot be kept.
    pub async fn finish(self, redirected: &str) -> Result<(), McpError> {
        let error = |reason: String| McpError::new(&self.server, reason);
        if let Some(refusal) = refusal(redirected) {
            return Err(error(format!("the authorization server refused the login: {refusal}")));
        }
        let exchanged = self.session.handle_callback_url(redirected).await;
        exchanged.map_err(|fault| error(format!("the login failed: {}", chain(&fault))))?;
        self.keep().await.map_err(|fault| error(chain(&fault)))
    }

    async fn keep(&self) -> Result<(), AuthError> {
        let credentials = self.received.load().await?;
        let client_secret = self.registered_secret.as_ref().map(|secret| secret.expose().to_owned());
        let _lock = self.file.lock().await?;
        self.file.write(Login { client_secret, credentials, ..Login::default() }).await
    }
}

/// Begins the part that a browser takes. Also gives the secret of a client that was registered for it.
async fn begin_session(
    mut manager: AuthorizationManager,
    auth: &McpAuthConfig,
    redirect_uri: &str,
    challenge: Option<String>,
    earlier: Option<Login>,
) -> Result<(AuthorizationSession, Option<SecretText>), AuthError> {
    let found = manager.resolve_metadata_from_challenge(challenge.as_deref()).await?;
    if found.source == AuthorizationMetadataSource::LegacyEndpointFallback && challenge.is_none() {
        return Err(AuthError::NoAuthorizationSupport);
    }
    let metadata = checked(found.metadata, auth)?;
    manager.set_metadata(metadata.clone());
    let scopes = match scopes(auth, earlier) {
        scopes if scopes.is_empty() => manager.select_initial_scopes(&[]).await,
        scopes => scopes,
    };
    let (id, registered_secret) = match known_client(auth, &metadata) {
        Some(id) => (id, None),
        None => register(&mut manager, redirect_uri, &scopes).await?,
    };
    let mut request = AuthorizationRequest::new(redirect_uri).with_preregistered_client(id);
    request = request.with_scopes(scopes).with_initial_scope_selection();
    if let Some(secret) = registered_secret.as_ref().or(auth.client_secret.as_ref()) {
        request = request.with_client_secret(secret.expose());
    }
    let session = AuthorizationSession::new(manager, request).await.map_err(|(_, error)| error)?;
    Ok((session, registered_secret))
}

/// The scopes to ask for, if that is not left to the server: those of the settings or of the login before, and what the
/// server has asked for since.
fn scopes(auth: &McpAuthConfig, earlier: Option<Login>) -> Vec<String> {
    let Some(earlier) = earlier else { return auth.scopes.clone() };
    let mut scopes = auth.scopes.clone();
    if scopes.is_empty() && !earlier.missing_scopes.is_empty() {
        scopes = earlier.credentials.map(|credentials| credentials.granted_scopes).unwrap_or_default();
    }
    for scope in earlier.missing_scopes {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// The id of the client in the settings, if the authorization server can know it.
fn known_client(auth: &McpAuthConfig, metadata: &AuthorizationMetadata) -> Option<String> {
    let id = auth.client_id.clone()?;
    let takes_documents = metadata
        .additional_fields
        .get("client_id_metadata_document_supported")
        .and_then(|value| value.as_bool());
    (!id.starts_with("https://") || takes_documents == Some(true)).then_some(id)
}

/// Registers a client. Some authorization servers give it a secret.
async fn register(
    manager: &mut AuthorizationManager,
    redirect_uri: &str,
    scopes: &[String],
) -> Result<(String, Option<SecretText>), AuthError> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let client = manager.register_client(CLIENT_NAME, redirect_uri, &scopes).await?;
    Ok((client.client_id, client.client_secret.map(SecretText::from)))
}

/// The code of the error with which an authorization server sends a browser back.
fn refusal(redirected: &str) -> Option<String> {
    let url = Url::parse(redirected).ok()?;
    url.query_pairs().find_map(|(name, value)| (name == "error").then(|| value.into_owned()))
}

#[cfg(test)]
mod tests {
    use rmcp::transport::auth::StoredCredentials;

    use super::*;

    #[test]
    fn scopes__of_a_login__are_joined_by_those_that_are_missing() {
        let granted = vec!["read".to_owned()];
        let credentials = StoredCredentials::new("a".to_owned(), None, granted, None);
        let missing_scopes = vec!["write".to_owned()];
        let earlier = Login { credentials: Some(credentials), missing_scopes, ..Login::default() };
        let mut auth = McpAuthConfig::default();
        assert_eq!(scopes(&auth, None), [""; 0]);
        assert_eq!(scopes(&auth, Some(earlier.clone())), ["read", "write"]);
        auth.scopes = vec!["all".to_owned()];
        assert_eq!(scopes(&auth, Some(earlier)), ["all", "write"]);
    }

    #[test]
    fn refusal__of_a_redirect__is_the_code_of_its_error() {
        assert_eq!(
            refusal("http://127.0.0.1:1/callback?error=access_denied&state=x").as_deref(),
            Some("access_denied")
        );
        assert_eq!(refusal("http://127.0.0.1:1/callback?code=a&state=x"), None);
    }
}
