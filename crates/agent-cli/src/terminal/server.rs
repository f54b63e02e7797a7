//! The HTTP side: questions to a server and the events of its answers.

use std::time::Duration;

use crate::config::ConfigError;
use agent_runner::sse_reader::{SseEvent, SseParser};
use agent_runner::{ExposeSecret, SecretString, http_client};
use agent_schemas::AgentRequest;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::client_error::ClientError;

/// The path that starts runs, unless the address contains another one.
const DEFAULT_PATH: &str = "/process";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may take to acknowledge a cancellation.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of one event. The last event repeats the whole run, which other servers may allow to grow further.
const MAX_EVENT: usize = 256 * 1024 * 1024;

/// A server that runs agents.
#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    url: Url,
}

impl Server {
    /// A server at an address. If there is a token, requests send it.
    ///
    /// # Errors
    /// If the address or the token is invalid.
    pub(super) fn new(address: &str, token: Option<&SecretString>) -> Result<Self, ConfigError> {
        let url = endpoint(address)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret().trim()));
            let mut value = value.map_err(|_| {
                ConfigError::from_message("AGENT_SERVER_TOKEN has characters that are not allowed in a token")
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = client(&url, &headers)
            .map_err(|error| ConfigError::from_message(format!("could not set up TLS: {error}")))?;
        Ok(Server { client, url })
    }

    /// The address that questions are sent to.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Checks that a server responds at the address, with any response.
    pub(super) async fn check(&self) -> Result<(), ClientError> {
        let mut url = self.url.clone();
        url.set_path("/");
        url.set_query(None);
        let answer = self.client.get(url).send().await;
        answer.map(drop).map_err(|error| ClientError::transport(&self.url, &error))
    }

    /// Sends a request and waits for the response to begin.
    pub(super) async fn ask(&self, request: &AgentRequest) -> Result<Answer, ClientError> {
        let response = self.client.post(self.url.clone()).json(request).send().await;
        let response = response.map_err(|error| ClientError::transport(&self.url, &error))?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = retry_after.map(str::to_owned);
            let body = http_client::error_body(response).await;
            return Err(ClientError::status(&self.url, status, retry_after.as_deref(), &body));
        }
        Answer::new(&self.url, response)
    }

    /// Asks the server to cancel a run. A run that has ended stays as it is.
    pub(super) async fn cancel(&self, run_id: &str) -> Result<(), ClientError> {
        let response = self.client.post(self.url_of_cancel(run_id)).timeout(CANCEL_TIMEOUT).send().await;
        let response = response.map_err(|error| ClientError::transport(&self.url, &error))?;
        let status = response.status();
        if status.is_success() || matches!(status, StatusCode::CONFLICT | StatusCode::GONE) {
            return Ok(());
        }
        let body = http_client::error_body(response).await;
        Err(ClientError::status(&self.url, status, None, &body))
    }

    /// The URL that cancels a run: beside the path that starts runs if that has its usual name, otherwise below the
    /// root.
    fn url_of_cancel(&self, run_id: &str) -> Url {
        let mut url = self.url.clone();
        let prefix = self.url.path().strip_suffix(DEFAULT_PATH).unwrap_or_default();
        url.set_path(&format!("{prefix}/runs/"));
        url.set_query(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend([run_id, "cancel"]);
        }
        url
    }
}

/// An answer that has begun. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response,
    url: Url,
    parser: SseParser,
    run_id: Option<String>,
}

impl Answer {
    /// The stream of events of a successful response.
    pub(crate) fn new(url: &Url, response: Response) -> Result<Self, ClientError> {
        let header = |name| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("text/event-stream") {
            return Err(ClientError::content_type(url, essence));
        }
        let run_id = header("x-run-id");
        Ok(Answer { response, url: url.clone(), parser: SseParser::new(MAX_EVENT), run_id })
    }

    /// The run's id, if the server sent it.
    pub(super) fn run_id(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    /// The next events, at least one; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<SseEvent>>, ClientError> {
        let mut events = Vec::new();
        while events.is_empty() {
            let chunk = self.response.chunk().await;
            let Some(bytes) = chunk.map_err(|error| ClientError::transport(&self.url, &error))? else {
                return Ok(None);
            };
            self.parser.push(&bytes, &mut events).map_err(ClientError::event)?;
        }
        Ok(Some(events))
    }
}

/// The URL for an address.
fn endpoint(address: &str) -> Result<Url, ConfigError> {
    let address = address.trim();
    let fault = |why: &str| {
        ConfigError::from_message(format!("the address should look like http://127.0.0.1:8080, but {why}"))
    };
    let with_scheme = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let mut url = Url::parse(&with_scheme).map_err(|error| fault(&format!("'{address}': {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("its scheme is not http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("it contains a user name or a password; set AGENT_SERVER_TOKEN instead"));
    }
    if url.path() == "/" {
        url.set_path(DEFAULT_PATH);
    }
    Ok(url)
}

fn client(url: &Url, headers: &HeaderMap) -> reqwest::Result<Client> {
    http_client::build(url, |builder| {
        builder
            .user_agent(concat!("agent-server/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers.clone())
            .connect_timeout(CONNECT_TIMEOUT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: &str) {
        let found = endpoint(address).map_or_else(|error| error.to_string(), String::from);
        assert!(found.contains(expected), "{address}: {found}");
    }

    #[test]
    fn server_url__accepted_forms__are_completed() {
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080/process");
        check(" https://h/ ", "https://h/process");
        check("localhost:8080", "http://localhost:8080/process");
        check("127.0.0.1:8080/agents/a", "http://127.0.0.1:8080/agents/a");
        check("http://h/v1/run?x=1", "http://h/v1/run?x=1");
        check("[::1]:8080", "http://[::1]:8080/process");
    }

    #[test]
    fn url_of_cancel__any_endpoint__is_beside_it() {
        let check = |address: &str, expected: &str| {
            let server = Server::new(address, None).expect(address);
            assert_eq!(server.url_of_cancel("run_1").as_str(), expected, "{address}");
        };
        check("http://h:1", "http://h:1/runs/run_1/cancel");
        check("http://h/a/process?x=1", "http://h/a/runs/run_1/cancel");
        check("http://h/api/chat", "http://h/runs/run_1/cancel");
    }

    #[test]
    fn server_url__invalid__names_the_problem() {
        check("ftp://h", "but its scheme is not http or https");
        check("http://", "empty host");
        check("http://user:secret@h", "a user name or a password");
        check("", "empty host");
    }

    #[test]
    fn server_token__debug_and_errors__hide_it() {
        let server = Server::new("http://127.0.0.1:1", Some(&SecretString::from("s3cret"))).expect("valid");
        assert!(!format!("{server:?}").contains("s3cret"));
        let error =
            Server::new("http://127.0.0.1:1", Some(&SecretString::from("s3\ncret"))).expect_err("a line end");
        assert!(!error.to_string().contains("cret"), "{error}");
    }
}
