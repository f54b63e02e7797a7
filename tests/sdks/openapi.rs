//! What the server answers, to whatever can be made of its OpenAPI document and to what violates it.

use agent_tests::{Launch, rounds};

use crate::environment::python;

/// Each round begins with its number as the seed, so that a failure comes again.
async fn check(routes: &str) {
    let server = Launch::echo("").start().await;
    let address = format!("http://{}", server.address());
    for round in 0..rounds(1) {
        let said = python("schemathesis", "openapi.py", &[&address, routes, &round.to_string()]).await;
        assert!(said.contains("No issues found"), "{said}");
    }
    server.check_health().await;
}

#[tokio::test]
async fn responses__match_openapi() {
    check("responses").await;
}

#[tokio::test]
async fn conversations_completions_models__match_openapi() {
    check("others_of_openai").await;
}

#[tokio::test]
async fn own_routes__match_openapi() {
    check("own").await;
}
