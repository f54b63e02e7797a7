//! The layers that every request passes, from the outside in:
//!
//! 1. the request's span, log line and id, so that everything further in is logged with them;
//! 2. CORS, so that browsers can read error responses too;
//! 3. the protocols, which report errors from further in in their own formats;
//! 4. the gate, the first layer that may refuse a request;
//! 5. the application's own layers, such as authentication.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agent_runner::ByteBudget;
use axum::Router;
use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, Version, header, request};
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, Cors, CorsLayer};

use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};
use tracing::Instrument;

use crate::access_log::Logged;
use crate::config::HttpConfig;
use crate::error::ApiError;
use crate::headers::{REQUEST_ID, RUN_ID};
use crate::lifecycle::Refusal;
use crate::protocol::ErrorFormatLayer;
use crate::state::App;

/// The longest request id that is accepted from a client.
const MAX_REQUEST_ID: usize = 128;

/// The paths of health checks, which a server without room still answers: it would otherwise be restarted for its load.
pub(crate) const PROBES: [&str; 3] = ["/health", "/liveness", "/readiness"];

pub(crate) fn around(routes: Router, app: &App, error_format: ErrorFormatLayer) -> Router {
    let exposed = error_format.0.iter().flat_map(|protocol| protocol.exposed_headers());
    let cors = cors(app.http(), exposed.collect());
    routes
        .layer(ValidateRequestHeaderLayer::custom(Gate::new(app)))
        .layer(error_format)
        .layer(ForBrowsers(cors))
        .layer(RequestLog)
}

/// Applies CORS only to requests from web pages, so that other responses do not carry its headers.
#[derive(Clone)]
struct ForBrowsers(CorsLayer);

impl<S: Clone> Layer<S> for ForBrowsers {
    type Service = BrowserAware<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BrowserAware { cors: self.0.layer(inner.clone()), plain: inner }
    }
}

#[derive(Clone)]
struct BrowserAware<S> {
    cors: Cors<S>,
    plain: S,
}

impl<S> Service<Request<Body>> for BrowserAware<S>
where
    S: Service<Request<Body>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<<Cors<S> as Service<Request<Body>>>::Future, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        ready!(self.cors.poll_ready(cx))?;
        self.plain.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // CORS would answer a preflight before the gate refuses what is not HTTP.
        if request.headers().contains_key(header::ORIGIN) && bad_host(&request).is_none() {
            Either::Left(self.cors.call(request))
        } else {
            Either::Right(self.plain.call(request))
        }
    }
}

/// Upstream's CORS responses, but only for loopback origins unless the configuration allows others.
fn cors(config: &HttpConfig, mut exposed: Vec<HeaderName>) -> CorsLayer {
    exposed.extend([REQUEST_ID, RUN_ID, header::RETRY_AFTER]);
    let allowed = config.cors_origins.clone();
    let is_allowed = move |origin: &HeaderValue, _: &request::Parts| {
        origin.to_str().is_ok_and(|origin| origin_is_allowed(origin, &allowed))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_credentials(true)
        .allow_methods(AllowMethods::list([
            Method::DELETE,
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::PATCH,
            Method::POST,
            Method::PUT,
        ]))
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(Duration::from_secs(600))
}

fn origin_is_allowed(origin: &str, allowed: &[String]) -> bool {
    if allowed.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| is_loopback_name(&host))
}

/// Whether a host name or address always means this machine.
fn is_loopback_name(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Rejects requests with which a web page in the user's browser could abuse the server.
///
/// A page may point its own name at a loopback address (DNS rebinding), so requests for hosts that the server does not serve
/// are refused. A page may also send requests without being allowed to read the answers. Those that would have an effect are
/// refused, too. So are WebSockets, as CORS does not apply to them.
///
/// Also refuses requests while the server has no room for more; health checks are answered nevertheless.
#[derive(Clone, Debug)]
struct Gate {
    unread: ByteBudget,
    allowed_hosts: Arc<[String]>,
    allowed_origins: Arc<[String]>,
}

impl Gate {
    fn new(app: &App) -> Self {
        let config = app.http();
        Gate {
            unread: app.unread().clone(),
            allowed_hosts: Arc::from(config.allowed_hosts.clone()),
            allowed_origins: Arc::from(config.cors_origins.clone()),
        }
    }

    /// Why there is no room for a request.
    fn overload(&self, request: &Request<Body>) -> Option<ApiError> {
        if PROBES.contains(&request.uri().path()) {
            return None;
        }
        match request.extensions().get::<Refusal>() {
            Some(Refusal::Server { limit }) => Some(ApiError::TooManyConnections { limit: *limit }),
            Some(Refusal::Address { limit }) => Some(ApiError::TooManyOfAddress { limit: *limit }),
            None if self.unread.is_exceeded() => Some(ApiError::TooMuchUnread { limit: self.unread.limit() }),
            None => None,
        }
    }

    /// The host that a request names, if the server does not serve it.
    fn refused_host<'a>(&self, request: &'a Request<Body>) -> Option<&'a str> {
        let host = host_of(authority(request)?);
        let known = |allowed: &String| allowed == "*" || allowed.eq_ignore_ascii_case(host);
        (!is_loopback_name(host) && !self.allowed_hosts.iter().any(known)).then_some(host)
    }

    /// The origin of a request that would have an effect, if the origin is not allowed.
    fn refused_origin<'a>(&self, request: &'a Request<Body>) -> Option<&'a str> {
        let is_upgrade = request.headers().contains_key(header::UPGRADE);
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !is_upgrade {
            return None;
        }
        let origin = request.headers().get(header::ORIGIN)?.to_str().unwrap_or("?");
        // A page from this server itself, under any name.
        let is_own = origin.split_once("://").is_some_and(|(_, rest)| Some(rest) == authority(request));
        (!is_own && !origin_is_allowed(origin, &self.allowed_origins)).then_some(origin)
    }
}

impl ValidateRequest<Body> for Gate {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request<Body>) -> Result<(), Response> {
        let shown = |text: &str| text.chars().take(255).collect();
        if let Some(error) = self.overload(request).or_else(|| bad_host(request)) {
            return Err(error.into_response());
        }
        if let Some(host) = self.refused_host(request) {
            return Err(ApiError::HostNotAllowed(shown(host)).into_response());
        }
        if let Some(origin) = self.refused_origin(request) {
            return Err(ApiError::OriginNotAllowed(shown(origin)).into_response());
        }
        Ok(())
    }
}

/// What is wrong with the `Host` header, which HTTP/1.1 requires once (RFC 9112, section 3.2).
fn bad_host(request: &Request<Body>) -> Option<ApiError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let message = match (hosts.next(), hosts.next()) {
        (None, _) if request.version() != Version::HTTP_11 => return None,
        (None, _) => "HTTP/1.1 requires a Host header",
        (Some(_), Some(_)) => "The request has more than one Host header",
        (Some(host), None) if host.is_empty() || is_authority(host) => return None,
        (Some(_), None) => "The Host header is not a host with an optional port",
    };
    Some(ApiError::BadHost(message))
}

fn is_authority(host: &HeaderValue) -> bool {
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    // The name is what precedes the port; with a user, it is not at the beginning.
    match authority.as_str().strip_prefix(authority.host()) {
        Some("" | ":") => true,
        Some(_) => authority.port_u16().is_some(),
        None => false,
    }
}

/// The host and port that a request names.
fn authority(request: &Request<Body>) -> Option<&str> {
    let named = request.headers().get(header::HOST).map(|value| value.to_str().unwrap_or("?"));
    request.uri().authority().map(|authority| authority.as_str()).or(named)
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Gives every request an id and a span, and writes its log line when the response has been sent.
#[derive(Clone, Copy, Debug)]
struct RequestLog;

impl<S> Layer<S> for RequestLog {
    type Service = RequestLogged<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestLogged { inner }
    }
}

#[derive(Clone, Debug)]
struct RequestLogged<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for RequestLogged<S>
where
    S: Service<Request<Body>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let id = request_id(&request);
        let line = Logged::start(&request, &id);
        let span = line.span().clone();
        let answer = span.in_scope(|| self.inner.call(request)).instrument(span);
        Box::pin(async move {
            let mut response = answer.await?;
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(line.around(response))
        })
    }
}

/// The client's request id if it can be logged, otherwise a new one.
fn request_id(request: &Request<Body>) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        !bytes.is_empty() && bytes.len() <= MAX_REQUEST_ID && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let id = uuid::Uuid::new_v4().to_string();
        HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_loopback_name__only_loopback__is_true() {
        for name in ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.8.9.10", "[::1]", "::1"] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in
            ["", "example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "[::2]", "127.0.0.1.nip.io"]
        {
            assert!(!is_loopback_name(name), "{name}");
        }
    }

    #[test]
    fn host__port__is_removed() {
        for (authority, host) in [
            ("a:80", "a"),
            ("a", "a"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(host_of(authority), host);
        }
    }

    #[test]
    fn origin__loopback_or_configured__is_allowed() {
        let allowed = ["https://app.example".to_owned()];
        for origin in ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:9", "https://app.example"]
        {
            assert!(origin_is_allowed(origin, &allowed), "{origin}");
        }
        for origin in ["null", "https://evil.example", "https://app.example.evil", "http://localhost.evil:80"]
        {
            assert!(!origin_is_allowed(origin, &allowed), "{origin}");
        }
        assert!(origin_is_allowed("https://any.example", &["*".to_owned()]));
    }
}
