//! Calls of tools that may need the user's approval.

use agent_schemas::{Json, JsonObject, object};

use super::{OfferedTool, ToolError, ToolOutput, call_offered_tool, form_of};
use crate::agent::AgentError;
use crate::{Question, RunHandle, StepEffect};

/// Calls a tool of a [`ToolSource`](super::ToolSource), like [`call_offered_tool`], and if it needs the user's approval, asks
/// for that first. A call that was approved is made at most once in a turn; `key` distinguishes it from other calls of the
/// turn, as the name of a step does.
///
/// # Errors
/// The outer error ends the run: because the user is asked ([`AgentError::is_waiting`]), because an approved call was cut off
/// and nobody knows whether it was made, or because the store failed. The inner one is the tool's, or says that the user has
/// not approved the call; it is also in the log.
pub async fn call_with_approval(
    run: &RunHandle,
    offered: &OfferedTool,
    key: &str,
    arguments: JsonObject,
) -> Result<Result<Json, ToolError>, AgentError> {
    if !offered.needs_approval {
        return Ok(call_offered_tool(run, offered, arguments).await);
    }
    let form = form_of(offered);
    let shown = Json::from(arguments.clone()).to_string();
    let answer = run.ask(Question::about_call(key, &form, &shown)).await?;
    let steps = run.steps();
    if let Some(done) = steps.begin(key, StepEffect::Once).await? {
        let member = |name: &str| done.as_object().and_then(|done| done.get(name).cloned());
        return Ok(match member("error") {
            Some(error) => Err(ToolError::new(error.as_str().unwrap_or_default())),
            None => Ok(member("answer").unwrap_or_default()),
        });
    }
    let called = if answer.approved {
        call_offered_tool(run, offered, arguments).await
    } else {
        let (call_id, refused) = (run.new_call_id(), ToolOutput::failed(&answer.refusal()));
        run.open_call(&call_id, &form, JsonObject::new()).complete(shown);
        run.write_output(&call_id, &form, &refused.text, Vec::new(), refused.error.as_deref());
        Err(ToolError::new(answer.refusal()))
    };
    let kept = match &called {
        Ok(answer) => object! { "answer" => answer.clone() },
        Err(error) => object! { "error" => error.to_string() },
    };
    steps.end(key, kept.into()).await?;
    Ok(called)
}
