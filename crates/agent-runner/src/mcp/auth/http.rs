//! Requests that carry an access token.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
    StreamableHttpResponseLimits,
};
use sse_stream::Sse;

use super::tokens::Tokens;
use crate::error_chain::chain;

type Headers = HashMap<HeaderName, HeaderValue>;
type Failure = StreamableHttpError<reqwest::Error>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

/// An HTTP client that gives each request a token, if there are any for the server.
#[derive(Clone)]
pub(in crate::mcp) struct Authorized {
    http: reqwest::Client,
    tokens: Option<Arc<Tokens>>,
}

impl Authorized {
    pub(in crate::mcp) fn new(http: reqwest::Client, tokens: Option<Tokens>) -> Self {
        Authorized { http, tokens: tokens.map(Arc::new) }
    }

    /// Makes a request, and once again if its token is refused.
    async fn with_token<T, F>(&self, request: impl Fn(Option<String>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let Some(tokens) = &self.tokens else { return request(None).await };
        let token = tokens.current().await?;
        let mut answer = request(Some(token.clone())).await;
        if matches!(answer, Err(StreamableHttpError::AuthRequired(_))) {
            answer = request(Some(tokens.instead_of(&token).await?)).await;
        }
        if let Err(StreamableHttpError::InsufficientScope(error)) = &answer {
            let missing = error.get_required_scope().unwrap_or_default();
            if let Err(error) = tokens.remember_missing(missing).await {
                tracing::warn!(error = chain(&error), "the scope that is missing could not be remembered");
            }
        }
        answer
    }
}

impl StreamableHttpClient for Authorized {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, token, headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let post = |token| {
            let (uri, message) = (Arc::clone(&uri), message.clone());
            let (session, headers) = (session.clone(), headers.clone());
            self.http.post_message_with_response_limits(uri, message, session, token, headers, limits)
        };
        self.with_token(post).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let delete =
            |token| self.http.delete_session(Arc::clone(&uri), Arc::clone(&session), token, headers.clone());
        self.with_token(delete).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<Events, Failure> {
        let limit = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(uri, session, last_event, token, headers, limit).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        headers: Headers,
        limit: usize,
    ) -> Result<Events, Failure> {
        let get = |token| {
            let (uri, session) = (Arc::clone(&uri), session.clone());
            let (last_event, headers) = (last_event.clone(), headers.clone());
            self.http.get_stream_with_max_sse_event_size(uri, session, last_event, token, headers, limit)
        };
        self.with_token(get).await
    }
}
