//! The location of a model, and advice for its operator about failed calls. For the log and the terminal, not for
//! clients.

use reqwest::Url;

use super::failure::Failure;
use super::hint::Hint;

/// The location of a model.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The address without its query, which may contain a key.
    url: String,
    /// Whether the path has a version, as in `/v1`.
    has_version: bool,
    /// The environment variable of the key.
    key_variable: Option<String>,
    has_key: bool,
}

impl Place {
    pub(super) fn new(url: &Url, key_variable: Option<String>, has_key: bool) -> Self {
        let mut shown = url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        let is_version = |segment: &str| {
            segment
                .strip_prefix('v')
                .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        };
        let has_version = url.path_segments().is_some_and(|mut segments| segments.any(is_version));
        Place { url: shown.into(), has_version, key_variable, has_key }
    }

    /// Says what happened, where, and what to do.
    pub(super) fn explain(&self, model: &str, failure: &Failure) -> String {
        let advice = self.advice(model, failure.hint);
        let separator = if advice.is_empty() { "" } else { ". " };
        format!("{} ({}){separator}{advice}", failure.what, self.url)
    }

    fn advice(&self, model: &str, hint: Hint) -> String {
        match hint {
            Hint::None => String::new(),
            Hint::Refused => "Nothing is listening there: start the model server, or correct base_url (OPENAI_BASE_URL)".to_owned(),
            Hint::HostName => {
                "The host name is unknown: correct base_url (OPENAI_BASE_URL), or check the network".to_owned()
            }
            Hint::Certificate => {
                "The server's certificate is not accepted: correct the host name in base_url, or install the certificate \
                 of its issuer on this machine"
                    .to_owned()
            }
            Hint::NotTls => "The server does not seem to speak TLS: use http:// in base_url".to_owned(),
            Hint::NotHttp => "The answer is not HTTP: if the server speaks TLS, use https:// in base_url".to_owned(),
            Hint::Network => "Check base_url (OPENAI_BASE_URL) and the network".to_owned(),
            Hint::Proxy => "A proxy refused the connection: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY".to_owned(),
            Hint::Timeout(setting) => {
                format!("Check that the model server responds, or raise {setting}")
            }
            Hint::Key => self.key_advice("Correct"),
            Hint::Forbidden => format!(
                "The server does not allow the model '{model}' with this key, or not from this address. {}",
                self.key_advice("Check")
            ),
            Hint::Path if self.has_version => {
                "This does not look like a chat completions endpoint: correct base_url (OPENAI_BASE_URL)".to_owned()
            }
            Hint::Path => {
                "This does not look like a chat completions endpoint: is /v1 missing at the end of base_url \
                 (OPENAI_BASE_URL)?"
                    .to_owned()
            }
            Hint::Model => {
                format!("The server does not have the model '{model}': correct `model` (OPENAI_MODEL), or install it there")
            }
            Hint::Quota => "The account has no credit left: add credit, or use another key".to_owned(),
            Hint::Rate(Some(time)) => format!("Too many requests: try again in {} s", time.as_secs().max(1)),
            Hint::Rate(None) => "Too many requests: try again later".to_owned(),
            Hint::Context => {
                "The conversation is longer than the model's context: start a new session, or lower history_tokens"
                    .to_owned()
            }
            Hint::Request => {
                format!("The server does not accept the request: check that the model '{model}' supports what it asks for")
            }
            Hint::Server => "The model server failed: see its log, or try again".to_owned(),
        }
    }

    fn key_advice(&self, verb: &str) -> String {
        match (&self.key_variable, self.has_key) {
            (Some(variable), true) => format!("{verb} the key in {variable}"),
            (Some(variable), false) => format!("{variable} is empty: set it to a key of the model server"),
            (None, _) => {
                "No key was sent: set OPENAI_API_KEY, or name the variable of the key as api_key_env in the configuration"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::StatusCode;

    use super::*;

    fn place(base: &str, variable: Option<&str>) -> Place {
        Place::new(&Url::parse(base).expect(base), variable.map(str::to_owned), variable.is_some())
    }

    #[track_caller]
    fn check(place: &Place, status: u16, body: &str, expected: &[&str]) {
        let status = StatusCode::from_u16(status).expect("a status");
        let text = place.explain("m", &Failure::status("m", status, body, None, None));
        for part in expected {
            assert!(text.contains(part), "{part:?} is missing in {text:?}");
        }
    }

    #[test]
    fn explain__refused_key__names_the_variable_or_that_there_is_none() {
        let with_key = place("https://h/v1/chat/completions?key=secret", Some("MY_KEY"));
        let body = r#"{"error":{"message":"Incorrect API key provided"}}"#;
        let expected = [
            "401 Unauthorized: Incorrect API key provided",
            "(https://h/v1/chat/completions)",
            "the key in MY_KEY",
        ];
        check(&with_key, 401, body, &expected);
        check(
            &place("https://h/v1/chat/completions", None),
            401,
            "",
            &["No key was sent: set OPENAI_API_KEY"],
        );
        check(&with_key, 403, "", &["the model 'm'", "MY_KEY"]);
        let text = with_key.explain("m", &Failure::cut("m"));
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn explain__wrong_path__asks_for_v1_unless_it_is_there() {
        check(
            &place("http://h/chat/completions", None),
            404,
            "<html>",
            &["is /v1 missing at the end of base_url"],
        );
        check(&place("http://h/v1/chat/completions", None), 404, "", &["correct base_url"]);
        check(&place("http://h/chat/completions", None), 405, "", &["is /v1 missing"]);
        let missing = r#"{"error":{"message":"model not found"}}"#;
        check(&place("http://h/chat/completions", None), 404, missing, &["does not have the model 'm'"]);
    }

    #[test]
    fn explain__limits_and_faults__say_what_to_do() {
        let place = place("http://h/v1/chat/completions", None);
        check(&place, 429, r#"{"error":{"type":"insufficient_quota"}}"#, &["no credit left"]);
        check(&place, 429, "", &["try again later"]);
        check(&place, 503, "overloaded", &["503 Service Unavailable: overloaded", "see its log"]);
        check(&place, 400, r#"{"error":{"message":"prompt is too long"}}"#, &["history_tokens"]);
        let redirect = Failure::status("m", StatusCode::MOVED_PERMANENTLY, "", None, Some("https://h/v1"));
        assert!(place.explain("m", &redirect).contains("redirects to https://h/v1"));
        let limited =
            Failure::status("m", StatusCode::TOO_MANY_REQUESTS, "", Some(Duration::from_secs(7)), None);
        assert!(place.explain("m", &limited).contains("try again in 7 s"));
    }
}
