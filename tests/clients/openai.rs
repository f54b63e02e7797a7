//! OpenAI's libraries.

use agent_tests::Launch;

use crate::scripted;
use crate::tools::{Tools, program};

async fn check_python(requirements: &str, version: &str) {
    let tools = Tools::python(requirements);
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let (demo, scripted) = (format!("http://{}", demo.address()), scripted::serve().await);
    let printed =
        tools.run(".venv/bin/python", &[&program("openai-python/responses.py"), &demo, &scripted]).await;
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
    let scripted = scripted::serve().await;
    let printed = tools.run(".venv/bin/python", &[&program("openai-python/agents_sdk.py"), &scripted]).await;
    assert_eq!(printed, "openai-agents\n");
}

#[tokio::test]
async fn node() {
    let tools = Tools::node();
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let (demo, scripted) = (format!("http://{}", demo.address()), scripted::serve().await);
    assert_eq!(tools.run("node", &["responses.mjs", &demo, &scripted]).await, "openai\n");
}
