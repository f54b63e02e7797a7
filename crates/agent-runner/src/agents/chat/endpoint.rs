//! The HTTP side of a model: the address, the key, timeouts and retries.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::Clock;
use agent_services::retry::Backoff;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Response, Url, redirect};
use tokio::time::{sleep, timeout};

use super::ChatError;
use super::config::{ChatConfig, Times};
use super::extra;
use super::failure::{FIRST_TOKEN_TIMEOUT, Failure, Retry};
use super::model::{Chunks, Model};
use super::place::Place;
use super::stream::ChunkStream;
use crate::{ExposeSecret, SecretString, Services, http_client};

/// The longest `Retry-After` that is honored; if a server asks for more, the call fails at once.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The length of the shortest secret that is searched for in error texts.
const MIN_SECRET: usize = 4;

/// One server with one key.
#[derive(Debug)]
pub(super) struct Endpoint {
    client: Client,
    url: Url,
    place: Place,
    /// What must not appear in the log: the key and the values of extra headers.
    secrets: Arc<[SecretString]>,
    /// The headers of each request; those with secrets are marked as sensitive.
    headers: HeaderMap,
    times: Times,
    max_retries: u32,
}

impl Endpoint {
    pub(super) fn new(
        key: Option<SecretString>,
        config: &ChatConfig,
        times: Times,
    ) -> Result<Self, ChatError> {
        let url = completions_url(&config.base_url)?;
        let key = key.filter(|key| !key.expose_secret().trim().is_empty());
        let extra = extra::headers(&config.extra_headers)?;
        let mut secrets: Vec<SecretString> =
            extra.values().filter_map(|value| Some(value.to_str().ok()?.into())).collect();
        let place = Place::new(&url, config.api_key_env.clone(), key.is_some());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret().trim()));
            let mut value = value.map_err(|_| ChatError::Key)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            secrets.push(key);
        }
        headers.extend(extra);
        let (client, max_retries) = (client(&url, times.connect)?, config.max_retries);
        Ok(Endpoint { client, url, place, secrets: secrets.into(), headers, times, max_retries })
    }

    /// Sends a request, and retries until the answer has started or the failure is final.
    async fn begin(&self, body: Bytes, model: &str, services: &Services) -> Result<ChunkStream, Failure> {
        let mut backoff = Backoff::new(self.times.retry_delay, MAX_WAIT);
        let mut attempt = 0;
        loop {
            let failure = match self.attempt(body.clone(), model, &*services.clock).await {
                Ok(stream) => return Ok(stream),
                Err(failure) => redacted(failure, &self.secrets),
            };
            let delay = backoff.next_delay_with_jitter(&*services.ids);
            let delay = match failure.retry {
                Retry::Soon => delay,
                Retry::After(time) if time <= MAX_WAIT => time,
                Retry::Never | Retry::After(_) => return Err(failure),
            };
            if attempt == self.max_retries {
                return Err(failure);
            }
            attempt += 1;
            tracing::warn!(
                model.name = model,
                error.code = failure.error.code(),
                attempt,
                "repeating a model call: {}",
                self.explain(model, &failure)
            );
            sleep(delay).await;
        }
    }

    /// One attempt: sends the request and reads up to the first token.
    async fn attempt(&self, body: Bytes, model: &str, clock: &dyn Clock) -> Result<ChunkStream, Failure> {
        let limit = self.times.first_token;
        let begun = timeout(limit, async {
            let mut stream =
                ChunkStream::new(self.send(body, model, clock).await?, model, self.times.connect);
            stream.read_to_first_token().await?;
            Ok(stream)
        });
        // A user who has waited that long once does not want to wait again.
        begun.await.unwrap_or_else(|_| Err(Failure::timeout(model, FIRST_TOKEN_TIMEOUT, limit, Retry::Never)))
    }

    async fn send(&self, body: Bytes, model: &str, clock: &dyn Clock) -> Result<Response, Failure> {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let response = request.send().await;
        let response =
            response.map_err(|error| Failure::transport(model, &error.without_url(), self.times.connect))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, after) = (response.status(), retry_after(response.headers(), clock));
        let location = location(&self.url, response.headers()).filter(|_| status.is_redirection());
        let body = http_client::error_body(response).await;
        Err(Failure::status(model, status, &body, after, location.as_deref()))
    }
}

#[async_trait]
impl Model for Endpoint {
    fn is_openai(&self) -> bool {
        is_openai(&self.url)
    }

    async fn open(&self, body: Bytes, model: &str, services: &Services) -> Result<Chunks, Failure> {
        let items = self.begin(body, model, services).await?.into_items(self.times.idle);
        let secrets = Arc::clone(&self.secrets);
        Ok(items.map(move |item| item.map_err(|failure| redacted(failure, &secrets))).boxed())
    }

    fn explain(&self, model: &str, failure: &Failure) -> String {
        self.place.explain(model, failure)
    }
}

/// The failure without secrets, which a server may repeat in its error. Short secrets are not searched for, because
/// they may be part of ordinary words.
fn redacted(failure: Failure, secrets: &[SecretString]) -> Failure {
    let secrets = secrets.iter().map(|secret| secret.expose_secret().trim());
    secrets.filter(|secret| secret.len() >= MIN_SECRET).fold(failure, Failure::redacted)
}

/// Where a redirect leads, without a query.
fn location(from: &Url, headers: &HeaderMap) -> Option<String> {
    let mut to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    to.set_query(None);
    Some(to.into())
}

fn completions_url(base_url: &str) -> Result<Url, ChatError> {
    let fault = |reason| ChatError::Setting { name: "base_url", reason };
    let mut url = Url::parse(base_url.trim()).map_err(|_| fault("should be an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("should start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("should not contain a user name or a password; set the key in the environment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/chat/completions") {
        url.set_path(&format!("{path}/chat/completions"));
    }
    Ok(url)
}

fn client(url: &Url, connect_limit: Duration) -> Result<Client, ChatError> {
    let client = http_client::build(url, |builder| {
        builder
            .user_agent(concat!("agent-runner/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(connect_limit)
    });
    client.map_err(|error| ChatError::Client(error.to_string()))
}

fn is_openai(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "api.openai.com" || host.ends_with(".openai.azure.com")
}

/// The server's retry delay: OpenAI's milliseconds, seconds, or a date.
fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let until_date = || {
        let date = jiff::fmt::rfc2822::parse(text("retry-after")?).ok()?;
        u32::try_from(date.timestamp().as_second() - clock.unix_seconds()).ok().map(f64::from)
    };
    let milliseconds = number("retry-after-ms").map(|milliseconds| milliseconds / 1000.0);
    let seconds = milliseconds.or_else(|| number("retry-after")).or_else(until_date)?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use agent_services::clock::ManualClock;
    use reqwest::header::HeaderName;

    use super::*;

    #[track_caller]
    fn check_url(base: &str, expected: &str) {
        let url = completions_url(base).map_or_else(|error| error.to_string(), String::from);
        assert_eq!(url, expected, "{base}");
    }

    #[test]
    fn endpoint__base_url__gets_the_path() {
        check_url("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions");
        check_url(" http://localhost:11434/v1/ ", "http://localhost:11434/v1/chat/completions");
        check_url("http://h", "http://h/chat/completions");
        check_url("https://h/v1?api-version=2", "https://h/v1/chat/completions?api-version=2");
        check_url("https://h/v1/chat/completions", "https://h/v1/chat/completions");
    }

    #[test]
    fn endpoint__invalid_url__is_refused_without_showing_it() {
        check_url("localhost:11434/v1", "base_url should start with http:// or https://");
        check_url("/v1", "base_url should be an absolute URL");
        check_url(
            "https://user:secret@h/v1",
            "base_url should not contain a user name or a password; set the key in the environment",
        );
    }

    #[test]
    fn retry_after__every_form__is_read() {
        let read = |name: &'static str, value: &'static str| {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            // 2026-10-21T07:27:50Z
            retry_after(&headers, &ManualClock::at(1_792_567_670))
        };
        assert_eq!(read("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(read("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(read("retry-after-ms", "20"), Some(Duration::from_millis(20)));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(read("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT"), None);
        assert_eq!(read("retry-after", "-1"), None);
    }

    #[test]
    fn is_openai__only_openai_hosts__is_true() {
        let check = |url: &str, openai: bool| {
            assert_eq!(is_openai(&Url::parse(url).expect(url)), openai, "{url}");
        };
        check("https://api.openai.com/v1", true);
        check("https://me.openai.azure.com/openai/v1", true);
        check("https://dashscope.aliyuncs.com/compatible-mode/v1", false);
        check("http://localhost:8000/v1", false);
    }
}
