//! The server's answers to requests generated from its OpenAPI document, valid and invalid.

use agent_tests::{Launch, rounds};

use crate::environment::python;

/// The seed of each round is its number, so that failures are reproducible.
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
