//! An answer in a form that allows comparing upstream's and ours.

use std::collections::BTreeMap;
use std::fmt;

use agent_schemas::{Json, JsonObject, json};

use super::names;

/// The headers that matter to a client of the protocol.
const HEADERS: [&str; 9] = [
    "content-type",
    "cache-control",
    "allow",
    "location",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// The JSON of each event of a stream.
    Events(Vec<Json>),
    Json(Json),
    Text(String),
}

impl Answer {
    /// The events of a run without HTTP.
    pub(super) fn events(events: Vec<Json>) -> Self {
        Answer { status: 200, headers: BTreeMap::new(), body: Body::Events(events) }
    }

    /// An HTTP answer, without the headers that do not matter.
    pub(super) fn http<'a>(
        status: u16,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: &[u8],
    ) -> Self {
        let headers: BTreeMap<_, _> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| HEADERS.contains(&name.as_str()))
            .collect();
        let text = String::from_utf8(body.to_vec()).expect("bodies are UTF-8");
        let body = match headers.get("content-type").map(String::as_str) {
            Some(kind) if kind.starts_with("text/event-stream") => Body::Events(events_of(&text)),
            Some("application/json") if !text.is_empty() => Body::Json(parse(&text)),
            _ => Body::Text(text),
        };
        Answer { status, headers, body }
    }

    /// The events of a stream, or the one object of an answer.
    pub(super) fn events_mut(&mut self) -> &mut [Json] {
        match &mut self.body {
            Body::Events(events) => events,
            Body::Json(json) => std::slice::from_mut(json),
            Body::Text(_) => &mut [],
        }
    }

    /// Renames ids and times by their first appearance, so that they are the same in every run.
    pub(super) fn rename(&mut self) {
        let mut names = names::Names::default();
        match &mut self.body {
            Body::Events(events) => events.iter_mut().for_each(|event| names.rename(event)),
            Body::Json(json) => names.rename(json),
            Body::Text(_) => {}
        }
    }
}

/// The events of a stream, without `id:` lines and comments.
fn events_of(text: &str) -> Vec<Json> {
    let data = |frame: &str| {
        let line = frame.lines().find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
        line.map(|json| parse(&json))
    };
    text.split("\n\n").filter_map(data).collect()
}

pub(super) fn parse(text: &str) -> Json {
    json::parse(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// The members of an object, to change them.
pub(super) fn members(json: &mut Json) -> Option<&mut JsonObject> {
    match json {
        Json::Object(members) => Some(members),
        _ => None,
    }
}

/// The items of an array, to change them.
pub(super) fn items(json: Option<&mut Json>) -> &mut [Json] {
    match json {
        Some(Json::Array(items)) => items,
        _ => &mut [],
    }
}

/// The compared text: one line per event, with sorted keys.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        match &self.body {
            Body::Events(events) => events.iter().try_for_each(|event| writeln!(f, "{event}")),
            Body::Json(json) => writeln!(f, "{json}"),
            Body::Text(text) => writeln!(f, "{text}"),
        }
    }
}
