//! The OpenAPI 3.1 document of the server's own routes.

use serde_json::{Map, Value, json};

/// The document for an application of this name with this endpoint.
pub(crate) fn document(name: &str, endpoint: &str) -> Value {
    let mut paths = Map::new();
    paths.insert(endpoint.to_owned(), json!({ "post": process() }));
    for (path, id, summary, unavailable) in [
        ("/", "root", "What is served here", false),
        ("/health", "health", "Whether the server lives and takes runs, as the peer says it", false),
        ("/readiness", "readiness", "Whether the server takes runs", true),
        ("/liveness", "liveness", "Whether the server lives", false),
        ("/openapi.json", "openapi", "This document", false),
    ] {
        paths.insert(path.to_owned(), json!({ "get": probe(id, summary, unavailable) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": name, "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": { "AgentRequest": request(), "AgentResponse": response(), "Error": error() } },
    })
}

fn probe(id: &str, summary: &str, unavailable: bool) -> Value {
    let object = json!({ "application/json": { "schema": { "type": "object" } } });
    let mut responses = json!({ "200": { "description": "Yes", "content": object.clone() } });
    if unavailable {
        responses["503"] = json!({ "description": "Not now", "content": object });
    }
    json!({ "operationId": id, "summary": summary, "responses": responses })
}

fn process() -> Value {
    let mut responses = Map::new();
    let whole = reference("AgentResponse");
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The run's events, or with `stream: false` its final response",
            "content": {
                "text/event-stream": { "schema": { "type": "string" } },
                "application/json": { "schema": whole },
            },
        }),
    );
    for (status, description) in [
        ("400", "The body cannot be read"),
        ("408", "The body did not arrive in time"),
        ("413", "The body is too large"),
        ("422", "The request is wrong, or with `stream: false` the run failed"),
        ("429", "The server works on as many runs as it admits"),
        ("503", "The server is shutting down"),
    ] {
        let content = json!({ "application/json": { "schema": reference("Error") } });
        responses.insert(status.to_owned(), json!({ "description": description, "content": content }));
    }
    json!({
        "operationId": "process",
        "summary": "Run an agent",
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": reference("AgentRequest") } },
        },
        "responses": responses,
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// The fields that a client needs to know; the request has more, and others are handed to the agent.
fn request() -> Value {
    json!({
        "type": "object",
        "required": ["input"],
        "properties": {
            "input": { "type": "array", "items": { "type": "object" } },
            "stream": { "type": "boolean", "default": true },
            "model": { "type": ["string", "null"] },
            "session_id": { "type": ["string", "null"] },
            "user_id": { "type": ["string", "null"] },
            "on_disconnect": { "enum": ["continue", "cancel", null] },
        },
    })
}

fn response() -> Value {
    json!({
        "type": "object",
        "required": ["object", "status", "id", "created_at"],
        "properties": {
            "object": { "const": "response" },
            "status": { "type": "string" },
            "error": { "type": ["object", "null"] },
            "id": { "type": "string" },
            "created_at": { "type": "integer" },
            "completed_at": { "type": ["integer", "null"] },
            "output": { "type": ["array", "null"], "items": { "type": "object" } },
            "usage": { "type": ["object", "null"] },
            "session_id": { "type": ["string", "null"] },
        },
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["detail", "error"],
        "properties": {
            "detail": { "type": ["array", "string"] },
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": { "code": { "type": "string" }, "message": { "type": "string" } },
            },
        },
    })
}
