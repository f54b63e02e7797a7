//! The access token of one server.

use rmcp::transport::auth::{
    AuthError, AuthorizationManager, ClientCredentialsConfig, InMemoryCredentialStore,
};
use tokio::sync::Mutex;

use super::login_file::LoginFile;
use super::manager::{checked, client, manager};
use crate::mcp::auth_config::{Grant, McpAuthConfig};

/// Has an access token for one server, and renews it.
pub(in crate::mcp) struct Tokens {
    url: String,
    auth: McpAuthConfig,
    store: Store,
    /// Only looks into the store. Held while a token is renewed, so that this happens once.
    current: Mutex<AuthorizationManager>,
}

/// Where the tokens are.
enum Store {
    /// A secret gets new ones at any time.
    Memory(InMemoryCredentialStore),
    /// Only an operator gets the first one.
    File(LoginFile),
}

impl Tokens {
    pub(in crate::mcp) async fn new(url: &str, auth: &McpAuthConfig) -> Result<Self, AuthError> {
        let mut current = manager(url, auth).await?;
        let store = match (auth.grant, &auth.file) {
            (Grant::AuthorizationCode, Some(file)) => {
                let file = LoginFile::new(file.clone(), url.to_owned());
                current.set_credential_store(file.clone());
                Store::File(file)
            }
            _ => {
                let store = InMemoryCredentialStore::new();
                current.set_credential_store(store.clone());
                Store::Memory(store)
            }
        };
        Ok(Tokens { url: url.to_owned(), auth: auth.clone(), store, current: Mutex::new(current) })
    }

    /// A token that has not expired.
    pub(super) async fn current(&self) -> Result<String, AuthError> {
        self.other_than(None).await
    }

    /// A token instead of one that the server has refused. It may already be there, because another request was refused,
    /// too, or because somebody has logged in.
    pub(super) async fn instead_of(&self, refused: &str) -> Result<String, AuthError> {
        self.other_than(Some(refused)).await
    }

    async fn other_than(&self, refused: Option<&str>) -> Result<String, AuthError> {
        let current = self.current.lock().await;
        match current.get_access_token().await {
            Ok(token) if refused != Some(token.as_str()) => Ok(token),
            _ => self.renew().await,
        }
    }

    /// # Errors
    /// [`AuthError::AuthorizationRequired`] if only a login helps.
    async fn renew(&self) -> Result<String, AuthError> {
        let mut manager = manager(&self.url, &self.auth).await?;
        let file = match &self.store {
            Store::Memory(store) => {
                manager.set_credential_store(store.clone());
                return self.fetch(manager).await;
            }
            Store::File(file) => file,
        };
        let login = file.read().await?.unwrap_or_default();
        let Some(known) = login.credentials else { return Err(AuthError::AuthorizationRequired) };
        manager.set_credential_store(file.clone());
        let metadata = checked(manager.resolve_metadata().await?.metadata, &self.auth)?;
        if known.issuer.is_some() && metadata.issuer.is_none() {
            // Whoever answers there does not say who it is.
            return Err(AuthError::NoAuthorizationSupport);
        }
        manager.set_metadata(metadata);
        // A login at another authorization server than the present one is forgotten here.
        if !manager.initialize_from_store().await? {
            return Err(AuthError::AuthorizationRequired);
        }
        let secret = self.secret_of(login.client_secret.as_deref());
        manager.configure_client(client(&known.client_id, secret, &self.url))?;
        match manager.refresh_token().await {
            Err(AuthError::TokenRefreshRejected(_)) => Err(AuthError::AuthorizationRequired),
            Err(error) => Err(error),
            Ok(_) => manager.get_access_token().await,
        }
    }

    /// The secret that was registered, or the one in the settings.
    fn secret_of<'a>(&'a self, registered: Option<&'a str>) -> Option<&'a str> {
        registered.or_else(|| self.auth.client_secret.as_ref().map(|secret| secret.expose()))
    }

    /// Fetches a token with the secret.
    async fn fetch(&self, mut manager: AuthorizationManager) -> Result<String, AuthError> {
        let found = manager.resolve_metadata().await?;
        if !found.source.is_discovered() {
            return Err(AuthError::NoAuthorizationSupport);
        }
        manager.set_metadata(checked(found.metadata, &self.auth)?);
        let scopes = match self.auth.scopes.as_slice() {
            [] => manager.select_initial_scopes(&[]).await,
            scopes => scopes.to_vec(),
        };
        let credentials = ClientCredentialsConfig::ClientSecret {
            client_id: self.auth.client_id.clone().unwrap_or_default(),
            client_secret: self.secret_of(None).unwrap_or_default().to_owned(),
            scopes,
            resource: Some(self.url.clone()),
        };
        manager.validate_client_credentials_metadata(&credentials)?;
        manager.configure_client_credentials(&credentials)?;
        manager.exchange_client_credentials(&credentials).await?;
        manager.get_access_token().await
    }

    /// Remembers scopes that the next login has to ask for.
    pub(super) async fn remember_missing(&self, scopes: &str) -> Result<(), AuthError> {
        let Store::File(file) = &self.store else { return Ok(()) };
        if scopes.is_empty() {
            return Ok(());
        }
        let _lock = file.lock().await?;
        let Some(mut login) = file.read().await? else { return Ok(()) };
        for scope in scopes.split_whitespace() {
            if !login.missing_scopes.iter().any(|known| known == scope) {
                login.missing_scopes.push(scope.to_owned());
            }
        }
        file.write(login).await
    }
}
