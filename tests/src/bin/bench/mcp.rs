//! Measures what a call of an MCP server's tool over HTTP adds to a run, compared with a call of a built-in tool.

use std::time::{Duration, Instant};

use agent_tests::ScriptedModel;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Arguments;
use crate::floor::accept;
use crate::load::{Connection, post};
use crate::process::Server;
use crate::report::{Report, percentile};
use crate::store::Store;

/// The name of the figure.
pub(crate) const NAME: &str = "a call of an MCP tool over HTTP, more than of a built-in one, p50";

/// Measures runs with one call each, of the one tool and the other in turn.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let times = if arguments.quick { 50 } else { 1000 };
    let model = ScriptedModel::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the measurement")]
    let tools = tokio::spawn(accept(listener, answer));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("agent.toml");
    let config = model.config_with_tools(&["calculator"]);
    std::fs::write(
        &file,
        format!("{config}[[tools.mcp]]\nname = \"bench\"\nurl = \"http://{address}/mcp\"\n"),
    )?;
    let file = file.to_str().context("no UTF-8")?;
    let server = Server::storing(&arguments.server()?, &["--config", file], Store::Memory).await?;

    let built_in = request("calculator", &json!({ "expression": "6*7" }));
    let of_mcp = request("echo", &json!({ "text": "hi" }));
    let mut connection = Connection::open(&server.address).await?;
    let (mut base, mut measured) = (Vec::new(), Vec::new());
    for _ in 0..times + times / 10 {
        base.push(run(&mut connection, &built_in, "42").await?);
        measured.push(run(&mut connection, &of_mcp, "hi").await?);
    }
    tools.abort();
    // The first ones are slower.
    let median = |waits: &[Duration]| percentile(&waits[times / 10..], 0.5).as_secs_f64() * 1e3;
    report.budget(NAME.to_owned(), 1.0, median(&measured) - median(&base), " ms");
    Ok(())
}

/// The name of the figure of the server's side.
pub(crate) const SERVER: &str = "a call of an agent as an MCP tool, more than of the agent, p50";

/// Measures calls of the agent `echo` over MCP and over the native protocol, in turn.
pub(crate) async fn measure_server(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let times = if arguments.quick { 50 } else { 1000 };
    let server = Server::storing(&arguments.server()?, &["--agent", "echo"], Store::Memory).await?;
    let text = json!({ "role": "user", "content": [{ "type": "text", "text": "hi" }] });
    let native = post("/process", &json!({ "input": [text], "stream": false }).to_string());
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": "echo", "arguments": { "message": "hi" },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            }
        }
    });
    let headers = "POST /mcp HTTP/1.1\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: echo\r\n\
                   accept: application/json, text/event-stream\r\n";
    let call =
        String::from_utf8(post("/mcp", &call.to_string()))?.replacen("POST /mcp HTTP/1.1\r\n", headers, 1);
    let mut connection = Connection::open(&server.address).await?;
    let (mut base, mut measured) = (Vec::new(), Vec::new());
    for _ in 0..times + times / 10 {
        base.push(exchange(&mut connection, &native, "\"text\":\"hi\"").await?);
        measured.push(exchange(&mut connection, call.as_bytes(), "\"text\":\"hi\"").await?);
    }
    // The first ones are slower.
    let median = |waits: &[Duration]| percentile(&waits[times / 10..], 0.5).as_secs_f64() * 1e3;
    report.budget(SERVER.to_owned(), 1.0, median(&measured) - median(&base), " ms");
    Ok(())
}

async fn exchange(connection: &mut Connection, request: &[u8], wanted: &str) -> Result<Duration> {
    let started = Instant::now();
    connection.send(request).await?;
    let answer = connection.short_answer().await?;
    let time = started.elapsed();
    ensure!(String::from_utf8_lossy(answer).contains(wanted), "{}", String::from_utf8_lossy(answer));
    Ok(time)
}

/// A request that makes the model call this tool, and then say what it got.
fn request(tool: &str, arguments: &Value) -> Vec<u8> {
    let function = json!({ "name": tool, "arguments": arguments.to_string() });
    let call = json!({ "index": 0, "id": "call_1", "function": function });
    let script = json!({ "deltas": [{ "tool_calls": [call] }], "finish_reason": "tool_calls" });
    post("/v1/responses", &json!({ "input": format!("say {script}") }).to_string())
}

async fn run(connection: &mut Connection, request: &[u8], result: &str) -> Result<Duration> {
    let started = Instant::now();
    connection.send(request).await?;
    let answer = connection.short_answer().await?;
    let time = started.elapsed();
    let answer = String::from_utf8_lossy(answer);
    let is_right = answer.split("The tools say: ").nth(1).is_some_and(|said| said.contains(result));
    ensure!(is_right, "not {result}: {answer}");
    Ok(time)
}

/// An MCP server (2025-11-25) with one tool and no sessions.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "bench", "version": "1" }
        }),
        Some("tools/list") => json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }),
        Some("tools/call") => {
            json!({ "content": [{ "type": "text", "text": message["params"]["arguments"]["text"] }] })
        }
        _ => Value::Null,
    };
    let id = &message["id"];
    let answer = match (id, &result) {
        (Value::Null, _) => return Ok(status(202)),
        (_, Value::Null) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no" } })
        }
        _ => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    let kind = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    Ok(response)
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::from_u16(code).unwrap_or_default();
    response
}
