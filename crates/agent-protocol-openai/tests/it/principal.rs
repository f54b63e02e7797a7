//! The principal that an application's own layers set, in OpenAI's protocols.

use agent_protocol_openai::OpenAi;
use agent_runner::agents::Echo;
use agent_server::{AgentApp, Principal};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn authenticate(mut request: Request, next: Next) -> Response {
    let user = request.headers()["x-user"].to_str().expect("a name").to_owned();
    request.extensions_mut().insert(Principal::new(user));
    next.run(request).await
}

fn app() -> Router {
    let app = AgentApp::builder("test").agent("echo", Echo::default()).protocol(OpenAi);
    app.wrap(|routes| routes.layer(from_fn(authenticate))).build().expect("built").router()
}

async fn call(
    router: &Router,
    user: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Option<String>, Value) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").header("x-user", user);
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (status, run) = (response.status(), response.headers().get("x-run-id").cloned());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let run = run.map(|id| id.to_str().expect("text").to_owned());
    (status, run, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn principal__every_protocol__owns_what_it_starts() {
    let router = app();
    let message = json!([{ "role": "user", "content": "hi" }]);
    let requests = [
        ("/v1/responses", json!({ "input": "hi", "user": "bob" })),
        ("/v1/responses", json!({ "input": "hi", "user_id": "bob", "session_id": "s" })),
        ("/v1/responses", json!({ "input": "hi", "conversation": "conv_1" })),
        ("/compatible-mode/v1/responses", json!({ "input": "hi" })),
        ("/v1/chat/completions", json!({ "messages": message, "user": "bob" })),
        ("/v1/chat/completions", json!({ "messages": message, "session_id": "s" })),
    ];
    for (path, body) in requests {
        let (status, run, answer) = call(&router, "ann", "POST", path, &body).await;
        assert_eq!(status, StatusCode::OK, "{path} {body}: {answer}");
        let path = format!("/runs/{}", run.expect("an id"));
        let (status, _, record) = call(&router, "ann", "GET", &path, &json!(null)).await;
        assert_eq!((status, &record["user_id"]), (StatusCode::OK, &json!("ann")), "{body}");
        assert_eq!(call(&router, "bob", "GET", &path, &json!(null)).await.0, StatusCode::NOT_FOUND, "{body}");
    }
}

#[tokio::test]
async fn principal__responses_and_conversations_of_others__do_not_exist() {
    let router = app();
    let (_, _, response) = call(&router, "ann", "POST", "/v1/responses", &json!({ "input": "hi" })).await;
    let (_, _, conversation) =
        call(&router, "ann", "POST", "/v1/conversations?user_id=bob", &json!({})).await;
    let response = response["id"].as_str().expect("an id");
    let conversation = conversation["id"].as_str().expect("an id");
    let paths = [
        ("GET", format!("/v1/responses/{response}")),
        ("GET", format!("/v1/responses/{response}?stream=true")),
        ("GET", format!("/v1/responses/{response}/input_items")),
        ("GET", format!("/v1/conversations/{conversation}?user_id=ann")),
        ("GET", format!("/v1/conversations/{conversation}/items?user_id=ann")),
        ("POST", format!("/v1/responses/{response}/cancel")),
        ("DELETE", format!("/v1/responses/{response}")),
    ];
    for (method, path) in &paths {
        let (status, _, answer) = call(&router, "bob", method, path, &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {answer}");
    }
    // One that does not exist counts as deleted.
    let deleted = format!("/v1/conversations/{conversation}?user_id=ann");
    call(&router, "bob", "DELETE", &deleted, &json!({})).await;
    let next = json!({ "input": "and then?", "previous_response_id": response });
    let (status, _, refused) = call(&router, "bob", "POST", "/v1/responses", &next).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("previous_response_not_found"))
    );
    assert_eq!(call(&router, "ann", "POST", "/v1/responses", &next).await.0, StatusCode::OK);
    for (method, path) in &paths {
        let (status, _, answer) = call(&router, "ann", method, path, &json!({})).await;
        assert_eq!(status, StatusCode::OK, "{method} {path}: {answer}");
    }
}
