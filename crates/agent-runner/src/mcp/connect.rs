//! Connects to a server.

use std::collections::HashMap;
use std::error::Error;
use std::ffi::OsString;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use rmcp::RoleClient;
use rmcp::model::ProtocolVersion;
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt, Peer, RunningService, ServiceError,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::auth::http::Authorized;
use super::auth::problem;
use super::auth::tokens::Tokens;
use super::client::Client;
use super::config::McpServerConfig;
use super::list::list;
use super::oversized::{MAX_MESSAGE, Output};
use super::process::{self, Process};
use super::watched::Watched;
use crate::error_chain::chain;
use crate::http_client;

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Connected {
    service: RunningService<RoleClient, Client>,
    process: Option<Process>,
}

impl Connected {
    pub(super) fn peer(&self) -> Peer<RoleClient> {
        self.service.peer().clone()
    }

    pub(super) fn client(&self) -> &Client {
        self.service.service()
    }

    /// Adds to a reason what the process has said last.
    pub(super) fn explain(&self, reason: String) -> String {
        match &self.process {
            Some(process) => with_last_words(reason, process),
            None => reason,
        }
    }

    /// Resolves when the connection has ended. A process that has exited may have left its output to others, who keep the
    /// connection open.
    pub(super) async fn closed(&mut self) {
        let client = self.client().clone();
        let Some(process) = &mut self.process else { return client.end().await };
        let exit = async {
            process.exit().await;
            // What it has said is still read.
            let _ = timeout(process::EXIT, client.end()).await;
        };
        tokio::select! {
            () = client.end() => {}
            () = exit => {}
        }
    }

    /// Ends the connection, and the process if there is one.
    pub(super) async fn end(mut self) {
        let _ = timeout(process::EXIT, self.service.close()).await;
        drop(self.service);
        if let Some(process) = self.process {
            process.end().await;
        }
    }
}

/// Connects with the newest revision of the protocol that the server speaks.
///
/// # Errors
/// A sentence for the log.
pub(super) async fn connect(
    config: &McpServerConfig,
    basic: &[(OsString, OsString)],
) -> Result<Connected, String> {
    match attempt(config, basic, newest()).await {
        // Some older servers answer even what they do not know.
        Err(Failure { has_answered: true, .. }) => {
            let older = attempt(config, basic, ClientLifecycleMode::Initialize).await;
            older.map_err(|failure| failure.reason)
        }
        connected => connected.map_err(|failure| failure.reason),
    }
}

/// What a server asks for whom it does not know; `None` if it lets everybody in, or does not say it.
///
/// # Errors
/// A sentence that says why it could not be asked.
pub(super) async fn challenge(config: &McpServerConfig) -> Result<Option<String>, String> {
    let stranger = McpServerConfig { auth: None, ..config.clone() };
    let asked = timeout(config.connect_timeout, attempt(&stranger, &[], newest()));
    match asked.await {
        Ok(Ok(connected)) => {
            let listed = timeout(config.connect_timeout, list(&connected.peer(), config)).await;
            connected.end().await;
            let challenge = |error: &ServiceError| error.auth_challenge().map(str::to_owned);
            Ok(listed.ok().and_then(Result::err).as_ref().and_then(challenge))
        }
        Ok(Err(Failure { challenge: Some(challenge), .. })) => Ok(Some(challenge)),
        Ok(Err(failure)) => Err(failure.reason),
        Err(_) => Err(format!("it did not answer within {} seconds", config.connect_timeout.as_secs())),
    }
}

/// Why a server could not be connected.
struct Failure {
    reason: String,
    /// What the server asks for.
    challenge: Option<String>,
    /// Whether it has answered in a way that the protocol does not have.
    has_answered: bool,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure { reason, challenge: None, has_answered: false }
    }
}

fn newest() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    }
}

async fn attempt(
    config: &McpServerConfig,
    basic: &[(OsString, OsString)],
    lifecycle: ClientLifecycleMode,
) -> Result<Connected, Failure> {
    let client = Client::new(&config.name);
    let (oversized, found) = mpsc::unbounded_channel();
    if let Some(program) = &config.command {
        let (process, input, output) = process::start(config, program, basic)
            .map_err(|error| format!("the program '{program}' could not be started: {error}"))?;
        let output = Output::new(output, MAX_MESSAGE, oversized);
        let transport = AsyncRwTransport::new(output, input).with_max_line_length(MAX_MESSAGE);
        let transport = Watched::new(transport, client.clone(), found);
        let service = match client.serve_with_lifecycle(transport, lifecycle).await {
            Ok(service) => service,
            Err(error) => {
                let failure = unanswered(&error, config);
                return Err(Failure { reason: with_last_words(failure.reason, &process), ..failure });
            }
        };
        return Ok(Connected { service, process: Some(process) });
    }
    let transport = http_transport(config, config.url.as_deref().unwrap_or_default()).await?;
    // The library reports what is too large over HTTP.
    let transport = Watched::new(transport, client.clone(), found);
    let served = client.serve_with_lifecycle(transport, lifecycle).await;
    let service = served.map_err(|error| unanswered(&error, config))?;
    Ok(Connected { service, process: None })
}

fn with_last_words(reason: String, process: &Process) -> String {
    match process.last_words() {
        words if words.is_empty() => reason,
        words => format!("{reason}; its last line on standard error: {words}"),
    }
}

/// Why a server did not answer the first request.
fn unanswered(error: &ClientInitializeError, config: &McpServerConfig) -> Failure {
    match error {
        ClientInitializeError::TransportError { error: cause, .. }
            if let Some(problem) = problem::explain(&*cause.error, config) =>
        {
            let challenge = error.auth_challenge().map(str::to_owned);
            Failure { reason: format!("it {problem}"), challenge, has_answered: false }
        }
        ClientInitializeError::ConnectionClosed(_) => "it ended before it had answered".to_owned().into(),
        // The names of types around the cause help nobody.
        ClientInitializeError::TransportError { error, .. } => root(&*error.error).into(),
        error => Failure { reason: chain(error), challenge: None, has_answered: true },
    }
}

/// The texts of an error and its causes. The library's failure of HTTP does not say that it has any.
fn root(error: &(dyn Error + Send + Sync + 'static)) -> String {
    match error.downcast_ref() {
        Some(StreamableHttpError::<reqwest::Error>::Client(error)) => chain(error),
        _ => chain(error),
    }
}

async fn http_transport(
    config: &McpServerConfig,
    url: &str,
) -> Result<StreamableHttpClientTransport<Authorized>, String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let headers = http_client::to_headers(&config.headers)
        .map_err(|(name, reason)| format!("the header '{name}' {reason}"))?;
    let client = http_client::build(&parsed, |builder| {
        // A stream may be silent for long; calls have limits of their own.
        builder.connect_timeout(config.connect_timeout).redirect(reqwest::redirect::Policy::none())
    });
    let client = client.map_err(|error| chain(&error))?;
    let mut settings = StreamableHttpClientTransportConfig::with_uri(url)
        .max_concurrent_requests(config.max_calls + 4)
        .max_json_response_size(MAX_MESSAGE)
        .max_sse_event_size(MAX_MESSAGE);
    let headers: HashMap<HeaderName, HeaderValue> =
        headers.into_iter().filter_map(|(name, value)| Some((name?, value))).collect();
    settings = settings.custom_headers(headers);
    let tokens = match &config.auth {
        Some(auth) => Some(Tokens::new(url, auth).await.map_err(|error| chain(&error))?),
        None => None,
    };
    Ok(StreamableHttpClientTransport::with_client(Authorized::new(client, tokens), settings))
}
