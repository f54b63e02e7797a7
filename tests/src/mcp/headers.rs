//! Headers and statuses (streamable HTTP).

use serde_json::Value;

use super::{Headers, Version};

pub(super) fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What is wrong with the headers of a client's request.
pub(super) fn faults_of_request(headers: &Headers, message: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let params = &message["params"];
    let mut same = |name: &str, expected: Option<&str>| {
        let value = header(headers, name);
        if value != expected {
            faults.push(format!("the header {name} is {value:?} instead of {expected:?}"));
        }
    };
    same("mcp-protocol-version", params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str());
    same("mcp-method", message["method"].as_str());
    match message["method"].as_str() {
        Some("tools/call" | "prompts/get") => same("mcp-name", params["name"].as_str()),
        Some("resources/read") => same("mcp-name", params["uri"].as_str()),
        _ => {}
    }
    faults
}

/// What is wrong with the response to a request, apart from its body.
pub(super) fn fault_of_response(
    version: Version,
    status: u16,
    headers: &Headers,
    body: Option<&Value>,
) -> Option<String> {
    let kind = header(headers, "content-type").unwrap_or_default();
    let Some(body) = body else {
        let is_stream = status == 200 && kind.starts_with("text/event-stream");
        return (!is_stream)
            .then(|| format!("status {status} with '{kind}' is neither a message nor a stream"));
    };
    if !kind.starts_with("application/json") {
        return Some(format!("the content type of a message is '{kind}'"));
    }
    let code = body["error"]["code"].as_i64();
    let expected: &[u16] = match (version, code) {
        (_, None) => &[200],
        (Version::Stateless, Some(-32601)) => &[404],
        (Version::Stateless, Some(-32700 | -32600 | -32022..=-32020)) => &[400, 404, 405, 406],
        (Version::Stateless, Some(-32602)) => &[400, 404],
        _ => return None,
    };
    (!expected.contains(&status)).then(|| format!("status {status} of a message with the error {code:?}"))
}
