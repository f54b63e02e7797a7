//! The order of messages.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::rpc::{Kind, kind};
use super::{Headers, Step, Transport, Version, Violation, headers, is_method, results};

/// The levels of log messages, the least severe first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Every violation in a conversation of one client with a server.
pub fn check(version: Version, transport: Transport, steps: &[Step]) -> Vec<Violation> {
    let mut witness = Witness { version, transport, ..Witness::new() };
    for step in steps {
        if let Step::Answered { call, .. } | Step::Received { call: Some(call), .. } = step
            && *call >= witness.calls.len()
        {
            witness.report("answer", format!("call {call} was not made"));
            continue;
        }
        match step {
            Step::Sent { message, headers } => witness.sent(message, headers),
            Step::Answered { call, status, headers, body } => {
                witness.answered(*call, *status, headers, body.as_ref());
            }
            Step::Received { call, event_id, message } => {
                witness.received(*call, event_id.as_deref(), message.as_ref());
            }
            Step::Ended { call, by_client } => witness.ended(*call, *by_client),
        }
    }
    witness.violations
}

/// A message of the client.
struct Call {
    message: Value,
    is_answered: bool,
    is_cancelled: bool,
    /// Whether its stream has ended, or will not begin.
    is_over: bool,
    /// How many events its stream had.
    events: usize,
    has_event_ids: bool,
    progress: Option<f64>,
}

struct Witness {
    version: Version,
    transport: Transport,
    violations: Vec<Violation>,
    calls: Vec<Call>,
    ids: HashSet<String>,
    server_ids: HashMap<String, bool>,
    event_ids: HashSet<String>,
    client_capabilities: Value,
    server_capabilities: Value,
    is_ready: bool,
    level: Option<usize>,
    subscribed: HashSet<String>,
    tool_names: HashSet<String>,
}

impl Witness {
    fn new() -> Self {
        Witness {
            version: Version::Sessions,
            transport: Transport::Http,
            violations: Vec::new(),
            calls: Vec::new(),
            ids: HashSet::new(),
            server_ids: HashMap::new(),
            event_ids: HashSet::new(),
            client_capabilities: Value::Null,
            server_capabilities: Value::Null,
            is_ready: false,
            level: None,
            subscribed: HashSet::new(),
            tool_names: HashSet::new(),
        }
    }

    fn report(&mut self, rule: &'static str, text: impl Into<String>) {
        self.violations.push(Violation { rule, text: text.into() });
    }

    fn is_modern(&self) -> bool {
        self.version == Version::Stateless
    }

    fn sent(&mut self, message: &Value, headers: &Headers) {
        let call = Call {
            message: message.clone(),
            is_answered: false,
            is_cancelled: false,
            is_over: false,
            events: 0,
            has_event_ids: false,
            progress: None,
        };
        self.calls.push(call);
        match kind(message) {
            Err(fault) => self.report("form", format!("client: {fault}")),
            Ok(Kind::Request { id, method }) => self.sent_request(id, method, message, headers),
            Ok(Kind::Notification { method: "notifications/cancelled" }) => self.sent_cancel(message),
            Ok(Kind::Notification { method: "notifications/initialized" }) => self.is_ready = true,
            Ok(Kind::Notification { .. }) => {}
            Ok(Kind::Result { id, .. } | Kind::Error { id: Some(id), .. }) => {
                if self.is_modern() {
                    self.report(
                        "no-responses",
                        "the client has sent a response, which this version does not have",
                    );
                }
                if self.server_ids.insert(id.to_string(), true) != Some(false) {
                    self.report("answer", format!("the client answers {id}, which is no open request"));
                }
            }
            Ok(Kind::Error { id: None, .. }) => self.report("form", "client: an error without an id"),
        }
    }

    fn sent_request(&mut self, id: &Value, method: &str, message: &Value, headers: &Headers) {
        if !self.ids.insert(id.to_string()) {
            self.report("id", format!("the client uses the id {id} again"));
        }
        let params = &message["params"];
        if self.is_modern() {
            let meta = &params["_meta"];
            let has_meta = meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
                && meta["io.modelcontextprotocol/clientCapabilities"].is_object();
            if !has_meta {
                self.report("meta", format!("{method}: _meta does not describe the client"));
            }
            if self.transport == Transport::Http {
                for fault in headers::faults_of_request(headers, message) {
                    self.report("headers", format!("{method}: {fault}"));
                }
            }
            return;
        }
        match method {
            "initialize" => self.client_capabilities = params["capabilities"].clone(),
            "ping" => {}
            "logging/setLevel" => self.level = LEVELS.iter().position(|level| params["level"] == *level),
            "resources/subscribe" => {
                self.subscribed.insert(params["uri"].as_str().unwrap_or_default().to_owned());
            }
            _ if !self.is_ready => {
                self.report("handshake", format!("{method} before notifications/initialized"))
            }
            _ => {}
        }
    }

    fn sent_cancel(&mut self, message: &Value) {
        let id = &message["params"]["requestId"];
        let found = self
            .calls
            .iter_mut()
            .find(|call| call.message["id"] == *id && call.message["method"].is_string());
        if let Some(call) = found {
            call.is_cancelled = true;
            if call.message["method"] == "initialize" {
                self.report("cancel", "initialize was cancelled");
            }
        }
    }

    fn answered(&mut self, call: usize, status: u16, headers: &Headers, body: Option<&Value>) {
        let sent = &self.calls[call];
        let is_request = sent.message["method"].is_string() && !sent.message["id"].is_null();
        if !is_request {
            let is_accepted = status == 202 && body.is_none();
            if !is_accepted && status < 400 {
                self.report("accepted", format!("status {status} for a message that nobody answers"));
            }
            return;
        }
        let is_first = sent.message["method"] == "initialize";
        if let Some(fault) = headers::fault_of_response(self.version, status, headers, body) {
            self.report("http", fault);
        }
        match headers::header(headers, "mcp-session-id") {
            Some(_) if self.is_modern() => self.report("session", "a session in a version without sessions"),
            Some(id)
                if is_first && (id.is_empty() || !id.bytes().all(|byte| (0x21..=0x7e).contains(&byte))) =>
            {
                self.report("session", format!("the session id '{id}' has other than visible letters"));
            }
            _ => {}
        }
        if let Some(body) = body {
            self.calls[call].is_over = true;
            self.message(Some(call), body);
            if !self.calls[call].is_answered {
                self.report("answer", format!("the body does not answer call {call}"));
            }
        }
    }

    fn received(&mut self, call: Option<usize>, event_id: Option<&str>, message: Option<&Value>) {
        if let Some(id) = event_id {
            if self.is_modern() {
                self.report("event-id", format!("the event id {id}, in a version without"));
            }
            if !self.event_ids.insert(id.to_owned()) {
                self.report("event-id", format!("the event id {id} came twice"));
            }
        }
        if let Some(sent) = call.and_then(|call| self.calls.get_mut(call)) {
            sent.has_event_ids |= event_id.is_some();
            sent.events += 1;
            let (is_over, is_answered, is_first) = (sent.is_over, sent.is_answered, sent.events == 1);
            if is_over {
                self.report("order", "a message on a stream that has ended");
            }
            if is_answered {
                self.report("order", "a message after the response");
            }
            if message.is_none() && (event_id.is_none() || self.is_modern() || !is_first) {
                self.report("priming", "an event without a message that is not the first, or has no id");
            }
        }
        if let Some(message) = message {
            self.message(call, message);
        }
    }

    fn message(&mut self, call: Option<usize>, message: &Value) {
        match kind(message) {
            Err(fault) => self.report("form", format!("server: {fault}")),
            Ok(Kind::Notification { method }) => self.notification(call, method, &message["params"]),
            Ok(Kind::Request { id, method }) => self.request(call, id, method, &message["params"]),
            Ok(Kind::Result { id, result }) => {
                if let Some(found) = self.response(call, id) {
                    self.result(found, result);
                }
            }
            Ok(Kind::Error { id: Some(id), code }) => {
                self.error_code(code);
                if let Some(found) = self.response(call, id)
                    && code == -32601
                    && let Some(method) = self.calls[found].message["method"].as_str()
                    && is_method(method, self.version)
                {
                    self.report("methods", format!("{method} is unknown to the server"));
                }
            }
            Ok(Kind::Error { id: None, code }) => {
                self.error_code(code);
                // Only what could not be read has no id.
                if let Some(call) = call {
                    self.calls[call].is_answered = true;
                }
            }
        }
    }

    fn error_code(&mut self, code: i64) {
        let is_known = match (self.version, code) {
            (_, -32700 | -32603..=-32600) => true,
            (Version::Sessions, -32002 | -32042) => true,
            (Version::Stateless, -32022..=-32020) => true,
            (_, -32768..=-32000) => false,
            _ => true,
        };
        if !is_known {
            self.report("error-code", format!("the reserved code {code}"));
        }
    }

    /// The call that a response answers.
    fn response(&mut self, call: Option<usize>, id: &Value) -> Option<usize> {
        let found = self
            .calls
            .iter()
            .position(|sent| sent.message["id"] == *id && sent.message["method"].is_string());
        let Some(found) = found else {
            self.report("answer", format!("a response to {id}, which nobody has sent"));
            return None;
        };
        if self.calls[found].is_answered {
            self.report("answer", format!("a second response to {id}"));
        }
        if self.transport == Transport::Http && call != Some(found) {
            self.report("stream", format!("the response to {id} is on another stream"));
        }
        self.calls[found].is_answered = true;
        Some(found)
    }

    fn result(&mut self, call: usize, result: &Value) {
        let message = self.calls[call].message.clone();
        let method = message["method"].as_str().unwrap_or_default();
        for fault in results::faults(method, self.version, result) {
            self.report("result", fault);
        }
        if method == "initialize" || method == "server/discover" {
            self.server_capabilities = result["capabilities"].clone();
        }
        if method == "tools/list" {
            if message["params"].get("cursor").is_none() {
                self.tool_names.clear();
            }
            for tool in result["tools"].as_array().into_iter().flatten() {
                let name = tool["name"].as_str().unwrap_or_default().to_owned();
                if !self.tool_names.insert(name.clone()) {
                    self.report("result", format!("two tools are called '{name}'"));
                }
            }
        }
        if result["resultType"] == "input_required" {
            let capabilities =
                message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"].clone();
            for request in result["inputRequests"].as_object().into_iter().flat_map(|all| all.values()) {
                self.needs(&capabilities, request["method"].as_str().unwrap_or_default());
            }
        }
    }

    fn needs(&mut self, capabilities: &Value, method: &str) {
        let name = method.split('/').next().unwrap_or_default();
        if capabilities.get(name).is_none() {
            self.report("capability", format!("{method} to a client that has not declared {name}"));
        }
    }

    fn notification(&mut self, call: Option<usize>, method: &str, params: &Value) {
        match method {
            "notifications/progress" => self.progress(call, params),
            "notifications/message" => self.log(call, params),
            "notifications/resources/updated" => {
                let uri = params["uri"].as_str().unwrap_or_default();
                if !self.subscribed.contains(uri) {
                    self.report("subscription", format!("an update of '{uri}', which nobody watches"));
                }
                self.subscription_id(call, params);
            }
            "notifications/subscriptions/acknowledged" if self.is_modern() => {
                self.subscription_id(call, params);
                let uris =
                    params["notifications"]["resourceSubscriptions"].as_array().cloned().unwrap_or_default();
                let asked = call.map(|call| self.calls[call].message["params"]["notifications"].clone());
                let asked = asked.unwrap_or_default()["resourceSubscriptions"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                if uris.iter().any(|uri| !asked.contains(uri)) {
                    self.report("subscription", "more is acknowledged than the client has asked for");
                }
                self.subscribed.extend(uris.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            "notifications/cancelled" => {}
            "notifications/tools/list_changed" => self.changes("tools"),
            "notifications/prompts/list_changed" => self.changes("prompts"),
            "notifications/resources/list_changed" => self.changes("resources"),
            _ => self.report("methods", format!("the notification {method} does not exist")),
        }
        let is_listening =
            call.is_some_and(|call| self.calls[call].message["method"] == "subscriptions/listen");
        if is_listening
            && call.is_some_and(|call| self.calls[call].events == 1)
            && !method.ends_with("acknowledged")
        {
            self.report("subscription", "a subscription does not begin with its acknowledgement");
        }
    }

    fn changes(&mut self, list: &str) {
        if self.server_capabilities[list]["listChanged"] != true {
            self.report("capability", format!("{list} change, which the server has not declared"));
        }
    }

    fn subscription_id(&mut self, call: Option<usize>, params: &Value) {
        if !self.is_modern() {
            return;
        }
        let id = &params["_meta"]["io.modelcontextprotocol/subscriptionId"];
        let is_known = self.calls.iter().enumerate().any(|(position, sent)| {
            sent.message["method"] == "subscriptions/listen"
                && sent.message["id"] == *id
                && (self.transport == Transport::Stdio || call == Some(position))
        });
        if !is_known {
            self.report("subscription", format!("the subscription {id} does not exist here"));
        }
    }

    fn progress(&mut self, call: Option<usize>, params: &Value) {
        let token = &params["progressToken"];
        let found = self.calls.iter().position(|sent| {
            !token.is_null()
                && !sent.is_answered
                && sent.message["params"]["_meta"]["progressToken"] == *token
        });
        let Some(found) = found else {
            return self.report("progress", format!("progress of {token}, for which no request waits"));
        };
        if self.transport == Transport::Http && call != Some(found) {
            self.report("stream", format!("the progress of {token} is on another stream"));
        }
        let (before, now) = (self.calls[found].progress, params["progress"].as_f64());
        match now {
            Some(now) if before.is_none_or(|before| now > before) => self.calls[found].progress = Some(now),
            _ => self.report("progress", format!("progress goes from {before:?} to {now:?}")),
        }
    }

    fn log(&mut self, call: Option<usize>, params: &Value) {
        let level = LEVELS.iter().position(|level| params["level"] == *level);
        let (Some(level), false) = (level, params["data"].is_null()) else {
            return self.report("log", "a log message without a level or data");
        };
        let wanted = match self.version {
            Version::Sessions => {
                if !self.server_capabilities["logging"].is_object() {
                    self.report("capability", "a log message of a server that has not declared logging");
                }
                self.level.or(Some(0))
            }
            Version::Stateless => {
                let level_of = |sent: &Call| {
                    let wanted = sent.message["params"]["_meta"]["io.modelcontextprotocol/logLevel"].clone();
                    LEVELS.iter().position(|level| wanted == *level)
                };
                match call {
                    Some(call) => level_of(&self.calls[call]),
                    None => self.calls.iter().filter(|sent| !sent.is_answered).filter_map(level_of).min(),
                }
            }
        };
        if wanted.is_none_or(|wanted| level < wanted) {
            self.report(
                "log",
                format!("a log message of level {}, which the client does not want", LEVELS[level]),
            );
        }
    }

    fn request(&mut self, call: Option<usize>, id: &Value, method: &str, params: &Value) {
        if self.is_modern() {
            return self.report("no-requests", format!("the server has sent the request {method}"));
        }
        if method != "ping" {
            let capabilities = self.client_capabilities.clone();
            self.needs(&capabilities, method);
            for fault in results::faults_of_request(method, params) {
                self.report("request", fault);
            }
        }
        if call.is_none() && self.transport == Transport::Http && method != "ping" {
            self.report("stream", format!("{method} belongs to no request of the client"));
        }
        // A stream that continues repeats what was not answered.
        if self.server_ids.insert(id.to_string(), false) == Some(true) {
            self.report("id", format!("the server uses the id {id} again"));
        }
    }

    fn ended(&mut self, call: Option<usize>, by_client: bool) {
        let Some(call) = call else { return };
        let is_modern = self.is_modern();
        let Some(sent) = self.calls.get_mut(call) else { return };
        let is_open = sent.message["method"] == "subscriptions/listen";
        let may_continue = !is_modern && sent.has_event_ids;
        let is_excused = sent.is_answered || sent.is_cancelled || by_client || may_continue || is_open;
        if !may_continue || sent.is_answered {
            sent.is_over = true;
        }
        if !is_excused {
            self.report("answer", format!("the stream of call {call} has ended without a response"));
        }
    }
}
