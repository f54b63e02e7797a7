//! Changes that go through a running server.

use agent_runner::http_client;
use agent_schemas::session_info::{MessageAppend, SessionChange};
use agent_schemas::{Json, SessionId, UserId, json};
use agent_server::config::ConfigError;
use anyhow::{Context, bail};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

/// A running server.
pub(super) struct Server {
    client: Client,
    url: Url,
    token: Option<String>,
}

impl Server {
    pub(super) fn new(address: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let url =
            Url::parse(address).ok().filter(|url| url.host().is_some() && url.scheme().starts_with("http"));
        let Some(url) = url else {
            let message = format!("'{address}' is no address of a server, such as http://127.0.0.1:8080");
            return Err(ConfigError::from_message(message).into());
        };
        let client = http_client::build(&url, |builder| builder)?;
        Ok(Server { client, url, token: token.map(str::to_owned) })
    }

    /// A request about a session, or about what is below it.
    fn request(
        &self,
        method: Method,
        user: &str,
        id: &str,
        below: Option<&str>,
    ) -> anyhow::Result<RequestBuilder> {
        let mut url = self.url.clone();
        let mut path = url.path_segments_mut().map_err(|()| anyhow::anyhow!("the address has no path"))?;
        path.pop_if_empty().extend(["sessions", id]).extend(below);
        drop(path);
        url.query_pairs_mut().append_pair("user_id", user);
        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        request.send().await.with_context(|| format!("no answer from {}", self.url))
    }

    /// Forgets a session; says whether there was one.
    pub(super) async fn delete(&self, user: &UserId, id: &SessionId) -> anyhow::Result<bool> {
        let request = self.request(Method::DELETE, user.as_str(), id.as_str(), None)?;
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            _ => checked(response).await.map(|_| true),
        }
    }

    /// Adds messages, then changes the session; says how many were added.
    pub(super) async fn import(
        &self,
        user: &str,
        id: &str,
        append: MessageAppend,
        change: Option<SessionChange>,
    ) -> anyhow::Result<u64> {
        let request = self.request(Method::POST, user, id, Some("messages"))?.json(&append);
        let answer = json::parse(&checked(self.send(request).await?).await?)?;
        if let Some(SessionChange { title, metadata }) = change {
            let mut body = agent_schemas::JsonObject::new();
            body.extend(title.map(|title| ("title".to_owned(), Json::from(title))));
            body.extend(metadata.map(|metadata| ("metadata".to_owned(), Json::from(metadata))));
            let request = self.request(Method::PATCH, user, id, None)?.json(&Json::from(body));
            checked(self.send(request).await?).await?;
        }
        Ok(answer
            .get("count")
            .and_then(Json::as_i64)
            .and_then(|count| count.try_into().ok())
            .unwrap_or_default())
    }
}

/// The body of an answer that says no error.
async fn checked(response: Response) -> anyhow::Result<String> {
    let status = response.status();
    if status.is_success() {
        return Ok(response.text().await?);
    }
    let body = http_client::error_body(response).await;
    let message = json::parse(&body)
        .ok()
        .and_then(|json| Some(json.get("error")?.get("message")?.as_str()?.to_owned()));
    bail!("the server answered {status}: {}", message.unwrap_or(body))
}
