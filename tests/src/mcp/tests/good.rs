//! Good conversations.

use serde_json::{Value, json};

use super::super::{Headers, Step, Transport, Version};

fn pairs(headers: &[(&str, &str)]) -> Headers {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn sent(message: Value) -> Step {
    Step::Sent { message, headers: Vec::new() }
}

fn json_answer(call: usize, body: Value) -> Step {
    let headers = pairs(&[("content-type", "application/json")]);
    Step::Answered { call, status: 200, headers, body: Some(body) }
}

fn stream(call: usize) -> Step {
    Step::Answered { call, status: 200, headers: pairs(&[("content-type", "text/event-stream")]), body: None }
}

fn accepted(call: usize) -> Step {
    Step::Answered { call, status: 202, headers: Vec::new(), body: None }
}

fn event(call: Option<usize>, id: Option<&str>, message: Value) -> Step {
    Step::Received { call, event_id: id.map(str::to_owned), message: Some(message) }
}

fn ended(call: usize) -> Step {
    Step::Ended { call: Some(call), by_client: false }
}

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn result(id: u64, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn initialize() -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} }, "clientInfo": client });
    request(0, "initialize", params)
}

fn initialized() -> Value {
    let capabilities = json!({ "tools": {}, "resources": { "subscribe": true }, "logging": {} });
    let server = json!({ "name": "test", "version": "1" });
    result(0, json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": server }))
}

/// With sessions, over HTTP.
pub(super) fn sessions() -> Vec<Step> {
    let mut first = json_answer(0, initialized());
    if let Step::Answered { headers, .. } = &mut first {
        headers.extend(pairs(&[("mcp-session-id", "s-1")]));
    }
    let call = json!({ "name": "echo", "arguments": {}, "_meta": { "progressToken": "t" } });
    let form = json!({ "message": "Name?", "requestedSchema": { "type": "object", "properties": {} } });
    let content = json!([
        { "type": "text", "text": "hi" },
        { "type": "image", "data": "AAAA", "mimeType": "image/png" },
        { "type": "resource", "resource": { "uri": "a:b", "text": "x" } },
        { "type": "resource_link", "uri": "a:b", "name": "b" }
    ]);
    let tool = json!({ "name": "echo", "inputSchema": { "type": "object" } });
    vec![
        sent(initialize()),
        first,
        sent(notification("notifications/initialized", json!({}))),
        accepted(1),
        sent(request(1, "tools/list", json!({}))),
        json_answer(2, result(1, json!({ "tools": [tool] }))),
        sent(request(2, "logging/setLevel", json!({ "level": "info" }))),
        json_answer(3, result(2, json!({}))),
        sent(request(3, "tools/call", call)),
        stream(4),
        Step::Received { call: Some(4), event_id: Some("r.0".to_owned()), message: None },
        event(
            Some(4),
            Some("r.1"),
            notification("notifications/progress", json!({ "progressToken": "t", "progress": 1 })),
        ),
        event(
            Some(4),
            Some("r.2"),
            notification("notifications/message", json!({ "level": "info", "data": {} })),
        ),
        event(
            Some(4),
            Some("r.3"),
            json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": form }),
        ),
        sent(json!({ "jsonrpc": "2.0", "id": "q", "result": { "action": "accept", "content": {} } })),
        accepted(5),
        Step::Ended { call: Some(4), by_client: false },
        event(
            Some(4),
            Some("r.4"),
            notification("notifications/progress", json!({ "progressToken": "t", "progress": 2 })),
        ),
        event(Some(4), Some("r.5"), result(3, json!({ "content": content }))),
        ended(4),
        sent(request(4, "resources/subscribe", json!({ "uri": "run://1" }))),
        json_answer(6, result(4, json!({}))),
        event(None, None, notification("notifications/resources/updated", json!({ "uri": "run://1" }))),
        sent(request(5, "prompts/get", json!({ "name": "p" }))),
        json_answer(
            7,
            result(
                5,
                json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "x" } }] }),
            ),
        ),
        sent(request(6, "resources/read", json!({ "uri": "a:b" }))),
        json_answer(8, json!({ "jsonrpc": "2.0", "id": 6, "error": { "code": -32002, "message": "none" } })),
        sent(request(7, "completion/complete", json!({}))),
        json_answer(9, result(7, json!({ "completion": { "values": ["a"], "total": 1, "hasMore": false } }))),
    ]
}

fn stateless_call(id: u64, method: &str, mut params: Value, name: Option<&str>) -> Step {
    let meta = &mut params["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
    let mut headers = pairs(&[("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]);
    headers.extend(name.map(|name| ("mcp-name".to_owned(), name.to_owned())));
    Step::Sent { message: request(id, method, params), headers }
}

/// Without sessions, over HTTP.
pub(super) fn stateless() -> Vec<Step> {
    let done = |mut members: Value| {
        members["resultType"] = json!("complete");
        members["_meta"] =
            json!({ "io.modelcontextprotocol/serverInfo": { "name": "test", "version": "1" } });
        members
    };
    let kept = |mut members: Value| {
        members["ttlMs"] = json!(0);
        members["cacheScope"] = json!("private");
        done(members)
    };
    let discovered =
        json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {}, "resources": {} } });
    let call = json!({ "name": "echo", "_meta": { "progressToken": 5, "io.modelcontextprotocol/logLevel": "warning" } });
    let form = json!({ "message": "Name?", "requestedSchema": { "type": "object", "properties": {} } });
    let asked = json!({ "resultType": "input_required", "requestState": "s", "inputRequests": {
        "a": { "method": "elicitation/create", "params": form }
    } });
    let filter = json!({ "notifications": { "resourceSubscriptions": ["run://1"] } });
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": 5 });
    let acknowledged = json!({ "_meta": meta, "notifications": { "resourceSubscriptions": ["run://1"] } });
    let tool = json!({ "name": "echo", "inputSchema": { "type": "object" } });
    vec![
        stateless_call(1, "server/discover", json!({}), None),
        json_answer(0, result(1, kept(discovered))),
        stateless_call(2, "tools/list", json!({}), None),
        json_answer(1, result(2, kept(json!({ "tools": [tool] })))),
        stateless_call(3, "tools/call", call.clone(), Some("echo")),
        stream(2),
        event(
            Some(2),
            None,
            notification("notifications/progress", json!({ "progressToken": 5, "progress": 1 })),
        ),
        event(Some(2), None, notification("notifications/message", json!({ "level": "error", "data": "x" }))),
        event(Some(2), None, result(3, asked)),
        ended(2),
        stateless_call(4, "tools/call", call, Some("echo")),
        stream(3),
        event(Some(3), None, result(4, done(json!({ "content": [], "structuredContent": 7 })))),
        ended(3),
        stateless_call(5, "subscriptions/listen", filter, None),
        stream(4),
        event(Some(4), None, notification("notifications/subscriptions/acknowledged", acknowledged)),
        event(
            Some(4),
            None,
            notification("notifications/resources/updated", json!({ "_meta": meta, "uri": "run://1" })),
        ),
        Step::Ended { call: Some(4), by_client: true },
        stateless_call(6, "resources/read", json!({ "uri": "a:b" }), Some("a:b")),
        json_answer(5, result(6, kept(json!({ "contents": [{ "uri": "a:b", "blob": "AAAA" }] })))),
        stateless_call(7, "ping", json!({}), None),
        Step::Answered {
            call: 6,
            status: 404,
            headers: pairs(&[("content-type", "application/json")]),
            body: Some(json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": -32601, "message": "none" } })),
        },
    ]
}

/// With sessions, over lines.
pub(super) fn stdio() -> Vec<Step> {
    vec![
        sent(initialize()),
        event(None, None, initialized()),
        sent(notification("notifications/initialized", json!({}))),
        sent(request(1, "tools/call", json!({ "name": "slow" }))),
        sent(request(2, "ping", json!({}))),
        event(None, None, result(2, json!({}))),
        sent(notification("notifications/cancelled", json!({ "requestId": 1 }))),
    ]
}

/// One more exchange, whose call has this number.
pub(super) fn more(version: Version, transport: Transport, call: usize, id: usize) -> Vec<Step> {
    let id = id as u64;
    match (version, transport) {
        (Version::Stateless, _) => {
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32602, "message": "none" } });
            let headers = pairs(&[("content-type", "application/json")]);
            vec![
                stateless_call(id, "prompts/get", json!({ "name": "p" }), Some("p")),
                Step::Answered { call, status: 400, headers, body: Some(error) },
            ]
        }
        (_, Transport::Http) => {
            vec![sent(request(id, "ping", json!({}))), json_answer(call, result(id, json!({})))]
        }
        (_, Transport::Stdio) => {
            vec![sent(request(id, "ping", json!({}))), event(None, None, result(id, json!({})))]
        }
    }
}
