//! The steps of a turn, taken by an agent with its own loop.

use std::sync::Arc;

use agent_runner::agents::{Chat, ChatConfig};
use agent_runner::testing::{CollectedRun, FakeModel, FakeReply, collect};
use agent_runner::tools::built_in;
use agent_runner::{AgentError, RunHandle, Services, agent_fn};
use agent_schemas::{AgentRequest, Error, Message, Status, json, object};

/// Runs an agent that does this with a chat agent whose model has these replies.
async fn run<Fut>(
    replies: impl IntoIterator<Item = FakeReply>,
    request: AgentRequest,
    act: impl Fn(RunHandle, Arc<Chat>) -> Fut + Send + Sync + 'static,
) -> (CollectedRun, FakeModel)
where
    Fut: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    let model = FakeModel::new(replies);
    let config = ChatConfig::new("fake").with_system_prompt("Be brief.");
    let chat = Arc::new(model.chat(config, built_in(&Services::in_memory())).expect("good settings"));
    let agent = agent_fn(move |run| act(run, Arc::clone(&chat)));
    (collect(agent, request).await, model)
}

fn question() -> AgentRequest {
    AgentRequest::new(vec![Message::user("What is 6 times 7?")])
}

fn calculation() -> FakeReply {
    FakeReply::tool_call("calculator", object! { "expression" => "6 * 7" })
}

#[tokio::test]
async fn turn__ended_by_the_agent__runs_no_tool() {
    let (run, model) = run([calculation()], question(), async |run, chat| {
        let mut turn = chat.begin(&run).await?;
        let answer = turn.call_model().await?;
        let call = &answer.tool_calls()[0];
        let (name, arguments) = (call.name.as_deref(), call.arguments.as_deref());
        assert_eq!((name, arguments), (Some("calculator"), Some(r#"{"expression":"6 * 7"}"#)));
        assert_eq!(answer.text(), "");
        run.say("That is too hard for me.");
        Ok(())
    })
    .await;
    assert_eq!((run.status(), run.text().as_str()), (&Status::Completed, "That is too hard for me."));
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn turn__tool_of_the_client__ends() {
    let text = r#"{"input":[],"tools":[{"type":"function","function":{"name":"ask","description":"d","parameters":{"type":"object","properties":{}}}}]}"#;
    let request = AgentRequest::from_json(json::parse(text).expect("JSON")).expect("a request");
    let reply = calculation().with_tool_call("ask", object! {});
    let (run, model) = run([reply], request, async |run, chat| {
        let mut turn = chat.begin(&run).await?;
        let answer = turn.call_model().await?;
        assert_eq!(answer.tool_calls().len(), 1, "the client's call is not the server's");
        assert!(!turn.run_tools(answer).await?);
        Ok(())
    })
    .await;
    let outputs: Vec<_> =
        run.outline().into_iter().filter(|line| line.starts_with("plugin_call_output")).collect();
    assert_eq!(outputs.len(), 2, "begun and ended: {outputs:?}");
    assert_eq!((run.status(), model.requests().len()), (&Status::Completed, 1));
}

#[tokio::test]
async fn complete__question__has_neither_tools_nor_input_and_is_not_shown() {
    let (run, model) = run([FakeReply::text("Not shown.")], question(), async |run, chat| {
        let text = chat.complete(&run, &[Message::user("Is it easy?")]).await?;
        assert_eq!(text, "Not shown.");
        Ok(())
    })
    .await;
    assert_eq!((run.status(), run.text().as_str()), (&Status::Completed, ""));
    let requests = model.requests();
    assert!(requests[0].tool_names().is_empty());
    let messages: Vec<_> = requests[0].messages().iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [r#"{"role":"system","content":"Be brief."}"#, r#"{"role":"user","content":"Is it easy?"}"#]
    );
}

#[tokio::test]
async fn step__model_call_fails__has_its_code() {
    let failure = || FakeReply::error(Error::ModelContextLengthExceeded { model_name: "fake".to_owned() });
    let (completed, _) = run([failure()], question(), async |run, chat| {
        chat.complete(&run, &[Message::user("Is it easy?")]).await?;
        Ok(())
    })
    .await;
    let (called, _) = run([failure()], question(), async |run, chat| {
        chat.begin(&run).await?.call_model().await?;
        Ok(())
    })
    .await;
    for run in [completed, called] {
        assert_eq!(run.error().map(|(code, _)| code), Some("MODEL_CONTEXT_LENGTH_EXCEEDED"), "{run:?}");
    }
}
