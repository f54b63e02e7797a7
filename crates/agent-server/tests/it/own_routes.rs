//! Routes and layers of a user's own, inside the server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get as on_get, post as on_post};

use crate::app::{call, echo, get, process, router, send};

async fn marked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-mine", HeaderValue::from_static("yes"));
    response
}

fn own() -> Router {
    let visits = Arc::new(AtomicUsize::new(0));
    Router::new()
        .route(
            "/visits",
            on_post(async |State(visits): State<Arc<AtomicUsize>>| {
                (visits.fetch_add(1, Ordering::Relaxed) + 1).to_string()
            }),
        )
        .route("/hello/{name}", on_get(async |Path(name): Path<String>| format!("Hello, {name}!")))
        .route("/panics", on_get(async || -> StatusCode { panic!("a handler's own fault") }))
        .route("/broken", on_get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(from_fn(marked))
        .with_state(visits)
}

#[tokio::test]
async fn own_routes__are_served_beside_the_servers() {
    let router = router(echo().routes(own()));
    assert_eq!(get(&router, "/hello/w%C3%B6rld").await.body, "Hello, wörld!");
    for expected in ["1", "2"] {
        assert_eq!(call(&router, Method::POST, "/visits").await.body, expected);
    }
    assert_eq!(process(&router, "/process", "hi", "").await.last_event()["status"], "completed");
    assert_eq!(get(&router, "/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn own_layers__apply_to_own_routes_only() {
    let router = router(echo().routes(own()));
    assert_eq!(get(&router, "/hello/you").await.header("x-mine"), Some("yes"));
    assert_eq!(get(&router, "/health").await.header("x-mine"), None);
}

#[tokio::test]
async fn server_layers__apply_to_own_routes() {
    let router = router(echo().routes(own()));
    let request = |host: &str, path: &str| {
        let request = Request::get(path).header("host", host).header("origin", "http://localhost:3000");
        request.body(Body::empty()).expect("a request")
    };
    for path in ["/hello/you", "/broken", "/nowhere"] {
        let answer = send(&router, request("localhost", path)).await;
        assert!(answer.header("x-request-id").is_some(), "{path}: {answer:?}");
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, Some("http://localhost:3000"), "{path}: {answer:?}");
        let rebound = send(&router, request("evil.example", path)).await;
        assert_eq!(rebound.status, StatusCode::FORBIDDEN, "{path}: {rebound:?}");
    }
}

#[tokio::test]
async fn own_routes__unknown_path_or_method__has_server_error() {
    let router = router(echo().routes(own()));
    let wrong = call(&router, Method::PUT, "/visits").await;
    assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("POST")));
    assert_eq!(wrong.json()["detail"], "Method Not Allowed");
    assert_eq!(get(&router, "/hello").await.json()["detail"], "Not Found");
}

#[tokio::test]
async fn handler__panic__answers_500() {
    let router = router(echo().routes(own()));
    let answer = get(&router, "/panics").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["error"]["code"], "INTERNAL_ERROR");
    assert_eq!(answer.json()["detail"], "Internal Server Error", "as upstream says it");
    assert!(!answer.body.contains("own fault"), "what a panic says is for the log");
}

#[tokio::test]
async fn wrap__layer__applies_to_every_route() {
    let router = router(echo().wrap(|routes| routes.layer(from_fn(marked))));
    for path in ["/health", "/nowhere"] {
        assert_eq!(get(&router, path).await.header("x-mine"), Some("yes"), "{path}");
    }
}
