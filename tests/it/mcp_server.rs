//! The server for MCP clients, with the real binary: every conversation is checked against the grammar.

use agent_tests::mcp::{McpAnswer, McpClient};
use agent_tests::{Launch, Server};
use serde_json::{Value, json};

mod any_request;
mod lines;
mod questions;
mod runs;

/// A prompt, a resource and a description.
const CONFIG: &str = "
[about.echo]
title = 'Echo'
description = 'Repeats what it is told.'
[mcp]
instructions = 'Be kind.'
[mcp.prompts.greet]
text = 'Greet {{name}}!'
arguments = [{ name = 'name', required = true, values = ['Ann', 'Anton', 'Bob'] }]
[mcp.resources.guide]
uri = 'docs://guide'
text = 'Read me.'
";

fn call(message: &str) -> Value {
    json!({ "name": "echo", "arguments": { "message": message } })
}

fn with_progress(mut params: Value) -> Value {
    params["_meta"] = json!({ "progressToken": "p" });
    params
}

/// A client of each generation.
async fn clients(server: &Server) -> [McpClient; 2] {
    let capabilities = json!({ "elicitation": {} });
    let with_session = McpClient::with_session(server.address(), capabilities.clone()).await;
    [with_session, McpClient::stateless(server.address(), capabilities)]
}

#[tokio::test]
async fn client__of_either_generation__finds_and_uses_everything() {
    let server = Launch::echo(CONFIG).start().await;
    for mut client in clients(&server).await {
        let tools = client.result("tools/list", json!({})).await;
        assert_eq!(tools["tools"][0]["title"], "Echo");
        assert_eq!(tools["tools"][0]["description"], "Repeats what it is told.");
        let said = client.result("tools/call", call("hi there")).await;
        assert_eq!(said["content"], json!([{ "type": "text", "text": "hi there" }]));
        let run = said["_meta"]["agent-server/run_id"].as_str().expect("a run").to_owned();
        let read = client.result("resources/read", json!({ "uri": format!("run://{run}") })).await;
        let info: Value =
            serde_json::from_str(read["contents"][0]["text"].as_str().expect("a text")).expect("JSON");
        assert_eq!((&info["status"], &info["id"]), (&json!("completed"), &json!(run)));
        let log = client.result("resources/read", json!({ "uri": format!("run://{run}/events") })).await;
        let lines = log["contents"][0]["text"].as_str().expect("a text").lines().count();
        assert_eq!(json!(lines), info["events"]);

        let prompts = client.result("prompts/list", json!({})).await;
        assert_eq!(prompts["prompts"][0]["name"], "greet");
        let greeting = json!({ "name": "greet", "arguments": { "name": "Ann" } });
        let prompt = client.result("prompts/get", greeting).await;
        assert_eq!(prompt["messages"][0]["content"]["text"], "Greet Ann!");
        let reference = json!({ "type": "ref/prompt", "name": "greet" });
        let begun = json!({ "ref": reference, "argument": { "name": "name", "value": "an" } });
        let completed = client.result("completion/complete", begun).await;
        assert_eq!(completed["completion"]["values"], json!(["Ann", "Anton"]));
        let resources = client.result("resources/list", json!({})).await;
        assert_eq!(resources["resources"][0]["uri"], "docs://guide");
        client.result("resources/templates/list", json!({})).await;

        let wrong =
            client.result("tools/call", json!({ "name": "echo", "arguments": { "text": "x" } })).await;
        assert_eq!(wrong["isError"], true);
        for (method, params) in [
            ("tools/call", json!({ "name": "nobody" })),
            ("prompts/get", json!({ "name": "nothing" })),
            ("resources/read", json!({ "uri": "docs://nothing" })),
            ("resources/read", json!({ "uri": "run://run_0123456789abcdef0123456789abcdef8249" })),
            ("tools/list", json!({ "cursor": "7" })),
            ("completion/complete", json!({ "ref": {}, "argument": {} })),
            ("nothing/at/all", json!({})),
        ] {
            let refused = client.request(method, params).await.response(&mut client).await;
            assert!(refused["error"]["code"].is_i64(), "{method}: {refused}");
        }
        client.check();
    }
}

#[tokio::test]
async fn session__deleted_or_unknown__is_not_found() {
    let server = Launch::echo("").start().await;
    let mut client = McpClient::with_session(server.address(), json!({})).await;
    let mut other = McpClient::with_session(server.address(), json!({})).await;
    assert_eq!(client.end_session().await, 204);
    assert_eq!(client.end_session().await, 404);
    assert_eq!(client.listen(None).await.err(), Some(404));
    let McpAnswer::Message(status, _) = client.request("tools/list", json!({})).await else {
        panic!("no message")
    };
    assert_eq!(status, 404);
    client.session = Some("mine".to_owned());
    let McpAnswer::Message(status, _) = client.request("tools/list", json!({})).await else {
        panic!("no message")
    };
    assert_eq!(status, 404);
    other.result("tools/list", json!({})).await;
    other.check();
}

#[tokio::test]
async fn body__that_is_no_message__is_refused_as_json_rpc() {
    let server = Launch::echo("").start().await;
    for (body, status, code) in [
        ("{", 400, -32700),
        ("[]", 400, -32600),
        ("7", 400, -32600),
        ("{}", 400, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600),
        (&format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(300)), 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}"#, 400, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, 400, -32602),
    ] {
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].clone()),
            (status, json!(code)),
            "{body}: {answer:?}"
        );
    }
    let answer = server.connect().await.get("/mcp").await;
    assert_eq!(answer.status, 405, "{answer:?}");
    let page = "GET /mcp HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:6274\r\n\r\n";
    let answer = server.connect().await.send(page.as_bytes()).await.answer().await;
    let exposed = answer.headers.iter().find(|(name, _)| name == "access-control-expose-headers");
    assert!(exposed.is_some_and(|(_, names)| names.contains("mcp-session-id")), "{answer:?}");
}

#[tokio::test]
async fn configuration__of_the_page__works() {
    let page = include_str!("../../docs/protocols/mcp.md");
    let blocks =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["guide.md", "logo.png"] {
        std::fs::write(folder.path().join(name), name).expect("written");
    }
    let config = blocks.collect::<String>() + "[agents.weather]\nkind = 'echo'\n";
    let config = config.replace("file = \"", &format!("file = \"{}/", folder.path().display()));
    let server = Launch::bare(&["--port", "0"]).config(&config).start().await;
    let mut client = McpClient::stateless(server.address(), json!({}));
    let tools = client.result("tools/list", json!({})).await;
    assert_eq!(tools["tools"][0]["inputSchema"]["required"], json!(["city"]));
    let said =
        client.result("tools/call", json!({ "name": "weather", "arguments": { "city": "Rome" } })).await;
    // An echo has nothing to say about the weather.
    assert_eq!(said["isError"], true, "{said}");
    let text = client.result("resources/read", json!({ "uri": "docs://customers/7" })).await;
    assert_eq!(text["contents"][0]["text"], "Customer 7 is important.");
    let guide = client.result("resources/read", json!({ "uri": "docs://guide" })).await;
    assert_eq!(guide["contents"][0]["mimeType"], "text/markdown");
    let refund = json!({ "name": "refund", "arguments": { "order": "7", "tone": "formal" } });
    let prompt = client.result("prompts/get", refund).await;
    assert_eq!(prompt["messages"][0]["content"]["text"], "Refund order 7. Be formal.");
    let picture = client.result("prompts/get", json!({ "name": "describe" })).await;
    assert_eq!(picture["messages"][0]["content"]["type"], "image");
    client.check();
}
