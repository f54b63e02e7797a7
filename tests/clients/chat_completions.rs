//! OpenAI's libraries, with Chat Completions: the agent `chat` of the real binary behind a model that does as it is told.

use agent_tests::{Launch, ScriptedModel, Server};

use crate::tools::{Tools, program};

/// A server of the demo, and one of an agent that asks a model, with that model.
async fn servers() -> (Server, Server, ScriptedModel) {
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let model = ScriptedModel::start().await;
    let scripted = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    (demo, scripted, model)
}

fn address(server: &Server) -> String {
    format!("http://{}", server.address())
}

async fn check_python(requirements: &str, version: &str) {
    let tools = Tools::python(requirements);
    let (demo, scripted, _model) = servers().await;
    let program = program("openai-python/chat_completions.py");
    let printed = tools.run(".venv/bin/python", &[&program, &address(&demo), &address(&scripted)]).await;
    assert_eq!(printed, format!("openai {version}\n"));
}

#[tokio::test]
async fn python_1() {
    check_python("openai-1.txt", "1.109.1").await;
}

#[tokio::test]
async fn python_2() {
    check_python("openai-2.txt", "2.54.0").await;
}

#[tokio::test]
async fn python_3() {
    check_python("openai-3.txt", "3.54.0").await;
}

#[tokio::test]
async fn the_agents_library() {
    let tools = Tools::python("openai-agents.txt");
    let (_demo, scripted, _model) = servers().await;
    let program = program("openai-python/agents_chat.py");
    assert_eq!(tools.run(".venv/bin/python", &[&program, &address(&scripted)]).await, "openai-agents\n");
}

#[tokio::test]
async fn node() {
    let tools = Tools::node();
    let (demo, scripted, _model) = servers().await;
    let printed = tools.run("node", &["chat_completions.mjs", &address(&demo), &address(&scripted)]).await;
    assert_eq!(printed, "openai\n");
}
