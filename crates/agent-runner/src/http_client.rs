//! Making HTTP clients: what every client of ours does the same way.

use std::net::IpAddr;

use reqwest::{Client, ClientBuilder, Response, Url};

/// How much of an error's body is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Builds a client for one server; `configure` sets what is particular about it, and may be called twice.
///
/// A server on this machine is asked without a proxy. Where the system has no certificates, as in an empty
/// container, a server without encryption can still be asked.
///
/// # Errors
/// If the client cannot be built, for want of certificates say.
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
fn prepare_tls() {
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

/// Whether the server is on this machine, which no proxy can mean.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

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
