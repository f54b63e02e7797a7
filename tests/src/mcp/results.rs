//! The form of results, by method.

use serde_json::Value;

use super::Version;

/// What is wrong with a result.
pub(super) fn faults(method: &str, version: Version, result: &Value) -> Vec<String> {
    let mut faults = Faults { place: method.to_owned(), all: Vec::new() };
    if version == Version::Stateless && faults.result_type(method, result) {
        return faults.all;
    }
    match method {
        "initialize" => {
            faults.text(result, "protocolVersion");
            faults.info(&result["serverInfo"]);
            faults.object(result, "capabilities");
        }
        "server/discover" => {
            faults.items(result, "supportedVersions", |faults, version| {
                faults.need(version.is_string(), "a version")
            });
            faults.object(result, "capabilities");
            faults.need(
                result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].is_string(),
                "the name of the server in _meta",
            );
        }
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
            let allowed = result.as_object().is_some_and(|members| members.keys().all(|key| key == "_meta"));
            faults.need(allowed, "an empty result");
        }
        "tools/list" => faults.items(result, "tools", Faults::tool),
        "tools/call" => {
            faults.items(result, "content", Faults::block);
            faults.optional(result, "isError", Value::is_boolean);
            if version == Version::Sessions {
                faults.optional(result, "structuredContent", Value::is_object);
            }
        }
        "prompts/list" => faults.items(result, "prompts", |faults, prompt| {
            faults.text(prompt, "name");
            if prompt.get("arguments").is_some() {
                faults.items(prompt, "arguments", |faults, argument| faults.text(argument, "name"));
            }
        }),
        "prompts/get" => faults.items(result, "messages", |faults, message| {
            faults.need(
                matches!(message["role"].as_str(), Some("user" | "assistant")),
                "the role of a message",
            );
            faults.block(&message["content"]);
        }),
        "resources/list" => faults.items(result, "resources", |faults, resource| {
            faults.uri(resource, "uri");
            faults.text(resource, "name");
        }),
        "resources/templates/list" => faults.items(result, "resourceTemplates", |faults, template| {
            faults.uri(template, "uriTemplate");
            faults.text(template, "name");
        }),
        "resources/read" => {
            faults.items(result, "contents", Faults::contents);
            let is_empty = result["contents"].as_array().is_none_or(Vec::is_empty);
            faults.need(!is_empty, "contents");
        }
        "completion/complete" => {
            let completion = &result["completion"];
            faults.items(completion, "values", |faults, value| faults.need(value.is_string(), "a value"));
            faults.need(
                completion["values"].as_array().is_none_or(|values| values.len() <= 100),
                "at most 100 values",
            );
            faults.optional(completion, "total", Value::is_u64);
            faults.optional(completion, "hasMore", Value::is_boolean);
        }
        _ => {}
    }
    faults.optional(result, "nextCursor", Value::is_string);
    let is_cacheable = method.ends_with("/list") || method == "resources/read" || method == "server/discover";
    if version == Version::Stateless && is_cacheable {
        faults.need(result["ttlMs"].as_f64().is_some_and(|time| time >= 0.0), "ttlMs");
        faults.need(matches!(result["cacheScope"].as_str(), Some("public" | "private")), "cacheScope");
    }
    faults.all
}

struct Faults {
    place: String,
    all: Vec<String>,
}

impl Faults {
    fn need(&mut self, is_there: bool, what: &str) {
        if !is_there {
            self.all.push(format!("{}: {what} is missing or wrong", self.place));
        }
    }

    fn text(&mut self, value: &Value, key: &str) {
        self.need(value[key].as_str().is_some_and(|text| !text.is_empty()), key);
    }

    fn object(&mut self, value: &Value, key: &str) {
        self.need(value[key].is_object(), key);
    }

    fn uri(&mut self, value: &Value, key: &str) {
        self.need(value[key].as_str().is_some_and(|uri| uri.contains(':')), key);
    }

    fn optional(&mut self, value: &Value, key: &str, is_valid: fn(&Value) -> bool) {
        self.need(value.get(key).is_none_or(is_valid), key);
    }

    fn items(&mut self, value: &Value, key: &str, check: impl Fn(&mut Faults, &Value)) {
        match value[key].as_array() {
            Some(items) => items.iter().for_each(|item| check(self, item)),
            None => self.need(false, key),
        }
    }

    fn info(&mut self, info: &Value) {
        self.text(info, "name");
        self.text(info, "version");
    }

    /// Checks the type of a result; returns whether it asks for more, and is checked with that.
    fn result_type(&mut self, method: &str, result: &Value) -> bool {
        match result["resultType"].as_str() {
            Some("complete") => false,
            Some("input_required") => {
                let may_ask = ["tools/call", "prompts/get", "resources/read"].contains(&method);
                self.need(may_ask, "a method that may ask for more");
                let requests = result["inputRequests"].as_object();
                self.need(requests.is_some() || result["requestState"].is_string(), "a request or a state");
                for request in requests.into_iter().flat_map(|requests| requests.values()) {
                    self.request(request["method"].as_str().unwrap_or_default(), &request["params"]);
                }
                true
            }
            _ => {
                self.need(false, "resultType");
                false
            }
        }
    }

    /// A request to a client.
    pub(super) fn request(&mut self, method: &str, params: &Value) {
        match method {
            "elicitation/create" => {
                self.text(params, "message");
                let schema = &params["requestedSchema"];
                let is_form = schema["type"] == "object" && schema["properties"].is_object();
                self.need(is_form || params["mode"] == "url", "the form of an elicitation");
            }
            "sampling/createMessage" => {
                self.need(params["messages"].is_array() && params["maxTokens"].is_u64(), "what to sample");
            }
            "roots/list" => {}
            _ => self.need(false, "a request that clients know"),
        }
    }

    fn tool(&mut self, tool: &Value) {
        let name = tool["name"].as_str().unwrap_or_default();
        let is_valid = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        self.need((1..=128).contains(&name.len()) && name.chars().all(is_valid), "the name of a tool");
        self.need(tool["inputSchema"]["type"] == "object", "the input schema of a tool");
        self.optional(tool, "outputSchema", Value::is_object);
        self.optional(tool, "description", Value::is_string);
    }

    fn block(&mut self, block: &Value) {
        match block["type"].as_str() {
            Some("text") => self.need(block["text"].is_string(), "the text of a block"),
            Some("image" | "audio") => {
                self.need(block["data"].as_str().is_some_and(is_base64), "the data of a block");
                self.need(
                    block["mimeType"].as_str().is_some_and(|name| name.contains('/')),
                    "the type of a block",
                );
            }
            Some("resource") => self.contents(&block["resource"]),
            Some("resource_link") => {
                self.uri(block, "uri");
                self.text(block, "name");
            }
            _ => self.need(false, "the type of a block"),
        }
    }

    fn contents(&mut self, contents: &Value) {
        self.uri(contents, "uri");
        let (text, blob) = (&contents["text"], &contents["blob"]);
        let is_one = text.is_string() != blob.as_str().is_some_and(is_base64);
        self.need(is_one, "either a text or a blob");
    }
}

/// What is wrong with a request to a client.
pub(super) fn faults_of_request(method: &str, params: &Value) -> Vec<String> {
    let mut faults = Faults { place: method.to_owned(), all: Vec::new() };
    faults.request(method, params);
    faults.all
}

fn is_base64(text: &str) -> bool {
    let letters = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - letters.len() <= 2
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}
