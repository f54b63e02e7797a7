//! Lines of standard input and output.

use std::io::Write;

use agent_tests::Launch;
use agent_tests::mcp::{Step, Transport, Version, check};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::call;

#[tokio::test]
async fn line__that_describes_its_client_without_a_version__is_refused() {
    let meta = json!({ "io.modelcontextprotocol/clientCapabilities": {} });
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta } });
    let mut input = NamedTempFile::new().expect("a file");
    writeln!(input, "{request}").expect("written");
    let ended = Launch::bare(&["mcp", "--agent", "echo"]).stdin(input.path()).run().await;
    let answer: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn lines__of_a_client__are_answered_and_nothing_else_is_written() {
    for version in [Version::Sessions, Version::Stateless] {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "progressToken": "p",
        });
        let info = json!({ "name": "test", "version": "1" });
        let begin = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
        let request = |id: u64, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let described = |mut params: Value| {
            params["_meta"] =
                if version == Version::Stateless { meta.clone() } else { json!({ "progressToken": "p" }) };
            params
        };
        let mut sent = vec![
            request(1, "tools/list", described(json!({}))),
            request(2, "tools/call", described(call("hi"))),
            request(3, "resources/list", described(json!({}))),
        ];
        if version == Version::Sessions {
            sent.insert(0, json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
            sent.insert(0, request(0, "initialize", begin));
        }
        let mut input = NamedTempFile::new().expect("a file");
        sent.iter().for_each(|message| writeln!(input, "{message}").expect("written"));
        let ended = Launch::bare(&["mcp", "--agent", "echo"]).stdin(input.path()).run().await;
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{ended:?}");
        let received: Vec<Value> =
            ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        // What was written before an answer does not matter to the grammar, as lines have no streams.
        let sent = sent.into_iter().map(|message| Step::Sent { message, headers: Vec::new() });
        let answers = received.iter().cloned().map(|message| Step::Received {
            call: None,
            event_id: None,
            message: Some(message),
        });
        let (first, rest): (Vec<_>, Vec<_>) = answers.partition(
            |step| matches!(step, Step::Received { message: Some(message), .. } if message["id"] == 0),
        );
        let steps: Vec<Step> = match version {
            Version::Sessions => {
                let mut sent: Vec<Step> = sent.collect();
                let others = sent.split_off(1);
                sent.into_iter().chain(first).chain(others).chain(rest).collect()
            }
            Version::Stateless => sent.chain(first).chain(rest).collect(),
        };
        assert_eq!(check(version, Transport::Stdio, &steps), []);
        let said = received.iter().find(|message| message["id"] == 2).expect("an answer");
        assert_eq!(said["result"]["content"][0]["text"], "hi");
    }
}
