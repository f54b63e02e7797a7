//! The principal that an application's own layers set, in the server's own protocol.

use agent_server::protocol::ErrorInfo;
use agent_server::{AgentAppBuilder, ApiError, Principal};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::json;

use crate::app::{Answer, echo, router, send};

/// Takes the user from a header, and rejects requests without one.
async fn authenticate(mut request: Request, next: Next) -> Result<Response, ApiError> {
    let header = request.headers().get("x-user").and_then(|value| value.to_str().ok());
    let Some(user) = header.map(str::to_owned) else {
        return Err(ErrorInfo::new(StatusCode::UNAUTHORIZED, "AUTH_FAILED", "Who are you?").into());
    };
    request.extensions_mut().insert(Principal::new(user));
    Ok(next.run(request).await)
}

fn app() -> AgentAppBuilder {
    echo().wrap(|routes| routes.layer(from_fn(authenticate)))
}

async fn call(router: &Router, user: &str, method: Method, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").header("x-user", user);
    send(router, request.body(Body::from(body.to_owned())).expect("a request")).await
}

/// A request with "hi" in session `s` that claims to come from `bob`.
const BODY: &str = r#"{"user_id":"bob","session_id":"s","stream":false,
    "input":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#;

#[tokio::test]
async fn principal__other_user_in_the_request__replaces_it() {
    let router = router(app());
    for path in ["/process", "/runs", "/process/task"] {
        assert!(call(&router, "ann", Method::POST, path, BODY).await.status.is_success(), "{path}");
    }
    let runs = call(&router, "ann", Method::GET, "/runs?user_id=bob", "").await.json();
    let users: Vec<_> = runs["data"].as_array().expect("runs").iter().map(|run| &run["user_id"]).collect();
    assert_eq!(users, ["ann", "ann", "ann"], "the query does not count either");
    let sessions = call(&router, "ann", Method::GET, "/sessions", "").await.json();
    assert_eq!((&sessions["data"][0]["id"], &sessions["data"][0]["user_id"]), (&json!("s"), &json!("ann")));
    let added = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"more"}]}]}"#;
    let path = "/sessions/s/messages?user_id=bob";
    assert_eq!(call(&router, "ann", Method::POST, path, added).await.status, StatusCode::OK);
    for path in ["/runs", "/sessions"] {
        let of_bob = call(&router, "bob", Method::GET, path, "").await.json();
        assert_eq!(of_bob["data"], json!([]), "{path}: nothing was done in his name");
    }
}

#[tokio::test]
async fn principal__runs_and_sessions_of_others__do_not_exist() {
    let router = router(app());
    let run = call(&router, "ann", Method::POST, "/process", BODY).await;
    let id = run.header("x-run-id").expect("an id").to_owned();
    let hidden = [
        (Method::GET, format!("/runs/{id}")),
        (Method::GET, format!("/runs/{id}/events")),
        (Method::POST, format!("/runs/{id}/cancel")),
        (Method::DELETE, format!("/runs/{id}")),
        (Method::GET, format!("/process/task/{id}")),
        (Method::GET, "/sessions/s?user_id=ann".to_owned()),
        (Method::GET, "/sessions/s/messages?user_id=ann".to_owned()),
        (Method::PATCH, "/sessions/s?user_id=ann".to_owned()),
    ];
    for (method, path) in hidden {
        let answer = call(&router, "bob", method.clone(), &path, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {answer:?}");
    }
    // A session that does not exist counts as deleted.
    call(&router, "bob", Method::DELETE, "/sessions/s?user_id=ann", "").await;
    let forgotten = call(&router, "bob", Method::DELETE, "/users/ann?user_id=ann", "").await;
    assert_eq!(forgotten.status, StatusCode::FORBIDDEN, "{forgotten:?}");
    let canceled = call(&router, "bob", Method::POST, "/sessions/s/cancel?user_id=ann", "").await;
    assert_eq!(canceled.json()["canceled"], 0);
    for path in [format!("/runs/{id}"), format!("/runs/{id}/events"), "/sessions/s".to_owned()] {
        let answer = call(&router, "ann", Method::GET, &path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
    }
    assert_eq!(
        call(&router, "ann", Method::DELETE, &format!("/runs/{id}"), "").await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn principal__same_idempotency_key__is_another_key_for_each() {
    let router = router(app());
    let with_key = async |user: &str| {
        let request = Request::post("/process").header("host", "localhost").header("x-user", user);
        let request = request.header("idempotency-key", "k").header("content-type", "application/json");
        let answer = send(&router, request.body(Body::from(BODY)).expect("a request")).await;
        answer.header("x-run-id").expect("an id").to_owned()
    };
    let first = with_key("ann").await;
    assert_eq!(with_key("ann").await, first);
    assert_ne!(with_key("bob").await, first);
}

#[tokio::test]
async fn wrap__refused_request__has_the_servers_layers_around_it() {
    let router = router(app());
    let request = |method: &str, host: &str| {
        let request = Request::builder().method(method).uri("/runs").header("host", host);
        request.header("origin", "http://localhost:3000")
    };
    let refused = request("GET", "localhost").header("x-request-id", "mine").body(Body::empty());
    let refused = send(&router, refused.expect("a request")).await;
    assert_eq!((refused.status, refused.header("x-request-id")), (StatusCode::UNAUTHORIZED, Some("mine")));
    assert_eq!(refused.json()["error"]["code"], "AUTH_FAILED");
    let origin = refused.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://localhost:3000"), "a page can read why it was refused");
    let preflight = request("OPTIONS", "localhost").header("access-control-request-method", "POST");
    let preflight = send(&router, preflight.body(Body::empty()).expect("a request")).await;
    assert_eq!(preflight.status, StatusCode::OK, "browsers do not authenticate preflights");
    let strange = send(&router, request("GET", "evil.example").body(Body::empty()).expect("a request")).await;
    assert_eq!(strange.json()["error"]["code"], "HOST_NOT_ALLOWED");
}
