//! Chat Completions.

use agent_tests::{Launch, ScriptedModel, Server};

use crate::environment::{javascript, python};

/// A server with the demo agent, and one with an agent that follows instructions, with its model.
async fn servers() -> (Server, Server, ScriptedModel) {
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let model = ScriptedModel::start().await;
    let scripted = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    (demo, scripted, model)
}

fn address(server: &Server) -> String {
    format!("http://{}", server.address())
}

async fn check_python(packages: &str) {
    let (demo, scripted, _model) = servers().await;
    let said = python(packages, "chat_completions.py", &[&address(&demo), &address(&scripted)]).await;
    assert!(said.ends_with("is served.\n"), "{said}");
}

#[tokio::test]
async fn python_sdk__version_1__works() {
    check_python("openai-1").await;
}

#[tokio::test]
async fn python_sdk__version_2__works() {
    check_python("openai-2").await;
}

#[tokio::test]
async fn python_sdk__version_3__works() {
    check_python("openai-3").await;
}

#[tokio::test]
async fn javascript_sdk__works() {
    let (demo, scripted, _model) = servers().await;
    let said = javascript("chat_completions.mjs", &[&address(&demo), &address(&scripted)]).await;
    assert!(said.ends_with("is served.\n"), "{said}");
}
