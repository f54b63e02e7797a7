//! Changes that go through a running server.

use agent_schemas::api::sessions::{MessageAppend, SessionChange};
use agent_schemas::{Json, SessionId, UserId, json};
use reqwest::{Method, RequestBuilder, StatusCode};

use crate::remote::Remote;

/// A running server.
pub(super) struct Server(Remote);

impl Server {
    pub(super) fn new(address: &str, token: Option<&str>) -> anyhow::Result<Self> {
        Ok(Server(Remote::new(address, token)?))
    }

    /// A request for a session or a path below it.
    fn request(&self, method: Method, user: &str, id: &str, below: Option<&str>) -> RequestBuilder {
        let path: Vec<_> = ["sessions", id].into_iter().chain(below).collect();
        self.0.request(method, &path, &[("user_id", user)])
    }

    /// Deletes a session; returns whether it existed.
    pub(super) async fn delete(&self, user: &UserId, id: &SessionId) -> anyhow::Result<bool> {
        let request = |method| self.request(method, user.as_str(), id.as_str(), None);
        // To delete what is not there succeeds, and a person wants to know of a mistyped id.
        let existed = match self.0.send(request(Method::GET)).await {
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => false,
            found => found.map(|_| true)?,
        };
        self.0.send(request(Method::DELETE)).await?;
        Ok(existed)
    }

    /// Adds messages, then changes the session; returns how many were added.
    pub(super) async fn import(
        &self,
        user: &str,
        id: &str,
        append: MessageAppend,
        change: Option<SessionChange>,
    ) -> anyhow::Result<u64> {
        let request = self.request(Method::POST, user, id, Some("messages")).json(&append);
        let answer = json::parse(&self.0.text(request).await?)?;
        if let Some(SessionChange { title, metadata }) = change {
            let mut body = agent_schemas::JsonObject::new();
            body.extend(title.map(|title| ("title".to_owned(), Json::from(title))));
            body.extend(metadata.map(|metadata| ("metadata".to_owned(), Json::from(metadata))));
            let request = self.request(Method::PATCH, user, id, None).json(&Json::from(body));
            self.0.send(request).await?;
        }
        Ok(answer
            .get("count")
            .and_then(Json::as_i64)
            .and_then(|count| count.try_into().ok())
            .unwrap_or_default())
    }
}
