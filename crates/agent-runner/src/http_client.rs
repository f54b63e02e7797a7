//! Builds HTTP clients; the part that all clients here share.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Response, Url};

use crate::SecretMap;

/// How much of an error's body is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Headers that the HTTP client sets itself.
const OWN_HEADERS: [&str; 5] = ["content-length", "content-type", "host", "transfer-encoding", "connection"];

/// Headers as the client takes them, marked as sensitive.
///
/// # Errors
/// The name of a header that cannot be sent, and why, such as "is not the name of a header".
pub(crate) fn to_headers(headers: &SecretMap) -> Result<HeaderMap, (String, &'static str)> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.expose() {
        let fault = |reason| (name.to_owned(), reason);
        let parsed: HeaderName = name.parse().map_err(|_| fault("is not the name of a header"))?;
        if OWN_HEADERS.contains(&parsed.as_str()) {
            return Err(fault("is set by the HTTP client"));
        }
        let value = HeaderValue::from_str(value.trim());
        let mut value = value.map_err(|_| fault("has a value with characters that are not allowed"))?;
        value.set_sensitive(true);
        map.insert(parsed, value);
    }
    Ok(map)
}

/// Builds a client for one server; `configure` sets its specific options, and may be called twice.
///
/// Requests to a server on this machine bypass proxies. If the system has no certificates, as in an empty
/// container, a server without encryption can still be called.
///
/// # Errors
/// If the client cannot be built, for example because the system has no certificates.
pub fn build(url: &Url, configure: impl Fn(ClientBuilder) -> ClientBuilder) -> reqwest::Result<Client> {
    prepare_tls();
    let builder = || {
        let builder = configure(Client::builder());
        if is_local(url) { builder.no_proxy() } else { builder }
    };
    match builder().build() {
        Err(_) if url.scheme() == "http" => builder().tls_certs_only([]).build(),
        built => built,
    }
}

/// Chooses the cryptography, once for the whole process. Another choice that was made before stays.
pub(crate) fn prepare_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may just have chosen: that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// The beginning of an error's body; empty where it cannot be read.
pub async fn error_body(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= MAX_ERROR_BODY {
            body.truncate(MAX_ERROR_BODY);
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// Whether the server is on this machine, where a proxy is never meant.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers__values__are_sensitive() {
        let mut headers = SecretMap::default();
        headers.insert("X-Key", " geheim\n");
        let map = to_headers(&headers).expect("a header");
        assert_eq!(map["x-key"], "geheim");
        assert!(!format!("{map:?}").contains("geheim"));
    }

    #[test]
    fn is_local__only_loopback_hosts__is_true() {
        let check =
            |url: &str, local: bool| assert_eq!(is_local(&Url::parse(url).expect(url)), local, "{url}");
        check("https://api.openai.com/v1", false);
        check("http://localhost.example.com/v1", false);
        check("http://localhost:8000/v1", true);
        check("http://127.1.2.3/v1", true);
        check("http://[::1]:8000/v1", true);
    }
}
