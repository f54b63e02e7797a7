//! The kind of fault that made a model call fail, which determines the advice.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// The kind of advice about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// No advice.
    None,
    /// Nothing listens at the address.
    Refused,
    /// The host's name has no address.
    HostName,
    /// The certificate is not accepted.
    Certificate,
    /// The server does not speak TLS.
    NotTls,
    /// The server does not speak HTTP, or expects TLS.
    NotHttp,
    /// The address cannot be reached for another reason.
    Network,
    /// A proxy refused the connection.
    Proxy,
    /// The time limit in the setting with this name was reached.
    Timeout(&'static str),
    /// The key is missing or wrong.
    Key,
    /// The key does not permit this.
    Forbidden,
    /// The path is not that of a chat completions endpoint.
    Path,
    /// The server does not have the model.
    Model,
    /// The account has no credit.
    Quota,
    /// There were too many requests; the server may have said how long to wait.
    Rate(Option<Duration>),
    /// The conversation is too long.
    Context,
    /// The server does not accept the request.
    Request,
    /// The server failed.
    Server,
}

impl Hint {
    /// Why a connection could not be established.
    pub(super) fn of_connect(error: &dyn StdError, causes: &[String]) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            if cause
                .downcast_ref::<io::Error>()
                .is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
            {
                return Hint::Refused;
            }
            source = cause.source();
        }
        let says = |words: &[&str]| causes.iter().any(|cause| words.iter().any(|word| cause.contains(word)));
        if says(&["dns error", "failed to lookup address"]) {
            Hint::HostName
        } else if says(&["certificate", "UnknownIssuer"]) {
            Hint::Certificate
        } else if says(&[
            "corrupt message",
            "InvalidContentType",
            "record overflow",
            "unexpected EOF",
            "handshake eof",
        ]) {
            Hint::NotTls
        } else if says(&["proxy", "tunnel"]) {
            Hint::Proxy
        } else {
            Hint::Network
        }
    }

    /// Why a connection broke.
    pub(super) fn of_broken(causes: &[String]) -> Self {
        let is_other_protocol =
            |cause: &String| cause.contains("invalid HTTP version") || cause.contains("invalid HTTP header");
        if causes.iter().any(is_other_protocol) { Hint::NotHttp } else { Hint::Server }
    }
}
