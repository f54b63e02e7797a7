//! The tools of one request: the server's own, and those that the request declares.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use agent_schemas::{Json, JsonObject, RequestTool, json, object};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tracing::Instrument;

use super::calls::OwnCall;
use crate::agent::AgentError;
use crate::handle::RunHandle;
use crate::tools::{Tool, ToolContext, UNEXPECTED, error_output, failed_output};

/// The tools that the model may call. Where a request declares a tool that the server has, the server's counts.
#[derive(Debug)]
pub(super) struct Toolbox<'a> {
    own: &'a [Arc<dyn Tool>],
    declared: Vec<&'a RequestTool>,
}

impl<'a> Toolbox<'a> {
    pub(super) fn new(own: &'a [Arc<dyn Tool>], declared: &'a [RequestTool]) -> Self {
        let is_own = |name: &str| own.iter().any(|tool| tool.name() == name);
        let declared =
            declared.iter().filter(|tool| tool.function().is_none_or(|(name, _, _)| !is_own(name))).collect();
        Toolbox { own, declared }
    }

    /// Whether a call of this name ends the turn, because the client has to answer it.
    pub(super) fn is_clients(&self, name: &str) -> bool {
        self.declared.iter().any(|tool| tool.function().is_some_and(|(declared, _, _)| declared == name))
    }

    /// The tools as the request to the model has them; those of the request as they came.
    pub(super) fn to_json(&self) -> Vec<Json> {
        let own = self.own.iter().map(|tool| {
            let function = object! {
                "name" => tool.name(), "description" => tool.description(), "parameters" => tool.parameters()
            };
            Json::from(object! { "type" => "function", "function" => function })
        });
        let declared = self.declared.iter().filter_map(|tool| Json::from_serialize(tool).ok());
        own.chain(declared).collect()
    }

    /// Runs several calls at once, writes their outputs in the order of the calls, and gives them, as JSON texts.
    pub(super) async fn run(&self, run: &RunHandle, calls: &[OwnCall]) -> Vec<String> {
        let of_run = |call: &OwnCall| ToolContext::of_run(run, call.id.as_str(), &call.name);
        let contexts: Vec<ToolContext> = calls.iter().map(of_run).collect();
        let outputs = join_all(calls.iter().zip(&contexts).map(|(call, ctx)| {
            let span = tracing::info_span!("tool call", tool.name = call.name);
            self.output(ctx, call).instrument(span)
        }))
        .await;
        for (ctx, output) in contexts.iter().zip(&outputs) {
            ctx.write_output(output);
        }
        outputs
    }

    /// A call's output. Whatever goes wrong is told to the model, which may do better next time.
    async fn output(&self, ctx: &ToolContext, call: &OwnCall) -> String {
        let Some(tool) = self.own.iter().find(|tool| tool.name() == call.name) else {
            return error_output(&format!("Tool not found: {}", call.name));
        };
        let arguments = match json::parse(&call.arguments) {
            Ok(Json::Object(arguments)) => arguments,
            Ok(Json::Null) => JsonObject::new(),
            Ok(_) => return error_output("the arguments should be a JSON object"),
            Err(error) => return error_output(&format!("the arguments are not JSON: {error}")),
        };
        match AssertUnwindSafe(async { tool.call(ctx, arguments).await }).catch_unwind().await {
            Ok(Ok(output)) => output.to_string(),
            Ok(Err(error)) => failed_output(ctx, &call.name, &error),
            Err(payload) => {
                let error = AgentError::panic(&*payload);
                tracing::error!(run.id = %ctx.run_id(), tool.name = call.name, error = %error, "a tool panicked");
                error_output(UNEXPECTED)
            }
        }
    }
}
