//! Tools of MCP servers, in the configuration of the real binary.

use std::path::Path;

use agent_tests::{Launch, ScriptedModel, Server};
use serde_json::{Value, json};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The configuration of a server whose tools do what can go wrong.
fn tools(more: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/agent-runner/tests/it/mcp_server.py");
    format!("[[tools.mcp]]\nname = \"test\"\ncommand = \"python3\"\nargs = [{script:?}]\n{more}\n")
}

async fn start(more: &str) -> (ScriptedModel, Server) {
    let model = ScriptedModel::start().await;
    let launch = Launch::bare(&["--port", "0"]).environment("PATH", PATH);
    let server = launch.config(&format!("{}{}", model.config(), tools(more))).start().await;
    (model, server)
}

async fn post(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.connect().await.call("POST", path, Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// A text that makes the model call `echo`.
fn please(text: &str) -> String {
    let arguments = json!({ "text": text }).to_string();
    let call = json!({ "index": 0, "id": "call_1", "function": { "name": "echo", "arguments": arguments } });
    format!("say {}", json!({ "deltas": [{ "tool_calls": [call] }], "finish_reason": "tool_calls" }))
}

fn types(response: &Value) -> Vec<&str> {
    let items = response["output"].as_array().expect("items");
    items.iter().filter_map(|item| item["type"].as_str()).collect()
}

#[tokio::test]
async fn tools__of_the_configuration__are_listed_and_called() {
    let config = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(config.path(), tools("prefix = \"my_\"")).expect("written");
    let config = config.path().to_str().expect("UTF-8");
    let run = async |arguments: &[&str]| {
        let arguments = [&["tools"], arguments, &["--config", config]].concat();
        Launch::bare(&arguments).environment("PATH", PATH).run().await
    };
    let listed = run(&["list"]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(listed.stdout.starts_with("test (12 tools)\n  my_echo"), "{}", listed.stdout);
    let called = run(&["call", "my_echo", "--arguments", r#"{"text":"hi"}"#]).await;
    assert_eq!((called.code, &*called.stdout), (0, "hi\n"), "{called:?}");
    let failed = run(&["call", "my_fails"]).await;
    assert_eq!((failed.code, &*failed.stderr), (1, "no such city\n"), "{failed:?}");
    let wrong = run(&["call", "my_echo", "--arguments", "7"]).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("--arguments should be a JSON object"), "{wrong:?}");
}

#[tokio::test]
async fn calls__over_responses__are_items_of_mcp() {
    let (model, server) = start("").await;
    let first = post(&server, "/v1/responses", &json!({ "input": please("hi") })).await;
    assert_eq!(types(&first), ["mcp_list_tools", "mcp_call", "message"], "{first}");
    assert_eq!(first["output"][0]["server_label"], "test");
    assert_eq!(first["output"][0]["tools"].as_array().map(Vec::len), Some(12));
    let call = &first["output"][1];
    assert_eq!([&call["server_label"], &call["name"], &call["output"]], ["test", "echo", "\"hi\""], "{call}");
    let more = json!({ "input": please("you"), "previous_response_id": first["id"] });
    assert_eq!(types(&post(&server, "/v1/responses", &more).await), ["mcp_call", "message"]);
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn call__that_fails__is_a_failed_item() {
    let (_model, server) = start("").await;
    let asked = please("hi").replace("echo", "fails");
    let response = post(&server, "/v1/responses", &json!({ "input": asked })).await;
    let call = &response["output"][1];
    assert_eq!((&call["type"], &call["status"]), (&json!("mcp_call"), &json!("failed")), "{call}");
    assert!(call["error"].to_string().contains("no such city"), "{call}");
}

#[tokio::test]
async fn approval__over_responses__is_an_item_that_the_client_answers() {
    let (_model, server) = start("approval = [\"echo\"]").await;
    let asked = post(&server, "/v1/responses", &json!({ "input": please("hi") })).await;
    let request = asked["output"].as_array().and_then(|items| items.last()).expect("items");
    assert_eq!(
        (&request["type"], &request["server_label"]),
        (&json!("mcp_approval_request"), &json!("test"))
    );
    let answer =
        json!([{ "type": "mcp_approval_response", "approval_request_id": request["id"], "approve": true }]);
    let body = json!({ "input": answer, "previous_response_id": asked["id"] });
    let done = post(&server, "/v1/responses", &body).await;
    assert_eq!(types(&done), ["mcp_call", "message"], "{done}");
    assert_eq!(done["output"][0]["output"], "\"hi\"");
    // It counts once.
    let again = server.connect().await.call("POST", "/v1/responses", Some(&body)).await;
    assert!(again.body.contains("QUESTION_CLOSED") || again.body.contains("question_closed"), "{again:?}");
}

#[tokio::test]
async fn approval__in_words__counts_over_every_protocol() {
    let (_model, server) = start("approval = \"always\"").await;
    let text = |text: &str| json!([{ "role": "user", "content": [{ "type": "text", "text": text }] }]);
    let native = |input: Value| json!({ "input": input, "session_id": "a", "stream": false });
    let asked = post(&server, "/process", &native(text(&please("hi")))).await;
    assert!(asked.to_string().contains("May I call echo with"), "{asked}");
    let done = post(&server, "/process", &native(text("yes"))).await;
    assert!(done.to_string().contains("mcp_call_output"), "{done}");

    let chat =
        |content: &str| json!({ "messages": [{ "role": "user", "content": content }], "session_id": "b" });
    let asked = post(&server, "/v1/chat/completions", &chat(&please("hi"))).await;
    let question = asked["choices"][0]["message"]["content"].as_str().expect("a text").to_owned();
    assert!(question.contains("May I call echo with"), "{question}");
    let refused = post(&server, "/v1/chat/completions", &chat("no")).await;
    assert!(refused.to_string().contains("has not approved"), "{refused}");
}

#[tokio::test]
async fn server__that_is_not_there__costs_only_its_tools() {
    let model = ScriptedModel::start().await;
    let config = format!("{}[[tools.mcp]]\nname = \"none\"\ncommand = \"no-such-program\"\n", model.config());
    let server = Launch::bare(&["--port", "0"]).environment("PATH", PATH).config(&config).start().await;
    let response = post(&server, "/v1/responses", &json!({ "input": "hi" })).await;
    assert_eq!(response["output"][0]["content"][0]["text"], "You said: hi");
    assert!(server.log().contains("no-such-program"), "{}", server.log());
}

#[tokio::test]
async fn settings__that_are_wrong__are_named_before_the_server_starts() {
    for (config, expected) in [
        (
            "[[tools.mcp]]\nname = \"a\"\n",
            "tools.mcp: the MCP server 'a': set command, for a program, or url",
        ),
        ("[[tools.mcp]]\nname = \"a\"\ncommand = \"b\"\nfoo = 1\n", "foo"),
        ("[[tools.mcp]]\nname = \"a\"\ncommand = \"b\"\napproval = \"sometimes\"\n", "approval should be"),
        (
            "[[tools.mcp]]\nname = \"a\"\nurl = \"http://x\"\nheaders_env = { authorization = \"NO_KEY\" }\n",
            "the environment variable NO_KEY is not set",
        ),
    ] {
        let ended = Launch::bare(&["--port", "0", "--agent", "echo"]).config(config).run().await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(expected), "{expected}: {ended:?}");
    }
}

#[tokio::test]
async fn script__calls_tools__and_asks_for_approval() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("app.py");
    let source = r#"
from agent_server import Run, ToolError, agent

@agent
async def caller(run: Run) -> str:
    names = sorted(tool.name for tool in await run.tools())
    text = await run.call_tool("echo", {"text": "hi"})
    try:
        await run.call_tool("fails")
    except ToolError as error:
        text += f", {error}"
    try:
        approved = await run.call_tool("structured")
    except ToolError as error:
        approved = error
    return f"{'echo' in names} {text}; {approved}"
"#;
    std::fs::write(&script, source).expect("written");
    let config = format!(
        "{}[agents.caller]\nkind = \"python\"\nfile = {script:?}\n",
        tools("approval = [\"structured\"]")
    );
    let server = Launch::bare(&["--port", "0"]).environment("PATH", PATH).config(&config).start().await;
    for (approve, said) in [(true, "{'sum': 3}"), (false, "the user has not approved this call")] {
        let asked = post(&server, "/v1/responses", &json!({ "input": "go" })).await;
        let items = asked["output"].as_array().expect("items");
        let request = items.last().expect("a request");
        assert_eq!(request["type"], "mcp_approval_request", "{asked}");
        assert_eq!((&request["name"], &request["server_label"]), (&json!("structured"), &json!("test")));
        assert_eq!(types(&asked)[..2], ["mcp_call", "mcp_call"], "{asked}");
        let approval = json!({
            "type": "mcp_approval_response", "approval_request_id": request["id"], "approve": approve
        });
        let body = json!({ "input": [approval], "previous_response_id": asked["id"] });
        let done = post(&server, "/v1/responses", &body).await;
        let text =
            done["output"].as_array().and_then(|items| items.last()).expect("items")["content"][0]["text"]
                .clone();
        assert_eq!(text, format!("True hi, no such city; {said}"), "{done}");
    }
}
