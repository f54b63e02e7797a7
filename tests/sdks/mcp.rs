//! Servers of MCP that others have written, over both transports, with the real binary.

use std::path::Path;

use agent_tests::environment::Environment;
use agent_tests::server::Ended;
use agent_tests::{Launch, ScriptedModel};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::environment::{NODE, environment};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A server of the package `javascript`, as a program and its first argument.
fn package(environment: &Environment, name: &str) -> (String, String) {
    let script = format!("node_modules/@modelcontextprotocol/{name}/dist/index.js");
    (environment.path(NODE).display().to_string(), environment.path(&script).display().to_string())
}

async fn tools(config: &str, arguments: &[&str]) -> Ended {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), config).expect("written");
    let arguments = [&["tools"], arguments, &["--config", file.path().to_str().expect("UTF-8")]].concat();
    Launch::bare(&arguments).environment("PATH", PATH).run().await
}

async fn call(config: &str, name: &str, arguments: &Value) -> String {
    let ended = tools(config, &["call", name, "--arguments", &arguments.to_string()]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

#[tokio::test]
async fn file_system__over_stdio__is_used_by_an_agent() {
    let environment = environment("javascript");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("note.txt");
    std::fs::write(&file, "buy milk").expect("written");
    let (node, script) = package(&environment, "server-filesystem");
    let servers = format!(
        "[[tools.mcp]]\nname = \"files\"\ncommand = {node:?}\nargs = [{script:?}, {:?}]\nprefix = \"files_\"\n\
         approval = [\"write_file\"]\n",
        folder.path()
    );
    let read = json!({ "path": file });
    assert_eq!(call(&servers, "files_read_text_file", &read).await, "buy milk\n");

    let model = ScriptedModel::start().await;
    let config = format!("{}{servers}", model.config());
    let server = Launch::bare(&["--port", "0"]).environment("PATH", PATH).config(&config).start().await;
    let ask = async |name: &str, arguments: Value| {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        let call = json!({ "index": 0, "id": "call_1", "function": function });
        let script = json!({ "deltas": [{ "tool_calls": [call] }], "finish_reason": "tool_calls" });
        let body = json!({ "input": format!("say {script}") });
        server.connect().await.call("POST", "/v1/responses", Some(&body)).await.json()
    };
    let answer = ask("files_read_text_file", read).await;
    assert_eq!(answer["output"][1]["output"], "\"buy milk\"", "{answer}");
    let asked = ask("files_write_file", json!({ "path": file, "content": "buy bread" })).await;
    let request = asked["output"].as_array().and_then(|items| items.last()).expect("items");
    assert_eq!(request["type"], "mcp_approval_request", "{asked}");
    let approval = json!({
        "type": "mcp_approval_response", "approval_request_id": request["id"], "approve": true
    });
    assert_eq!(std::fs::read_to_string(&file).expect("readable"), "buy milk");
    let body = json!({ "input": [approval], "previous_response_id": asked["id"] });
    server.connect().await.call("POST", "/v1/responses", Some(&body)).await;
    assert_eq!(std::fs::read_to_string(&file).expect("readable"), "buy bread");
    assert_eq!(model.rejected(), [""; 0]);
}

#[tokio::test]
async fn everything__over_http__works() {
    let environment = environment("javascript");
    let (node, script) = package(&environment, "server-everything");
    let (_server, port) = serve(&node, &script).await;
    let config = format!("[[tools.mcp]]\nname = \"all\"\nurl = \"http://127.0.0.1:{port}/mcp\"\n");
    let listed = tools(&config, &["list"]).await;
    assert!(listed.stdout.starts_with("all (13 tools)\n"), "{listed:?}");
    assert_eq!(call(&config, "get-sum", &json!({ "a": 2, "b": 3 })).await, "The sum of 2 and 3 is 5.\n");
    let structured = call(&config, "get-structured-content", &json!({ "location": "Chicago" })).await;
    assert!(structured.starts_with("{\"conditions\":"), "{structured}");
    let long = json!({ "duration": 0.2, "steps": 2 });
    let long = call(&config, "trigger-long-running-operation", &long).await;
    assert!(long.starts_with("Long running operation completed."), "{long}");
    let image = tools(&config, &["call", "get-tiny-image"]).await;
    assert!(image.stderr.contains("attached: image data:image/png;base64,"), "{image:?}");
    let wrong = tools(&config, &["call", "get-sum", "--arguments", "{\"a\":\"x\"}"]).await;
    assert_eq!(wrong.code, 1, "{wrong:?}");
}

/// Starts the server that has everything on a free port.
async fn serve(node: &str, script: &str) -> (Child, u16) {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let mut command = Command::new(node);
    command.args([script, "streamableHttp"]).env("PORT", port.to_string());
    let mut server =
        command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().expect("started");
    let mut lines = BufReader::new(server.stderr.take().expect("it is piped")).lines();
    let listens = async {
        while let Some(line) = lines.next_line().await.expect("readable") {
            if line.contains("listening on port") {
                break;
            }
        }
    };
    agent_tests::within("the server to listen", listens).await;
    // What it says later must not fill the pipe.
    #[expect(clippy::disallowed_methods, reason = "it ends with the server")]
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (server, port)
}

#[tokio::test]
async fn time__of_pythons_package__works() {
    let environment = environment("upstream");
    let program = environment.path(".venv/bin/mcp-server-time");
    assert!(Path::new(&program).exists(), "{program:?}");
    let config = format!("[[tools.mcp]]\nname = \"time\"\ncommand = {program:?}\n");
    let now = call(&config, "get_current_time", &json!({ "timezone": "Europe/Rome" })).await;
    assert!(now.contains("Europe/Rome"), "{now}");
}

/// The scenarios of the official suite that our client does not pass, with the reasons.
const NOT_PASSED: [(&str, &str); 2] = [
    ("elicitation-sep1034-client-defaults", "it declares no elicitation, because nobody could be asked"),
    (
        "json-schema-2020-12-preservation",
        "models refuse parameters with allOf at the top, so the tool with them is left out",
    ),
];

// Of the extensions it has client credentials with a secret, and none of these:
// - client-credentials-jwt: rmcp signs assertions with aws-lc only, and this server has one cryptography library, ring.
// - enterprise-managed-authorization: it begins with the identity token of a user, which this server never has.
// - wif-jwt-bearer, dpop, dpop-nonce: rmcp has neither.
// - sep-2640 (skills): it does not use skills, so these scenarios have nothing to check.

/// Runs scenarios of the suite, some of which may be expected to fail.
async fn scenarios(which: &[&str]) {
    let (binary, packages) = (agent_tests::binary::agent_server(), environment("javascript"));
    let command = format!("{NODE} mcp_client.mjs");
    let arguments = [&["client", "--command", &command, "--timeout", "60000"], which].concat();
    let program = [NODE, "node_modules/.bin/conformance"];
    let binary = binary.to_str().expect("UTF-8");
    let ended = packages.run(&program, &arguments, &[("AGENT_TEST_BINARY", binary)]).await;
    assert_eq!(ended.code, 0, "{which:?}: {}{}", ended.stdout, ended.stderr);
}

/// All scenarios of a revision. One that is expected to fail and does not is a failure, too.
async fn revision(version: &str) {
    let expected = tempfile::NamedTempFile::new().expect("a file");
    let names: String = NOT_PASSED.iter().map(|(scenario, _)| format!("  - {scenario}\n")).collect();
    std::fs::write(expected.path(), format!("client:\n{names}")).expect("written");
    let expected = expected.path().to_str().expect("UTF-8");
    scenarios(&["--suite", "all", "--spec-version", version, "--expected-failures", expected]).await;
}

#[tokio::test]
async fn client__scenarios_of_2025_11_25__pass() {
    revision("2025-11-25").await;
}

#[tokio::test]
async fn client__scenarios_of_2026_07_28__pass() {
    revision("2026-07-28").await;
}

#[tokio::test]
async fn client__scenarios_of_extensions_and_old_servers__pass() {
    scenarios(&["--suite", "backcompat"]).await;
    scenarios(&["--scenario", "auth/client-credentials-basic"]).await;
}
