//! The settings of OAuth at a server.

use std::path::PathBuf;

use agent_schemas::SecretText;
use serde::{Deserialize, Serialize};

/// How this server gets access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Somebody logs in once, in a browser.
    #[default]
    AuthorizationCode,
    /// With an id and a secret of this server.
    ClientCredentials,
}

/// OAuth at a server over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct McpAuthConfig {
    /// How this server gets access tokens.
    pub grant: Grant,
    /// The id by which the authorization server knows this server. If it is the `https` address of a client ID metadata
    /// document, it is used where the authorization server takes such ids. Without it, a login registers a client.
    pub client_id: Option<String>,
    /// The same with the name of the environment variable that holds the id.
    pub client_id_env: Option<String>,
    /// The secret of that id. It is not part of a configuration file.
    #[serde(skip)]
    pub client_secret: Option<SecretText>,
    /// The name of the environment variable that holds the secret.
    pub client_secret_env: Option<String>,
    /// The authorization server, by the `issuer` of its metadata. If the MCP server names another one, that gets nothing.
    pub issuer: Option<String>,
    /// The scopes to ask for; by default those that the server names.
    pub scopes: Vec<String>,
    /// The port on this machine at which a login ends; 0 selects a free one. An id that was registered by hand may need
    /// a certain one.
    pub redirect_port: u16,
    /// The file that keeps a login. Only its owner can read it.
    pub file: Option<PathBuf>,
    /// Whether the authorization server may be at an address of a private network.
    pub allow_private_addresses: bool,
}

impl McpAuthConfig {
    /// An operator logs in, and this file keeps the login.
    pub fn login(file: impl Into<PathBuf>) -> Self {
        McpAuthConfig { file: Some(file.into()), ..McpAuthConfig::default() }
    }

    /// This server has an id and a secret of its own.
    pub fn client_credentials(client_id: impl Into<String>, client_secret: impl Into<SecretText>) -> Self {
        McpAuthConfig {
            grant: Grant::ClientCredentials,
            client_id: Some(client_id.into()),
            client_secret: Some(client_secret.into()),
            ..McpAuthConfig::default()
        }
    }

    /// Takes the values that are in environment variables.
    ///
    /// # Errors
    /// The variable that is not set.
    pub(super) fn take_variables<'a>(
        &mut self,
        variable: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), String> {
        let value = |name: &String| variable(name).ok_or_else(|| name.clone());
        if let Some(name) = &self.client_id_env {
            self.client_id = Some(value(name)?.to_owned());
        }
        if let Some(name) = &self.client_secret_env {
            self.client_secret = Some(value(name)?.into());
        }
        Ok(())
    }

    /// What is wrong with these settings.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let (has_id, has_secret) = (self.client_id.is_some(), self.client_secret.is_some());
        match self.grant {
            Grant::ClientCredentials if !has_id => Some("set auth.client_id or auth.client_id_env"),
            Grant::ClientCredentials if !has_secret => Some("set auth.client_secret_env"),
            Grant::AuthorizationCode if has_secret && !has_id => {
                Some("auth has a secret without an id: set auth.client_id or auth.client_id_env")
            }
            Grant::AuthorizationCode if self.file.is_none() => {
                Some("there is no data folder that could keep a login: set auth.file")
            }
            _ => None,
        }
    }
}
