//! Frameworks whose model is the server: a `chat` agent with a tool of its own, in front of a strict model server.

use agent_tests::{Launch, ScriptedModel};

use crate::environment::{javascript, python};

/// Runs a program against the server, and checks that the model server has rejected no request.
async fn check(program: &str, printed: &str) {
    let model = ScriptedModel::start().await;
    let server =
        Launch::bare(&["--port", "0"]).config(&model.config_with_tools(&["calculator"])).start().await;
    let address = format!("http://{}", server.address());
    let said = if program.ends_with(".mjs") {
        javascript(program, &[&address]).await
    } else {
        python("frameworks", program, &[&address]).await
    };
    assert_eq!(said.lines().last(), Some(printed));
    assert_eq!(model.rejected(), Vec::<String>::new());
}

#[tokio::test]
async fn openai_agents__every_api__works() {
    check("frameworks/openai_agents.py", "openai-agents").await;
}

#[tokio::test]
async fn pydantic_ai__every_api__works() {
    check("frameworks/pydantic_ai_agent.py", "pydantic-ai").await;
}

#[tokio::test]
async fn langchain__every_api__works() {
    check("frameworks/langchain_agent.py", "langchain").await;
}

#[tokio::test]
async fn litellm__every_api__works() {
    check("frameworks/litellm_client.py", "litellm").await;
}

#[tokio::test]
async fn ai_sdk__every_provider__works() {
    check("frameworks/ai_sdk.mjs", "ai").await;
}
