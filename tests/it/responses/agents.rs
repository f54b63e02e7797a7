//! Agents with one behavior each.

use std::sync::{Arc, OnceLock};

use agent_runner::{Agent, AgentError, RunHandle, Runner, agent_fn};
use agent_schemas::{
    Content, ContentBody, Error, ErrorBody, JsonObject, Message, MessageType, Role, Status, object,
};

/// An agent that writes and returns.
pub(crate) fn writes(write: impl Fn(&RunHandle) + Copy + Send + Sync + 'static) -> impl Agent {
    agent_fn(move |run: RunHandle| async move {
        write(&run);
        Ok(())
    })
}

/// An agent that writes and then fails.
pub(crate) fn fails(write: impl Fn(&RunHandle) + Copy + Send + Sync + 'static) -> impl Agent {
    agent_fn(move |run: RunHandle| async move {
        write(&run);
        Err::<(), AgentError>(Error::Agent { message: "it broke".into() }.into())
    })
}

/// An agent that writes, and whose run is then cancelled; the runner is set before it runs.
pub(crate) fn is_cancelled(
    write: impl Fn(&RunHandle) + Copy + Send + Sync + 'static,
) -> (impl Agent, Arc<OnceLock<Runner>>) {
    let runner = Arc::new(OnceLock::<Runner>::new());
    let shared = Arc::clone(&runner);
    let agent = agent_fn(move |run: RunHandle| {
        let runner = Arc::clone(&shared);
        async move {
            write(&run);
            runner.get().expect("the runner is there").cancel(run.id()).await?;
            run.cancelled().await;
            Ok(())
        }
    });
    (agent, runner)
}

pub(crate) fn chunks(run: &RunHandle) {
    let message = run.message();
    let mut text = message.text();
    for chunk in ["Hel", "lo, ", "wörld \u{2028}\n", "\"quoted\""] {
        text.delta(chunk);
    }
    text.complete();
    message.complete();
}

pub(crate) fn two_texts(run: &RunHandle) {
    let message = run.message();
    for words in ["one", "two"] {
        let mut text = message.text();
        text.delta(words);
        text.complete();
    }
    message.complete();
    run.say("three");
}

pub(crate) fn reasoning(run: &RunHandle) {
    let reasoning = run.reasoning();
    let mut text = reasoning.text();
    text.delta("Let me ");
    text.delta("think.");
    text.complete();
    reasoning.complete();
    run.say("Done.");
}

pub(crate) fn refusal(run: &RunHandle) {
    let message = run.message();
    let mut refusal = message.refusal();
    refusal.delta("I will ");
    refusal.delta("not.");
    refusal.complete();
    message.complete();
}

pub(crate) fn function_call(run: &RunHandle) {
    let mut call = run.client_tool_call("call_1", "weather");
    call.arguments_delta("{\"city\":");
    call.arguments_delta("\"Paris\"}");
    call.complete("{\"city\":\"Paris\"}");
}

pub(crate) fn parallel_calls(run: &RunHandle) {
    let mut first = run.client_tool_call("call_1", "weather");
    let mut second = run.client_tool_call("call_2", "time");
    first.arguments_delta("{\"a\"");
    second.arguments_delta("{");
    first.arguments_delta(":1}");
    second.arguments_delta("}");
    second.complete("{}");
    first.complete("{\"a\":1}");
}

pub(crate) fn plugin_call(run: &RunHandle) {
    run.tool_call("call_1", "calculator").complete("{\"expression\":\"6 * 7\"}");
    run.tool_output("call_1", "calculator", "42");
    run.say("It is 42.");
}

fn whole(kind: MessageType, role: Role, data: JsonObject) -> Message {
    let mut message = Message::new("", kind);
    message.role = Some(role);
    message.status = Status::Completed;
    message.content = Some(vec![Content::data(data)]);
    message
}

pub(crate) fn custom_call(run: &RunHandle) {
    let call = object! { "call_id" => "c1", "name" => "shell", "input" => "ls", "id" => "x" };
    run.emit(whole(MessageType::PluginCall, Role::Assistant, call));
    let output = object! { "call_id" => "c1", "output" => "a.txt", "id" => "y" };
    run.emit(whole(MessageType::PluginCallOutput, Role::Tool, output));
}

fn mcp_call_begins(run: &RunHandle) {
    let call = object! { "call_id" => "c1", "name" => "search", "arguments" => "{\"q\":1}", "server_label" => "wiki" };
    run.emit(whole(MessageType::McpCall, Role::Assistant, call));
}

pub(crate) fn mcp_call(run: &RunHandle) {
    let tool = object! { "name" => "search", "input_schema" => object! { "type" => "object" } };
    let tools = vec![agent_schemas::Json::from(tool)];
    let list = object! { "id" => "l", "server_label" => "wiki", "tools" => tools };
    run.emit(whole(MessageType::McpListTools, Role::Assistant, list));
    mcp_call_begins(run);
    let output = object! { "call_id" => "c1", "name" => "search", "output" => "found" };
    run.emit(whole(MessageType::McpCallOutput, Role::Tool, output));
    run.say("Found.");
}

pub(crate) fn mcp_failures(run: &RunHandle) {
    let list = object! { "id" => "l", "server_label" => "wiki", "tools" => Vec::new(), "error" => "away" };
    run.emit(whole(MessageType::McpListTools, Role::Assistant, list));
    mcp_call_begins(run);
    let mut output = whole(
        MessageType::McpCallOutput,
        Role::Tool,
        object! { "call_id" => "c1", "output" => "a stack trace" },
    );
    output.status = Status::Failed;
    output.error = Some(ErrorBody::new("MCP", "the tool failed"));
    run.emit(output);
    // A call that is never answered, and an answer without a call.
    let call =
        object! { "call_id" => "c2", "name" => "search", "arguments" => "{}", "server_label" => "wiki" };
    run.emit(whole(MessageType::McpCall, Role::Assistant, call));
    let stray = object! { "call_id" => "c9", "output" => "?" };
    run.emit(whole(MessageType::McpCallOutput, Role::Tool, stray));
}

pub(crate) fn approval(run: &RunHandle) {
    let data =
        object! { "id" => "ask_1", "name" => "delete", "arguments" => "{}", "server_label" => "files" };
    run.emit(whole(MessageType::McpApprovalRequest, Role::Assistant, data));
}

pub(crate) fn other_contents(run: &RunHandle) {
    let mut message = Message::new("", MessageType::Message);
    message.role = Some(Role::Assistant);
    message.status = Status::Completed;
    message.content = Some(vec![
        Content::text("See:"),
        Content::image("data:image/png;base64,QUJD"),
        Content::image("https://example.com/a.png"),
        Content::data(object! { "answer" => 42 }),
        Content::new(ContentBody::Audio { data: Some("QUJD".into()), format: Some("wav".into()) }),
        Content::text("Done."),
    ]);
    run.emit(message);
    let mut error = Message::new("", MessageType::Error);
    (error.status, error.code) = (Status::Completed, Some("SLOW".into()));
    error.message = Some("The model was slow.".into());
    run.emit(error);
    let mut beat = Message::new("", MessageType::Heartbeat);
    beat.status = Status::Completed;
    run.emit(beat);
}

/// The output of the agent `chat` if its model's answer was cut off.
pub(crate) fn cut_short(run: &RunHandle, reason: &str) {
    let message = run.message();
    let mut text = message.text();
    text.delta("Once upon a");
    message.set_metadata(object! { "finish_reason" => reason });
    message.set_usage(object! {
        "prompt_tokens" => 11, "completion_tokens" => 3, "total_tokens" => 14,
        "completion_tokens_details" => object! { "reasoning_tokens" => 1 }
    });
    text.complete();
    message.complete();
}
