//! Tools, called without a run.

use agent_runner::testing::{ToolTest, collect};
use agent_runner::tools::{Calculator, ToolContext, call_tool, tool_fn};
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{AgentRequest, Json, SessionId, UserId, object};
use serde::Deserialize;

#[derive(Deserialize, agent_runner::schemars::JsonSchema)]
#[schemars(crate = "agent_runner::schemars")]
struct Count {
    to: u32,
}

#[tokio::test]
async fn tool_test__context__has_user_session_and_progress() {
    let tool = tool_fn("count", "Counts.", |ctx: ToolContext, count: Count| async move {
        for number in 1..=count.to {
            ctx.progress(i64::from(number));
        }
        Ok(format!("{} in {} counted", ctx.user_id(), ctx.session_id()))
    });
    let test = ToolTest::with(UserId::new("ann"), SessionId::new("s"), Default::default());
    let answer = test.call(&tool, object! { "to" => 2_i64 }).await;
    assert_eq!(answer, Ok("ann in s counted".into()));
    assert_eq!(test.progress(), [Json::from(1_i64), Json::from(2_i64)]);
}

#[tokio::test]
async fn tool_test__cancel__reaches_the_tool() {
    let test = ToolTest::new();
    let ctx = test.context().clone();
    assert!(!ctx.is_cancelled());
    tokio::join!(ctx.cancelled(), async { test.cancel() });
    assert!(ctx.is_cancelled());
}

#[tokio::test]
async fn call_tool__from_agent__writes_call_and_output() {
    let agent = agent_fn(|run: RunHandle| async move {
        let answer = call_tool(&run, &Calculator, object! { "expression" => "6 * 7" }).await?;
        run.say(&answer.to_string());
        call_tool(&run, &Calculator, object! {}).await?;
        Ok(())
    });
    let run = collect(agent, AgentRequest::new(vec![])).await;
    assert_eq!((run.text().as_str(), run.tool_calls().len()), ("42", 2));
    let error = run.error().expect("the second call fails");
    assert_eq!(error, ("TOOL_EXECUTION_FAILED", "the argument 'expression' should be a string"));
}
