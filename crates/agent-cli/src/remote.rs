//! A running server, for the commands that talk to one.

use std::time::Duration;

use crate::config::ConfigError;
use agent_runner::{ExposeSecret, SecretString, http_client};
use agent_schemas::json;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use crate::terminal::client_error::ClientError;

/// How long a connection may be silent before TCP checks whether the other end still exists.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A running server.
#[derive(Debug)]
pub(crate) struct Remote {
    client: Client,
    url: Url,
    token: Option<SecretString>,
}

/// Why a request to a server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// Nothing is listening at the address.
    #[error("{0}; start the server, or give its address with --server")]
    Unreachable(ClientError),
    /// There is no response, or it is incomplete.
    #[error(transparent)]
    Lost(ClientError),
    /// The server rejected the request.
    #[error("the server responded with {status}: {message}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// The reason.
        message: String,
    },
}

impl RemoteError {
    /// The status of a rejection.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            RemoteError::Unreachable(_) | RemoteError::Lost(_) => None,
            RemoteError::Refused { status, .. } => Some(*status),
        }
    }
}

impl Remote {
    /// A server at an address. If there is a token, requests send it.
    pub(crate) fn new(address: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let url =
            Url::parse(address).ok().filter(|url| url.host().is_some() && url.scheme().starts_with("http"));
        let Some(url) = url else {
            let message =
                format!("'{address}' is not a server's address; it should look like http://127.0.0.1:8080");
            return Err(ConfigError::from_message(message).into());
        };
        let client = http_client::build(&url, |builder| builder.tcp_keepalive(KEEPALIVE))?;
        Ok(Remote { client, url, token: token.map(SecretString::from) })
    }

    /// The address as it was given.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// A request for a path, whose segments may have any characters.
    pub(crate) fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.url.clone();
        // An address with a host always has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    /// Sends a request and returns a successful response.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, RemoteError> {
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = http_client::error_body(response).await;
        let message = json::parse(&body)
            .ok()
            .and_then(|json| Some(json.get("error")?.get("message")?.as_str()?.to_owned()));
        Err(RemoteError::Refused { status, message: message.unwrap_or(body) })
    }

    /// Sends a request and returns the text of a successful response.
    pub(crate) async fn text(&self, request: RequestBuilder) -> Result<String, RemoteError> {
        self.send(request).await?.text().await.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &reqwest::Error) -> RemoteError {
        let failure = ClientError::transport(&self.url, error);
        if error.is_connect() { RemoteError::Unreachable(failure) } else { RemoteError::Lost(failure) }
    }
}
