//! The HTTP applications of scripts.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use agent_schemas::Error;
use agent_server::axum::body::Body;
use agent_server::axum::http::{HeaderMap, Request, StatusCode};
use agent_server::axum::response::Response;
use agent_server::protocol::ErrorInfo;
use agent_server::{AgentAppBuilder, ApiError, ClientAddress, Guard};
use async_trait::async_trait;
use bytes::Bytes;

use super::Started;

/// Lets the applications of scripts answer what nothing else does, and decide whether the server answers the rest.
pub(super) fn attach(app: AgentAppBuilder, scripts: Vec<Arc<Started>>) -> AgentAppBuilder {
    if scripts.is_empty() {
        return app;
    }
    let scripts = Arc::new(Applications(scripts));
    let guard = Arc::clone(&scripts);
    app.guard(Checks(guard)).fallback(move |request| {
        let scripts = Arc::clone(&scripts);
        async move { scripts.answer(request).await }
    })
}

struct Applications(Vec<Arc<Started>>);

impl Applications {
    /// The first answer other than 404.
    async fn answer(&self, request: Request<Bytes>) -> Result<Response, ApiError> {
        let (mut missing, client) = (Err(ApiError::NotFound), client_of(&request));
        for started in &self.0 {
            let answer = started.workers.answer(&request, client).await.map_err(unanswered)?;
            match answer.map(|answer| answer.map(Body::new)) {
                Some(answer) if answer.status() == StatusCode::NOT_FOUND => missing = Ok(answer),
                Some(answer) => return Ok(answer),
                None => {}
            }
        }
        missing
    }
}

struct Checks(Arc<Applications>);

#[async_trait]
impl Guard for Checks {
    fn is_needed(&self) -> bool {
        self.0.0.iter().any(|started| started.workers.checks())
    }

    async fn check(&self, request: &Request<Bytes>) -> Result<ControlFlow<Response, HeaderMap>, ApiError> {
        let (mut headers, client) = (HeaderMap::new(), client_of(request));
        for started in &self.0.0 {
            match started.workers.check(request, client).await.map_err(unanswered)? {
                ControlFlow::Continue(further) => headers.extend(further),
                ControlFlow::Break(answer) => return Ok(ControlFlow::Break(answer.map(Body::new))),
            }
        }
        Ok(ControlFlow::Continue(headers))
    }
}

/// Why there is no answer, and when there may be one.
fn unanswered(error: Error) -> ApiError {
    ErrorInfo::from(&error.to_body()).into()
}

fn client_of(request: &Request<Bytes>) -> Option<SocketAddr> {
    request.extensions().get::<ClientAddress>().map(|client| client.0)
}
