//! A model server that refuses: whose fault it is, and what the client can do.

use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, call, scripted, user};

fn refuse(status: u16, error: &Value) -> String {
    format!("refuse with {}", json!({ "status": status, "error": error }))
}

#[tokio::test]
async fn refusal__each_class__has_its_status_and_code() {
    let (_model, server) = scripted().await;
    let error = |message: &str, code: Value| json!({ "message": message, "type": "t", "code": code });
    let long = "This model's maximum context length is 8 tokens.";
    // What the model server says; the status and the code that a client gets, and whether it is told when to retry.
    for (said, status, code, waits) in [
        (refuse(429, &error("slow down", Value::Null)), 429, "rate_limit_exceeded", true),
        (refuse(429, &error("quota", json!("insufficient_quota"))), 429, "rate_limit_exceeded", false),
        (refuse(529, &error("overloaded", Value::Null)), 503, "server_error", true),
        (
            refuse(400, &error("Invalid schema for response_format", Value::Null)),
            400,
            "invalid_prompt",
            false,
        ),
        (refuse(422, &error("temperature: too hot", Value::Null)), 400, "invalid_prompt", false),
        (refuse(413, &error("too large", Value::Null)), 400, "invalid_prompt", false),
        (refuse(400, &error(long, Value::Null)), 400, "context_length_exceeded", false),
        (
            refuse(400, &error("the prompt is too long", json!("context_length_exceeded"))),
            400,
            "context_length_exceeded",
            false,
        ),
        (refuse(401, &error("bad key", Value::Null)), 502, "server_error", false),
        (refuse(403, &error("not yours", Value::Null)), 502, "server_error", false),
        (refuse(500, &error("oops", Value::Null)), 502, "server_error", false),
    ] {
        for (path, body) in
            [(RESPONSES, json!({ "input": said })), (COMPLETIONS, json!({ "messages": [user(&said)] }))]
        {
            let answer = call(&server, path, &body).await;
            let error = &answer.json()["error"];
            assert_eq!(
                (answer.status, answer.header("retry-after").is_some()),
                (status, waits),
                "{path} {said}: {error}"
            );
        }
        let events = call(&server, RESPONSES, &json!({ "input": said, "stream": true })).await.events();
        let last = events.last().expect("events");
        assert_eq!(
            (&last["type"], &last["response"]["error"]["code"]),
            (&json!("response.failed"), &json!(code)),
            "{said}"
        );
    }
}
