//! Tools, called without a run.

use agent_runner::testing::ToolTest;
use agent_runner::tools::{ToolContext, tool_fn};
use agent_schemas::{Json, SessionId, UserId, object};
use serde::Deserialize;

#[derive(Deserialize, agent_runner::schemars::JsonSchema)]
#[schemars(crate = "agent_runner::schemars")]
struct Count {
    to: u32,
}

#[tokio::test]
async fn a_tool_knows_for_whom_it_works_and_reports() {
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
async fn what_a_tool_has_started_hears_of_the_cancellation() {
    let test = ToolTest::new();
    let ctx = test.context().clone();
    assert!(!ctx.is_cancelled());
    tokio::join!(ctx.cancelled(), async { test.cancel() });
    assert!(ctx.is_cancelled());
}
