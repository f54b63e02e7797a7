//! Responses and Conversations.

use agent_tests::{Launch, Server};

use crate::environment::{javascript, python};
use crate::scripted;

/// A server of the demo, the address of it, and that of an agent that does as it is told.
async fn servers() -> (Server, String, String) {
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let address = format!("http://{}", demo.address());
    (demo, address, scripted::serve().await)
}

async fn check_python(packages: &str, version: &str) {
    let (_demo, demo, scripted) = servers().await;
    let said = python(packages, "responses.py", &[&demo, &scripted]).await;
    assert_eq!(said, format!("openai {version}\n"));
}

#[tokio::test]
async fn pythons_first_version_is_served() {
    check_python("openai-1", "1.109.1").await;
}

#[tokio::test]
async fn pythons_second_version_is_served() {
    check_python("openai-2", "2.54.0").await;
}

#[tokio::test]
async fn pythons_third_version_is_served() {
    check_python("openai-3", "3.54.0").await;
}

#[tokio::test]
async fn javascripts_client_is_served() {
    let (_demo, demo, scripted) = servers().await;
    assert_eq!(javascript("responses.mjs", &[&demo, &scripted]).await, "openai\n");
}

#[tokio::test]
async fn an_agent_of_a_framework_is_served() {
    let (_demo, _, scripted) = servers().await;
    assert_eq!(python("openai-agents", "framework_responses.py", &[&scripted]).await, "openai-agents\n");
}
