//! Users' own routes and layers, inside the server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_runner::agents::Echo;
use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, Message, RunId};
use agent_server::{ApiError, Principal};
use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get as on_get, post as on_post};
use axum::{Router, middleware};

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

/// The error of `build` for an application whose routes collide.
#[track_caller]
fn check_conflict(app: agent_server::AgentAppBuilder, expected: &str) {
    assert_eq!(app.build().expect_err(expected).to_string(), expected);
}

#[test]
fn build__routes_collide__names_the_route_and_both_owners() {
    let route = |path: &str| Router::new().route(path, on_get(async || ""));
    check_conflict(
        echo().routes(route("/health")),
        "the application has the route GET /health, which the server already has",
    );
    check_conflict(
        echo().routes(route("/runs/{name}")),
        "the application has the route /runs/{name}, which the server already has",
    );
    check_conflict(
        echo().routes(own()).routes(route("/hello/{name}")),
        "the application has the route GET /hello/{name}, which the application already has",
    );
    check_conflict(
        echo().routes(Router::new().route("/process", on_post(async || ""))),
        "the application has the route POST /process, which http.endpoint_path '/process' already has",
    );
    echo().routes(route("/process")).build().expect("another method of the path is free");
}

#[test]
fn build__endpoint_at_a_path_of_others__is_refused() {
    let at = |path: &str| {
        let mut http = agent_server::HttpConfig::default();
        http.endpoint_path = path.to_owned();
        echo().http(http)
    };
    for path in ["/health", "/openapi.json", "/runs", "/sessions", "/runs/agent", "/sessions/s/messages"] {
        let expected =
            format!("http.endpoint_path '{path}' has the route {path}, which the server already has");
        check_conflict(at(path), &expected);
    }
    check_conflict(at("process"), "http.endpoint_path 'process' should look like '/process'");
    at("/runs-of-mine").build().expect("another path");
    let own = Router::new().route("/chat/task", on_post(async || ""));
    check_conflict(
        at("/chat").routes(own),
        "the application has the route POST /chat/task, which http.endpoint_path '/chat' already has",
    );
}

#[test]
fn build__origin_or_host_that_never_matches__is_refused() {
    let mut http = agent_server::HttpConfig::default();
    http.cors_origins = vec!["https://app.example/".to_owned()];
    check_conflict(
        echo().http(http),
        "http.cors_origins 'https://app.example/' should end after host and port: write 'https://app.example'",
    );
    let mut http = agent_server::HttpConfig::default();
    http.allowed_hosts = vec!["app.example:80".to_owned()];
    check_conflict(
        echo().http(http),
        "http.allowed_hosts 'app.example:80' should have no port, because any port is allowed",
    );
}

/// `POST /ask/{model}` starts a run of the request's principal and answers with its id and its text; `GET /answers/{id}`
/// answers with the text of a run.
fn asking(runner: Runner) -> Router {
    async fn ask(
        State(runner): State<Runner>,
        Extension(principal): Extension<Principal>,
        Path(model): Path<String>,
        question: String,
    ) -> Result<String, ApiError> {
        let mut request = AgentRequest::new(vec![Message::user(question)]);
        request.model = Some(model);
        request.user_id = Some(principal.user_id().to_string());
        let run = runner.start(request, RunOptions::default()).await?;
        Ok(format!("{} {}", run.id(), run.response().await?.messages()[0].full_text()))
    }
    async fn answer(State(runner): State<Runner>, Path(id): Path<String>) -> Result<String, ApiError> {
        let run = runner.attach(&RunId::new(id.as_str())).await?;
        let run = run.ok_or_else(|| ApiError::NoSuchRun(id))?;
        Ok(run.response().await?.messages()[0].full_text())
    }
    Router::new()
        .route("/ask/{model}", on_post(ask))
        .route("/answers/{id}", on_get(answer))
        .with_state(runner)
}

#[tokio::test]
async fn own_routes__with_runner__start_and_read_runs() {
    async fn as_user(mut request: Request, next: Next) -> Response {
        let user = request.headers().get("x-user").and_then(|user| user.to_str().ok()).unwrap_or("ann");
        let principal = Principal::new(user);
        request.extensions_mut().insert(principal);
        next.run(request).await
    }
    let app = echo().agent("other", Echo::default()).routes_with(asking);
    let router = router(app.wrap(|routes| routes.layer(middleware::from_fn(as_user))));
    let ask = |model: &str| {
        let request = Request::post(format!("/ask/{model}")).header("host", "localhost");
        send(&router, request.body("How are you?".into()).expect("a request"))
    };
    let asked = ask("other").await;
    let (id, text) = asked.body.split_once(' ').unwrap_or_else(|| panic!("{asked:?}"));
    assert_eq!(text, "How are you?");
    assert_eq!(get(&router, &format!("/answers/{id}")).await.body, "How are you?");
    let of_server = get(&router, &format!("/runs/{id}")).await;
    assert_eq!((of_server.status, &of_server.json()["agent"]), (StatusCode::OK, &"other".into()));
    let of_others = Request::get(format!("/runs/{id}")).header("host", "localhost").header("x-user", "bob");
    let of_others = send(&router, of_others.body(Body::empty()).expect("a request")).await;
    assert_eq!(of_others.status, StatusCode::NOT_FOUND, "it is Ann's");
    for refused in [ask("nobody").await, get(&router, "/answers/run_0").await] {
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{refused:?}");
        assert!(refused.json()["error"]["message"].is_string(), "{refused:?}");
    }
}

#[test]
fn build__routes_with_runner_collide__names_both_owners() {
    check_conflict(
        echo().routes_with(|_| Router::new().route("/health", on_get(async || ""))),
        "the application has the route GET /health, which the server already has",
    );
    let other = Router::new().route("/ask/{model}", on_post(async || ""));
    check_conflict(
        echo().routes_with(asking).routes_with(|_| other),
        "the application has the route POST /ask/{model}, which the application already has",
    );
}
