//! The tools of one request: the server's own, and the tools that the request declares.

use std::panic::AssertUnwindSafe;

use agent_schemas::{ContentBody, Json, JsonObject, McpListToolsTool, RequestTool, json, object};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tracing::Instrument;

use super::calls::{CallIds, OwnCall, PartialCall};
use super::client_call::ClientCall;
use super::declared::Declared;
use crate::agent::AgentError;
use crate::call_form::CallForm;
use crate::handle::RunHandle;
use crate::tools::{OfferedTool, ToolContext, ToolOutput, UNEXPECTED, failed_output};

/// What a call has come to, for the model.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) attached: Vec<ContentBody>,
}

/// The tools that the model may call. If a request declares a tool that the server has, the server's is used.
#[derive(Debug)]
pub(super) struct Toolbox {
    own: Vec<OfferedTool>,
    declared: Declared,
}

impl Toolbox {
    pub(super) fn new(own: Vec<OfferedTool>, declared: &[RequestTool]) -> Self {
        let is_own = |name: &str| own.iter().any(|tool| tool.name() == name);
        let declared = Declared::read(declared, is_own);
        Toolbox { own, declared }
    }

    /// The types of declared tools that the model cannot call.
    pub(super) fn left_out(&self) -> &[String] {
        &self.declared.left_out
    }

    /// Opens the call if it names one of the client's tools. Such a call ends the turn.
    pub(super) fn open_client_call(&self, run: &RunHandle, call: &mut PartialCall, ids: &mut CallIds) {
        if let Some(tool) = self.declared.tool(&call.name) {
            call.id = ids.claim(&call.id, || run.new_call_id());
            call.client = Some(ClientCall::open(run, &call.id, tool, &call.arguments, &call.extra));
        }
    }

    /// How the log shows a call of one of the agent's own tools, or of a tool that there is not.
    pub(super) fn form_of(&self, name: &str) -> CallForm {
        match self.own(name).and_then(|tool| tool.mcp.as_ref()) {
            Some(mcp) => CallForm::of_mcp(&mcp.tool_name, &mcp.server_label),
            None => CallForm::plain(name),
        }
    }

    /// The tools of each MCP server, as it knows them.
    pub(super) fn lists(&self) -> Vec<(String, Vec<McpListToolsTool>)> {
        let mut lists: Vec<(String, Vec<McpListToolsTool>)> = Vec::new();
        for OfferedTool { tool, mcp, .. } in &self.own {
            let Some(mcp) = mcp else { continue };
            let listed = McpListToolsTool {
                name: mcp.tool_name.as_ref().to_owned(),
                description: Some(tool.description().to_owned()),
                input_schema: tool.parameters(),
                annotations: Json::Null,
            };
            match lists.iter_mut().find(|(label, _)| **label == *mcp.server_label) {
                Some((_, tools)) => tools.push(listed),
                None => lists.push((mcp.server_label.as_ref().to_owned(), vec![listed])),
            }
        }
        lists
    }

    /// Whether the user is asked before each call of a tool.
    pub(super) fn needs_approval(&self, name: &str) -> bool {
        self.own(name).is_some_and(|tool| tool.needs_approval)
    }

    /// Whether a turn with these tools may ask the user something.
    pub(super) fn may_ask(&self) -> bool {
        self.own.iter().any(|tool| tool.needs_approval)
    }

    fn own(&self, name: &str) -> Option<&OfferedTool> {
        self.own.iter().find(|tool| tool.name() == name)
    }

    /// The name under which the model knows a tool of an MCP server.
    pub(super) fn name_of_mcp(&self, tool_name: &str, server_label: &str) -> Option<&str> {
        let is_it = |tool: &&OfferedTool| {
            let origin = tool.mcp.as_ref();
            origin.is_some_and(|mcp| &*mcp.tool_name == tool_name && &*mcp.server_label == server_label)
        };
        self.own.iter().find(is_it).map(OfferedTool::name)
    }

    /// The name under which the model knows a tool of the client.
    pub(super) fn name_of(&self, own_name: &str, namespace: &str) -> Option<&str> {
        self.declared.name_of(own_name, Some(namespace))
    }

    /// The choice of a tool in the form of the model's request; `None` if the model does not have the tool. If it has none
    /// of the client's tools, the client cannot mean that it has to call one of the server's.
    pub(super) fn choice(&self, choice: &Json) -> Option<Json> {
        let has_none = self.declared.tools.is_empty() && !self.declared.left_out.is_empty();
        let may_force = |mode: &Json| !has_none || matches!(mode.as_str(), Some("auto" | "none"));
        self.readable_choice(choice).filter(|choice| choice.as_str().is_none() || may_force(choice))
    }

    fn readable_choice(&self, choice: &Json) -> Option<Json> {
        let member = |key: &str| choice.get(key);
        match member("type").and_then(Json::as_str) {
            None => choice.as_str().map(Json::from),
            Some(kind @ ("function" | "custom")) => {
                let members = member(kind).unwrap_or(choice);
                let (name, namespace) =
                    (members.get("name")?.as_str()?, member("namespace").and_then(Json::as_str));
                let is_own = self.own.iter().any(|tool| tool.name() == name);
                let name = if is_own { name } else { self.declared.name_of(name, namespace)? };
                Some(object! { "type" => "function", "function" => object! { "name" => name } }.into())
            }
            Some("allowed_tools") => member("allowed_tools").unwrap_or(choice).get("mode").cloned(),
            Some(_) => None,
        }
    }

    /// The tools in the form of the model's request.
    pub(super) fn to_json(&self) -> Vec<Json> {
        let own = self.own.iter().map(|tool| {
            let tool = &tool.tool;
            let function = object! {
                "name" => tool.name(), "description" => tool.description(), "parameters" => tool.parameters()
            };
            Json::from(object! { "type" => "function", "function" => function })
        });
        own.chain(self.declared.tools.iter().map(|tool| tool.json.clone())).collect()
    }

    /// Runs several calls concurrently, writes their outputs in the order of the calls, and returns them.
    pub(super) async fn run(&self, run: &RunHandle, calls: &[OwnCall]) -> Vec<Outcome> {
        let of_run = |call: &OwnCall| ToolContext::of_run(run, call.id.as_str(), self.form_of(&call.name));
        let contexts: Vec<ToolContext> = calls.iter().map(of_run).collect();
        let outputs = join_all(calls.iter().zip(&contexts).map(|(call, ctx)| {
            let span = tracing::info_span!("tool call", tool.name = call.name);
            self.output(ctx, call).instrument(span)
        }))
        .await;
        let ended = contexts.iter().zip(outputs).map(|(ctx, output)| {
            ctx.write_output(&output);
            Outcome { text: output.text, attached: ctx.attached() }
        });
        ended.collect()
    }

    /// A call's output. Errors go to the model, which may try again.
    async fn output(&self, ctx: &ToolContext, call: &OwnCall) -> ToolOutput {
        let Some(OfferedTool { tool, .. }) = self.own(&call.name) else {
            return ToolOutput::failed(&format!("Tool not found: {}", call.name));
        };
        let arguments = match json::parse(&call.arguments) {
            Ok(Json::Object(arguments)) => arguments,
            Ok(Json::Null) => JsonObject::new(),
            Ok(_) => return ToolOutput::failed("the arguments should be a JSON object"),
            Err(error) => return ToolOutput::failed(&format!("the arguments are not JSON: {error}")),
        };
        match AssertUnwindSafe(async { tool.call(ctx, arguments).await }).catch_unwind().await {
            Ok(Ok(output)) => ToolOutput::of(&output),
            Ok(Err(error)) => failed_output(ctx, &call.name, &error),
            Err(payload) => {
                let error = AgentError::panic(&*payload);
                tracing::error!(run.id = %ctx.run_id(), tool.name = call.name, error = %error, "a tool panicked");
                ToolOutput::failed(UNEXPECTED)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Services;
    use crate::tools::built_in;

    #[test]
    fn tool_choice__without_the_clients_tools__forces_no_other() {
        // The calculator.
        let own = || vec![OfferedTool::from(Arc::clone(&built_in(&Services::in_memory())[0]))];
        let choose = |tools: &str, choice: &str| {
            let tools: Vec<RequestTool> = serde_json::from_str(tools).expect(tools);
            let choice = json::parse(choice).expect(choice);
            Toolbox::new(own(), &tools).choice(&choice).map(|choice| choice.to_string())
        };
        let left_out = r#"[{"type":"web_search"}]"#;
        for forced in [
            r#""required""#,
            r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"web_search"}]}"#,
            r#"{"type":"web_search"}"#,
        ] {
            assert_eq!(choose(left_out, forced), None, "{forced}");
        }
        assert_eq!(choose(left_out, r#""none""#).as_deref(), Some(r#""none""#));
        assert_eq!(choose("[]", r#""required""#).as_deref(), Some(r#""required""#));
        let one_left = r#"[{"type":"web_search"},{"type":"function","name":"f"}]"#;
        assert_eq!(choose(one_left, r#""required""#).as_deref(), Some(r#""required""#));
        let named = r#"{"type":"function","name":"calculator"}"#;
        assert!(choose(left_out, named).is_some_and(|choice| choice.contains("calculator")));
    }

    #[test]
    fn tool_choice__of_any_kind__is_a_function_or_removed() {
        let tools: Vec<RequestTool> = serde_json::from_str(
            r#"[{"type":"function","function":{"name":"f"}},{"type":"custom","name":"patch"},{"type":"web_search"}]"#,
        )
        .expect("tools");
        let toolbox = Toolbox::new(Vec::new(), &tools);
        let function = |name: &str| Some(format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#));
        for (choice, expected) in [
            (r#""required""#, Some(r#""required""#.to_owned())),
            (r#"{"type":"function","function":{"name":"f"}}"#, function("f")),
            (r#"{"type":"function","name":"f"}"#, function("f")),
            (r#"{"type":"custom","name":"patch"}"#, function("patch")),
            (r#"{"type":"custom","custom":{"name":"patch"}}"#, function("patch")),
            (r#"{"type":"function","function":{"name":"other"}}"#, None),
            (r#"{"type":"custom"}"#, None),
            (r#"{"type":"web_search"}"#, None),
            (
                r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[]}}"#,
                Some(r#""required""#.to_owned()),
            ),
            ("7", None),
        ] {
            let choice = json::parse(choice).expect(choice);
            assert_eq!(toolbox.choice(&choice).map(|choice| choice.to_string()), expected, "{choice}");
        }
    }
}
