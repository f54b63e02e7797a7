//! What an HTTP request says beside its body.

use std::fmt;

/// The headers and the query of the request that has started a run.
///
/// Headers often have secrets, so nothing stores or prints them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpHead {
    /// Names in lower case and values, in their order. Bytes outside ASCII are characters with the same number.
    pub headers: Vec<(String, String)>,
    /// The query of the URL without its question mark, as the client has encoded it.
    pub query: String,
}

impl HttpHead {
    /// The head with these headers and this query.
    pub fn new(headers: Vec<(String, String)>, query: impl Into<String>) -> Self {
        HttpHead { headers, query: query.into() }
    }
}

impl fmt::Debug for HttpHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpHead").field("headers", &names).finish_non_exhaustive()
    }
}
