//! Chat agents with a fake model.

use agent_runner::Services;
use agent_runner::agents::{ChatConfig, ChatError};
use agent_runner::testing::{CollectedRun, FakeModel, FakeReply, collect};
use agent_runner::tools::built_in;
use agent_schemas::{AgentRequest, Error, Message, Status, object};

async fn ask(model: &FakeModel) -> CollectedRun {
    let mut config = ChatConfig::new("fake");
    config.system_prompt = Some("Be brief.".to_owned());
    let agent = model.chat(config, built_in(&Services::in_memory())).expect("good settings");
    collect(agent, AgentRequest::new(vec![Message::user("What is 6 times 7?")])).await
}

#[tokio::test]
async fn fake_model__tool_calls__read_their_outputs() {
    let calls = FakeReply::default()
        .with_reasoning("Two ways.")
        .with_tool_call("calculator", object! { "expression" => "6 * 7" })
        .with_tool_call("calculator", object! { "expression" => "7 * 6" });
    let model = FakeModel::new([calls, FakeReply::text("It is 42.").with_usage(10, 5)]);
    let run = ask(&model).await;
    assert_eq!((run.text().as_str(), run.reasoning().as_str()), ("It is 42.", "Two ways."));
    assert_eq!(run.tool_calls().len(), 2);
    assert_ne!(run.tool_calls()[0].call_id, run.tool_calls()[1].call_id);
    let usage = run.response.usage.as_ref().and_then(|usage| usage.get("output_tokens")?.as_i64());
    assert_eq!(usage, Some(5));
    let [first, second] = model.requests().try_into().expect("two model calls");
    assert_eq!(first.tool_names(), ["calculator", "current_time"]);
    assert_eq!((first.messages().len(), first.last_text()), (2, "What is 6 times 7?"));
    assert_eq!((second.messages().len(), second.last_text()), (5, "42"));
    assert_eq!(model.replies_left(), 0);
}

#[tokio::test]
async fn fake_model__text__is_streamed_by_word() {
    let outline = ask(&FakeModel::new([FakeReply::text("a b")])).await.outline();
    assert_eq!(outline[3..6], ["  'a ' + in_progress", "  'b' + in_progress", "  'a b' completed"]);
}

#[tokio::test]
async fn fake_model__error__fails_the_run() {
    let error = Error::ModelNotFound { model_name: "fake".to_owned() };
    let run = ask(&FakeModel::new([FakeReply::error(error.clone())])).await;
    assert_eq!(run.error().expect("an error").0, "MODEL_NOT_FOUND");
    let run = ask(&FakeModel::new([FakeReply::text("half a").with_error(error)])).await;
    assert_eq!(run.status(), &Status::Failed);
    let outline = run.outline();
    assert!(outline.contains(&"  'half a' failed".to_owned()), "{outline:?}");
}

#[tokio::test]
async fn fake_model__no_reply_left__explains_it() {
    let run = ask(&FakeModel::new([])).await;
    let (code, message) = run.error().expect("an error");
    assert_eq!(code, "MODEL_EXECUTION_FAILED");
    assert!(message.ends_with("fake: the fake model has no reply left"), "{message}");
}

#[test]
fn fake_model__invalid_config__is_refused() {
    let error = FakeModel::new([]).chat(ChatConfig::default(), vec![]).expect_err("no model is named");
    assert_eq!(error, ChatError::NoModel);
}
