//! What an operator adds to the requests of a `chat` agent: headers and members of the body.

use reqwest::header::HeaderMap;

use super::ChatError;
use crate::SecretMap;
use crate::http_client::to_headers;

/// Members of a request's body that the agent sets itself.
pub(super) const OWN_MEMBERS: [&str; 5] = ["model", "messages", "stream", "stream_options", "tools"];

/// The headers as the HTTP client takes them.
pub(super) fn headers(extra: &SecretMap) -> Result<HeaderMap, ChatError> {
    to_headers(extra).map_err(|(name, reason)| ChatError::Header { name, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers__invalid__are_refused_by_name() {
        for (name, value, expected) in [
            ("a b", "x", "the header 'a b' in extra_headers is not the name of a header"),
            ("Host", "x", "the header 'Host' in extra_headers is set by the HTTP client"),
            ("a", "x\ny", "the header 'a' in extra_headers has a value with characters that are not allowed"),
        ] {
            let mut extra = SecretMap::default();
            extra.insert(name, value);
            assert_eq!(headers(&extra).expect_err(name).to_string(), expected);
        }
    }
}
