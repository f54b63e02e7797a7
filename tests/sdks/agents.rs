//! Agents of frameworks and scripts of agentscope-runtime, with the real packages: the tests of the Python package that need
//! them.

use std::path::{Path, PathBuf};

use crate::environment::run_in_python;

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../python").canonicalize().expect("the package")
}

/// Runs the tests of these files in an environment.
async fn test(packages: &str, files: &[&str]) {
    let tests = python().join("tests/frameworks");
    let modules = format!("{}:{}", python().display(), tests.display());
    let arguments = [&["-m", "unittest"], files].concat();
    run_in_python(packages, &[".venv/bin/python"], &arguments, &[("PYTHONPATH", &modules)]).await;
}

#[tokio::test]
async fn frameworks__their_agents_and_streams__answer_runs() {
    let files = [
        "test_agno",
        "test_autogen",
        "test_langchain",
        "test_langgraph",
        "test_langgraph_config",
        "test_langgraph_recordings",
        "test_openai_agents",
        "test_pydantic_ai",
        "test_scripts",
    ];
    test("agents", &files).await;
}

#[tokio::test]
async fn agentscope__its_agents_and_streams__answer_runs() {
    test("upstream", &["test_agentscope", "test_agentscope_agents"]).await;
}

#[tokio::test]
async fn agentscope_2__its_agents_and_events__answer_runs() {
    test("agentscope2", &["test_agentscope2"]).await;
}

#[tokio::test]
async fn ms_agent_framework__its_agents_and_streams__answer_runs() {
    test("ms_agent_framework", &["test_ms_agent_framework"]).await;
}

#[tokio::test]
async fn scripts_of_agentscope_runtime__without_that_package__work() {
    let (tests, modules) = (python().join("tests/upstream"), python());
    let arguments = ["-m", "unittest", "discover", "-s", tests.to_str().expect("UTF-8")];
    let modules = modules.to_str().expect("UTF-8");
    run_in_python("upstream", &[".venv/bin/python"], &arguments, &[("PYTHONPATH", modules)]).await;
}
