//! The errors that model servers send, in any of the usual formats.

use std::time::Duration;

use agent_schemas::{Error, Json};

use super::super::hint::Hint;
use super::{BAD_GATEWAY, Failure, Retry, shortened, whole_seconds};

/// Phrases, in lower case, that servers use when a conversation is too long for the model: OpenAI, vLLM (three
/// versions), llama.cpp (two), DashScope, LM Studio, Anthropic, TGI (two), Volcano, Gemini, xAI, SGLang, Kimi, Zhipu,
/// Bedrock.
const TOO_LONG: [&str; 19] = [
    "maximum context length",
    "context_length_exceeded",
    "context length is only",
    "longer than the maximum model length",
    "exceed_context_size",
    "exceeds the available context size",
    "range of input length should be",
    "exceeds context length",
    "exceed context limit",
    "prompt is too long",
    "exceeds the maximum length",
    "exceeds the maximum number of tokens",
    "exceeds the context window",
    "maximum prompt length",
    "longer than the model's context length",
    "exceeded model token limit",
    "prompt exceeds max length",
    "input is too long",
    "`inputs` tokens + `max_new_tokens` must be",
];

/// Phrases that servers use when a limit requires payment rather than time.
const OUT_OF_QUOTA: [&str; 5] =
    ["insufficient_quota", "billing_hard_limit", "arrearage", "insufficient balance", "insufficient_balance"];

/// The names of errors that servers send without a status, in lower case, and the status that they mean.
const NAMED_STATUSES: [(&str, u16); 9] = [
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("resource_exhausted", 429),
    ("invalid_request_error", 400),
    ("invalid_argument", 400),
    ("authentication_error", 401),
    ("permission_error", 403),
    ("overloaded_error", 503),
    ("timeout_error", 504),
];

/// A server's own description of an error, in any of the usual formats.
pub(super) struct Report {
    pub(super) message: String,
    code: String,
    /// The message for the client if the model server refused the request.
    refusal: Option<String>,
    /// The names of the error: its code, its type and its status.
    names: [String; 3],
    /// Message, code and type in lower case, for matching known phrases.
    all: String,
}

impl Report {
    pub(super) fn new(json: &Json) -> Self {
        // Google wraps the object in an array, most servers in a member `error`.
        let json = json.as_array().and_then(<[Json]>::first).unwrap_or(json);
        let inner = json.get("error").filter(|inner| !inner.is_null()).unwrap_or(json);
        let member = |key: &str| match inner.get(key).or_else(|| json.get(key)) {
            Some(Json::String(text)) => text.clone(),
            None | Some(Json::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let message = match (inner, member("message")) {
            (Json::String(text), _) => text.clone(),
            (_, message) if !message.is_empty() => message,
            _ => member("detail"),
        };
        let code = member("code");
        let refusal = match inner.get("detail").or_else(|| json.get("detail")) {
            Some(Json::Array(faults)) => Some(validation_faults(faults)),
            _ => Some(shortened(&message)).filter(|text| !text.starts_with('<')),
        };
        let names = [code.clone(), member("type"), member("status")].map(|name| name.to_lowercase());
        let all = format!("{message} {code} {}", names[1]).to_lowercase();
        Report { message, code, refusal: refusal.filter(|text| !text.is_empty()), names, all }
    }

    /// The status of an error that arrived without an HTTP status; 0 if it is unknown.
    pub(super) fn status(&self) -> u16 {
        let number = |name: &String| name.parse().ok().filter(|status| (400..600).contains(status));
        let known = || {
            NAMED_STATUSES
                .iter()
                .find(|(name, _)| self.names.iter().any(|own| own == name))
                .map(|(_, status)| *status)
        };
        self.names.iter().find_map(number).or_else(known).unwrap_or(0)
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.all.contains(word))
    }

    pub(super) fn failure(
        &self,
        model: &str,
        status: u16,
        kind: &str,
        what: String,
        after: Option<Duration>,
    ) -> Failure {
        let model_name = model.to_owned();
        let soon = after.map_or(Retry::Soon, Retry::After);
        let not_found = Error::ModelNotFound { model_name: model_name.clone() };
        match status {
            401 | 403 => {
                let model_name = format!("{model}: the model server refused this server's credentials");
                let hint = if status == 401 { Hint::Key } else { Hint::Forbidden };
                Failure::new(Error::UnauthorizedModelAccess { model_name }, what, hint, Retry::Never)
            }
            404 if self.is_about_model(model) => Failure::new(not_found, what, Hint::Model, Retry::Never),
            // The client cannot know the path.
            404 => {
                let error = not_found.to_body().with_status(BAD_GATEWAY);
                Failure::new(error.into(), what, Hint::Path, Retry::Never)
            }
            402 => out_of_quota(model, what),
            _ if self.says(&OUT_OF_QUOTA) => out_of_quota(model, what),
            429 => Failure::new(rate_limited(model, after), what, Hint::Rate(after), soon),
            _ if self.says(&TOO_LONG) => {
                let error = Error::ModelContextLengthExceeded { model_name };
                Failure::new(error, what, Hint::Context, Retry::Never)
            }
            _ if self.code == "model_not_found" => Failure::new(not_found, what, Hint::Model, Retry::Never),
            503 | 529 => Failure::execution(model, kind, what, Hint::Server, soon).with_status(503, after),
            408 | 504 => Failure::execution(model, kind, what, Hint::Server, soon).with_status(504, after),
            // An error without a status came with `200 OK`: the server was reached, but failed.
            0 | 500.. => Failure::execution(model, kind, what, Hint::Server, soon),
            300..=399 | 405 => Failure::execution(model, kind, what, Hint::Path, Retry::Never),
            407 => Failure::execution(model, kind, what, Hint::Proxy, Retry::Never),
            400 | 413 | 415 | 422 => {
                let kind =
                    self.refusal.as_ref().map_or_else(|| kind.to_owned(), |said| format!("{kind}: {said}"));
                Failure::execution(model, &kind, what, Hint::Request, Retry::Never).with_status(400, None)
            }
            _ => Failure::execution(model, kind, what, Hint::Request, Retry::Never),
        }
    }

    /// Returns whether a 404 is about the model. A server with nothing at the path does not mention one, or answers
    /// with a page.
    fn is_about_model(&self, model: &str) -> bool {
        let model = model.to_lowercase();
        let is_end = |character: char| character.is_whitespace() || "'\"`,;()".contains(character);
        let names_it = self.all.contains("model") || self.all.split(is_end).any(|word| word == model);
        names_it && !self.message.trim_start().starts_with('<')
    }
}

/// The model server asks for fewer requests.
fn rate_limited(model: &str, after: Option<Duration>) -> Error {
    let seconds = after.map(whole_seconds);
    // Codex reads the time to wait from this text.
    let when = seconds.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} s"));
    let model_name = format!("{model}: the model server limits the rate of requests; try again {when}");
    let error = Error::ModelQuotaExceeded { model_name };
    match seconds {
        Some(seconds) => error.to_body().with_retry_after(seconds).into(),
        None => error,
    }
}

/// A limit that requires payment rather than time.
fn out_of_quota(model: &str, what: String) -> Failure {
    let model_name = format!("{model}: this server's account at the model server has no credit left");
    Failure::new(Error::ModelQuotaExceeded { model_name }, what, Hint::Quota, Retry::Never)
}

/// FastAPI's list of faults, without the rejected values: they may be from the part of the request that this server
/// added.
fn validation_faults(faults: &[Json]) -> String {
    let text = |step: &Json| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    let faults = faults.iter().filter_map(|fault| {
        let place = fault.get("loc").and_then(Json::as_array).unwrap_or_default();
        let place: Vec<String> = place.iter().map(text).collect();
        let message = fault.get("msg")?.as_str()?;
        Some(if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) })
    });
    shortened(&faults.collect::<Vec<_>>().join("; "))
}
