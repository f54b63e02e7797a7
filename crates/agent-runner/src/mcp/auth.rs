//! How this side proves who it is to a server over HTTP (OAuth 2.1, as MCP prescribes it).

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use rmcp::transport::auth::{
    AuthClient, AuthError, AuthorizationManager, ClientCredentialsConfig, OAuthClientConfig,
    OAuthTokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio_util::task::AbortOnDropHandle;

use super::config::McpServerConfig;
use super::tokens::Tokens;
use crate::error_chain::chain;
use crate::{SecretMap, http_client};

/// The name under which a secret is kept.
const SECRET: &str = "client_secret";

/// How long before its end a token is replaced, and when a failure is repeated.
const EARLY: Duration = Duration::from_secs(60);

/// How this side gets tokens for a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum McpAuth {
    /// With a secret of its own, without a person.
    ClientCredentials(ClientCredentials),
    /// In the name of a person, who logs in once; see [`login`](super::login).
    Login(Login),
}

/// A client that is known to the authorization server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientCredentials {
    /// Its id there.
    pub client_id: String,
    /// The environment variable that holds its secret.
    pub client_secret_env: String,
    /// The scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(skip)]
    pub(super) secret: SecretMap,
}

/// A person's login.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Login {
    /// The id of this client at the authorization server, if it is registered there. Otherwise it registers itself.
    pub client_id: Option<String>,
    /// The environment variable that holds the secret of a registered client.
    pub client_secret_env: Option<String>,
    /// The address of a document that describes this client, for authorization servers that read one instead.
    pub client_metadata_url: Option<String>,
    /// The scopes to ask for; by default, those that the server names.
    pub scopes: Vec<String>,
    /// The port to which the browser is sent after the login; by default, a free one.
    pub redirect_port: u16,
    /// The file that keeps the tokens.
    pub token_file: Option<PathBuf>,
    #[serde(skip)]
    pub(super) secret: SecretMap,
}

impl McpAuth {
    /// The environment variable with the secret, and where the secret is kept.
    pub(super) fn secret(&mut self) -> Option<(String, &mut SecretMap)> {
        match self {
            McpAuth::ClientCredentials(client) => {
                Some((client.client_secret_env.clone(), &mut client.secret))
            }
            McpAuth::Login(login) => Some((login.client_secret_env.clone()?, &mut login.secret)),
        }
    }

    /// What is wrong with the settings.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self {
            McpAuth::ClientCredentials(client) if client.client_id.is_empty() => {
                Some("auth.client_id is empty")
            }
            McpAuth::Login(login) if login.client_secret_env.is_some() && login.client_id.is_none() => {
                Some("auth.client_secret_env needs auth.client_id")
            }
            McpAuth::Login(login) if login.token_file.is_none() => {
                Some("auth.token_file is missing: where should the tokens be kept?")
            }
            _ => None,
        }
    }
}

/// Keeps a secret that was in an environment variable.
pub(super) fn keep_secret(secrets: &mut SecretMap, value: &str) {
    secrets.insert(SECRET, value);
}

fn secret_of(secrets: &SecretMap) -> Option<String> {
    secrets.expose().find(|(name, _)| *name == SECRET).map(|(_, value)| value.to_owned())
}

/// An HTTP client that sends tokens, and what keeps them fresh.
pub(super) type Authorized = (AuthClient<reqwest::Client>, Option<AbortOnDropHandle<()>>);

/// Gets a token, or finds the one of an earlier login.
pub(super) async fn authorize(
    config: &McpServerConfig,
    auth: &McpAuth,
    url: &str,
    client: reqwest::Client,
) -> Result<Authorized, String> {
    let failed = |error: AuthError| format!("it gives no token: {}", chain(&error));
    let mut manager = manager(url).await.map_err(failed)?;
    match auth {
        McpAuth::ClientCredentials(credentials) => {
            let resolved = manager.resolve_metadata().await.map_err(failed)?;
            manager.set_metadata(resolved.metadata);
            let grant = credentials.grant(url);
            manager.configure_client_credentials(&grant).map_err(failed)?;
            let token = manager.exchange_client_credentials(&grant).await.map_err(failed)?;
            let client = AuthClient::new(client, manager);
            let renewal = renew(client.clone(), grant, lifetime(&token));
            #[expect(clippy::disallowed_methods, reason = "it ends with the connection")]
            let renewal = AbortOnDropHandle::new(tokio::spawn(renewal));
            Ok((client, Some(renewal)))
        }
        McpAuth::Login(login) => {
            let wanted = || format!("it needs a login: run `agent-server tools login {}`", config.name);
            manager.set_credential_store(login.tokens());
            match manager.initialize_from_store().await {
                Ok(true) => {}
                Ok(false) | Err(AuthError::AuthorizationRequired) => return Err(wanted()),
                Err(error) => return Err(failed(error)),
            }
            if let (Some(id), Some(secret)) = (&login.client_id, secret_of(&login.secret)) {
                let client = OAuthClientConfig::new(id, "http://127.0.0.1/").with_client_secret(secret);
                manager.configure_client(client.with_scopes(login.scopes.clone())).map_err(failed)?;
            }
            match manager.get_access_token().await {
                Ok(_) => Ok((AuthClient::new(client, manager), None)),
                Err(AuthError::AuthorizationRequired) => Err(wanted()),
                Err(error) => Err(failed(error)),
            }
        }
    }
}

/// A reason for which a server cannot be used, and what to do if it is about authorization.
pub(super) fn with_advice(config: &McpServerConfig, reason: String) -> String {
    let is_about_it = ["Auth required", "Authorization required", "Insufficient scope", "401", "403"];
    if config.url.is_none() || !is_about_it.iter().any(|words| reason.contains(words)) {
        return reason;
    }
    let advice = match &config.auth {
        Some(McpAuth::Login(_)) => format!("log in again: agent-server tools login {}", config.name),
        Some(McpAuth::ClientCredentials(_)) => "check client_id, client_secret_env and scopes".to_owned(),
        None => "set headers_env, or auth = { kind = \"login\" }".to_owned(),
    };
    format!("{reason}; {advice}")
}

/// The library's part for a server. Only a server on this machine may name addresses on this machine.
pub(super) async fn manager(url: &str) -> Result<AuthorizationManager, AuthError> {
    let is_local = Url::parse(url).is_ok_and(|url| http_client::is_local(&url));
    match is_local {
        true => AuthorizationManager::new_allowing_private_addresses(url).await,
        false => AuthorizationManager::new(url).await,
    }
}

impl ClientCredentials {
    fn grant(&self, url: &str) -> ClientCredentialsConfig {
        ClientCredentialsConfig::ClientSecret {
            client_id: self.client_id.clone(),
            client_secret: secret_of(&self.secret).unwrap_or_default(),
            scopes: self.scopes.clone(),
            resource: Some(url.to_owned()),
        }
    }
}

impl Login {
    pub(super) fn tokens(&self) -> Tokens {
        Tokens::new(self.token_file.clone().unwrap_or_default())
    }

    pub(super) fn client_secret(&self) -> Option<String> {
        secret_of(&self.secret)
    }
}

fn lifetime(token: &OAuthTokenResponse) -> Option<Duration> {
    let token = serde_json::to_value(token).ok()?;
    token.get("expires_in")?.as_u64().map(Duration::from_secs)
}

/// Gets a new token before the old one ends.
async fn renew(
    client: AuthClient<reqwest::Client>,
    grant: ClientCredentialsConfig,
    mut left: Option<Duration>,
) {
    while let Some(time) = left {
        tokio::time::sleep(time.saturating_sub(EARLY).max(time / 2)).await;
        let renewed = client.auth_manager.lock().await.exchange_client_credentials(&grant).await;
        left = match renewed {
            Ok(token) => lifetime(&token),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "an MCP server's token could not be renewed; trying again");
                Some(EARLY)
            }
        };
    }
}
