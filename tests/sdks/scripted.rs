//! An agent for tests of clients: it calls any tools that they declare, and follows their instructions.

use std::time::Duration;

use agent_protocol_openai::OpenAi;
use agent_runner::{AgentError, RunHandle};
use agent_schemas::{ContentBody, FunctionCallOutput, Message, MessageType, Role, object};
use agent_server::AgentApp;
use tokio::net::TcpListener;

/// Serves the agent as long as this process lives, and returns its address.
pub(crate) async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = AgentApp::builder("test")
        .agent("scripted", agent_runner::agent_fn(work))
        .protocol(OpenAi)
        .build()
        .expect("built");
    #[expect(clippy::disallowed_methods, reason = "the test's process is all that it lives in")]
    tokio::spawn(app.serve(listener, std::future::pending()));
    format!("http://{address}")
}

async fn work(run: RunHandle) -> Result<(), AgentError> {
    let request = run.request();
    let outputs: Vec<String> = request.input.iter().filter_map(output).collect();
    let last = request.last_user_text();
    if !outputs.is_empty() {
        run.say(&outputs.join(" "));
    } else if let Some(tools) = &request.tools {
        for (name, _, _) in tools.iter().filter_map(agent_schemas::RequestTool::function) {
            let mut call = run.client_tool_call(run.new_call_id(), name);
            let arguments = agent_schemas::Json::from(object! { "city" => last.as_str() }).to_string();
            call.arguments_delta(&arguments);
            call.complete(arguments);
        }
    } else if request.extra_member("response_format").is_some() {
        structured(&run);
    } else {
        match last.as_str() {
            "slow" => slowly(&run).await,
            "wait" => run.cancelled().await,
            "long" => cut_short(&run),
            _ => run.say(&request.input.iter().map(shown).collect::<Vec<_>>().join("|")),
        }
    }
    Ok(())
}

/// The output of a client's tool.
fn output(message: &Message) -> Option<String> {
    if message.kind != MessageType::FunctionCallOutput || message.role != Some(Role::Tool) {
        return None;
    }
    let data = message.contents().first()?.as_data()?;
    Some(FunctionCallOutput::from_data(data).ok()?.output)
}

fn shown(message: &Message) -> String {
    let contents = message.contents().iter().map(|content| match &content.body {
        ContentBody::Text { text } => text.clone().unwrap_or_default(),
        other => format!("[{}]", other.type_name()),
    });
    contents.collect()
}

fn structured(run: &RunHandle) {
    let message = run.message();
    message.set_usage(object! { "input_tokens" => 7, "output_tokens" => 5 });
    let mut text = message.text();
    text.delta(r#"{"name":"Ada","age":36}"#);
    text.complete();
    message.complete();
}

async fn slowly(run: &RunHandle) {
    let message = run.message();
    let mut text = message.text();
    for word in ["one", " two", " three"] {
        text.delta(word);
        // The agent is slow, so that its client can intervene.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    text.complete();
    message.complete();
}

fn cut_short(run: &RunHandle) {
    let message = run.message();
    message.set_metadata(object! { "finish_reason" => "length" });
    let mut text = message.text();
    text.delta("Once upon a");
    text.complete();
    message.complete();
}
