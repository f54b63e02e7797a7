//! The server for MCP clients, with the real binary: every conversation is checked against the grammar.

use std::io::Write;

use agent_protocol_mcp::Mcp;
use agent_runner::{Question, QuestionInput, RunHandle, agent_fn};
use agent_schemas::{JsonObject, object};
use agent_server::AgentApp;
use agent_tests::mcp::{McpAnswer, McpClient, Step, Transport, Version, check};
use agent_tests::{Launch, Server, WaitingModel, rounds, within};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

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
async fn stream__cut_off__continues_after_the_last_event() {
    let server = Launch::echo("[agents.echo]\nkind = 'echo'\nyielding = true\n").start().await;
    let mut client = McpClient::with_session(server.address(), json!({})).await;
    let text = "a word and more ".repeat(200);
    let whole = collect(&mut client, with_progress(call(&text)), usize::MAX).await;
    assert!(whole.len() > 10, "{} messages", whole.len());
    for cut in [0, 1, 5, whole.len() - 1] {
        let again = collect(&mut client, with_progress(call(&text)), cut).await;
        let told = |messages: &[Value]| {
            messages.iter().map(|message| message["params"]["message"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(told(&again), told(&whole), "cut after {cut}");
    }
    client.check();
}

/// The messages of a call whose stream is cut off after some, and continued.
async fn collect(client: &mut McpClient, params: Value, cut: usize) -> Vec<Value> {
    let mut stream = client.request("tools/call", params).await.stream();
    let mut messages = Vec::new();
    loop {
        if messages.len() == cut && stream.last_event_id.is_some() {
            let closed = stream.close(client);
            stream = client.listen(Some(&closed)).await.expect("the stream continues");
        }
        let Some(message) = stream.next(client).await else { return messages };
        messages.push(message);
    }
}

#[tokio::test]
async fn call__server_killed__continues_on_the_next_one() {
    let (model, folder) = (WaitingModel::start().await, tempfile::tempdir().expect("a folder"));
    let config = format!("{}[runs]\nlease_seconds = 1\n", model.config());
    let launch = || Launch::bare(&["--port", "0"]).config(&config).data_dir(folder.path());
    let server = launch().start().await;
    let mut client = McpClient::with_session(server.address(), json!({})).await;
    let held = json!({ "name": "held", "arguments": { "message": "hi" } });
    let mut stream = client.request("tools/call", with_progress(held)).await.stream();
    // The event without a message comes at once.
    let read = async {
        while stream.last_event_id.is_none() {
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(10), stream.next(&mut client)).await;
        }
    };
    within("the beginning of the stream", read).await;
    server.signal(Signal::KILL);
    drop(server);
    let closed = stream.close(&mut client);
    let server = launch().start().await;
    let mut client = client.moved_to(server.address());
    let mut stream = client.listen(Some(&closed)).await.expect("the session and the stream still exist");
    model.release();
    let mut last = Value::Null;
    while let Some(message) = stream.next(&mut client).await {
        last = message;
    }
    // The agent starts over, as no message was complete.
    assert_eq!(last["result"]["content"][0]["text"], "Hello, world!", "{last}");
    client.check();
}

#[tokio::test]
async fn call__cancelled__ends_its_run() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    let held = |user: &str| {
        let meta = json!({ "progressToken": "p", "agent-server/user_id": user });
        json!({ "name": "held", "arguments": { "message": "hi" }, "_meta": meta })
    };
    let [mut with_session, mut stateless] = clients(&server).await;
    // With a session, a notification cancels; closing the stream does not.
    let stream = with_session.request("tools/call", held("ann")).await.stream();
    let run = run_of(&server, "ann").await;
    with_session.notify("notifications/cancelled", json!({ "requestId": 2 })).await;
    ended_as(&server, &run, "canceled").await;
    drop(stream.close(&mut with_session));
    with_session.check();
    // Without one, closing the stream cancels.
    let stream = stateless.request("tools/call", held("bob")).await.stream();
    let run = run_of(&server, "bob").await;
    drop(stream.close(&mut stateless));
    ended_as(&server, &run, "canceled").await;
    stateless.check();
}

/// Waits for a user's run that is in progress.
async fn run_of(server: &Server, user: &str) -> String {
    let path = format!("/runs?user_id={user}&status=in_progress");
    let find = async {
        loop {
            let runs = server.connect().await.get(&path).await.json();
            if let Some(id) = runs["data"][0]["id"].as_str() {
                return id.to_owned();
            }
        }
    };
    within("a run", find).await
}

async fn ended_as(server: &Server, run: &str, status: &str) {
    let path = format!("/runs/{run}");
    let wait = async { while server.connect().await.get(&path).await.json()["status"] != status {} };
    within(status, wait).await;
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
async fn watched_run__grows__is_announced() {
    let model = WaitingModel::start().await;
    let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
    let body = json!({ "input": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] });
    let started = server.connect().await.call("POST", "/runs", Some(&body)).await.json();
    let uri = format!("run://{}", started["id"].as_str().expect("an id"));
    let [mut with_session, mut stateless] = clients(&server).await;
    with_session.result("resources/subscribe", json!({ "uri": uri })).await;
    let mut listening = with_session.listen(None).await.expect("a stream");
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": [uri, "docs://none"] });
    let mut stream =
        stateless.request("subscriptions/listen", json!({ "notifications": wanted })).await.stream();
    let first = stream.next(&mut stateless).await.expect("an acknowledgement");
    assert_eq!(first["params"]["notifications"], json!({ "resourceSubscriptions": [uri] }));
    model.release();
    for (stream, client) in [(&mut listening, &mut with_session), (&mut stream, &mut stateless)] {
        let update = stream.next(client).await.expect("an update");
        assert_eq!(update["params"]["uri"], json!(uri));
    }
    drop(stream.close(&mut stateless));
    with_session.result("resources/unsubscribe", json!({ "uri": uri })).await;
    with_session.check();
    stateless.check();
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

/// A value of a parameter, right or wrong.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(7)),
        Just(json!("")),
        prop::sample::select(vec![
            "echo",
            "greet",
            "docs://guide",
            "run://x",
            "session://s",
            "error",
            "0",
            "\u{0}ü"
        ])
        .prop_map(|text| json!(text)),
        Just(json!({ "type": "ref/prompt", "name": "greet" })),
        Just(json!({ "type": "ref/resource", "uri": "run://{run_id}" })),
        Just(json!({ "name": "name", "value": "A" })),
        Just(json!({ "message": "hi" })),
        Just(json!({ "message": "hi", "answer_to": "run_0" })),
        Just(json!({ "message": "hi", "session_id": "s" })),
        Just(json!({ "answer": { "action": "accept" } })),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,4}", inner, 0..3).prop_map(|members| json!(members)),
        ]
    })
}

/// A request, right or wrong.
fn any_request() -> impl Strategy<Value = (String, Value)> {
    let method = prop::sample::select(vec![
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "logging/setLevel",
        "ping",
        "server/discover",
        "nothing",
        "",
    ]);
    let keys = [
        "name",
        "arguments",
        "uri",
        "cursor",
        "level",
        "ref",
        "argument",
        "requestState",
        "inputResponses",
        "more",
    ];
    let params = prop::collection::hash_map(prop::sample::select(keys.to_vec()), value(), 0..4);
    (method, params).prop_map(|(method, params)| (method.to_owned(), json!(params)))
}

/// Whatever a client asks for, the server answers as the grammar wants it, and does not fail.
#[test]
fn request__right_or_wrong__is_answered_in_the_grammar() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(Launch::echo(CONFIG).start());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(rounds(40) as u32));
    let requests = prop::collection::vec(any_request(), 1..8);
    let checked = runner.run(&requests, |requests| {
        runtime.block_on(async {
            for mut client in clients(&server).await {
                for (method, params) in &requests {
                    // Headers cannot carry everything, and these tests do not encode them.
                    let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default();
                    if name.is_ascii() && !name.contains('\u{0}') {
                        let answer = client.request(method, params.clone()).await;
                        if let McpAnswer::Message(status, message) = &answer {
                            assert!(*status < 500, "{method} {params}: {status} {message}");
                        }
                        answer.response(&mut client).await;
                    }
                }
                client.check();
            }
        });
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
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

/// A server in this process with an agent that asks for two things at once.
async fn serve_asker() -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let asker = agent_fn(|run: RunHandle| async move {
        let schema = object! { "type" => "object", "properties" => object! { "name" => object! { "type" => "string" } } };
        let question = Question::new("who", "Who are you?")
            .with_input("person", QuestionInput::form("Your name?", schema))
            .with_input("folders", QuestionInput::of_client("roots/list", JsonObject::new()));
        let answer = run.ask(question).await?;
        let name = answer.form("person").and_then(|form| form.get("name")?.as_str());
        run.say(&format!("{} {}", name.unwrap_or("nobody"), answer.inputs.contains_key("folders")));
        Ok(())
    });
    let app =
        AgentApp::builder("asker").agent("asker", asker).protocol(Mcp::default()).build().expect("an app");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
    tokio::spawn(app.serve(listener, async { stopped.await.unwrap_or_default() }));
    (address, stop)
}

fn answer_to(request: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
}

#[tokio::test]
async fn question__with_two_requests__is_answered_once_and_in_any_order() {
    let (address, _guard) = serve_asker().await;
    let mut client = McpClient::with_session(address, json!({ "elicitation": {}, "roots": {} })).await;
    for is_cut in [false, true] {
        let call =
            json!({ "name": "asker", "arguments": { "message": "hi" }, "_meta": { "progressToken": "p" } });
        let mut stream = client.request("tools/call", call).await.stream();
        let mut requests = Vec::new();
        while requests.len() < 2 {
            let message = stream.next(&mut client).await.expect("a message");
            requests.extend(Some(message).filter(|message| message["id"].is_string()));
        }
        let of =
            |method: &str| requests.iter().find(|request| request["method"] == method).expect("a request");
        let (folders, person) = (of("roots/list"), of("elicitation/create"));
        client.send(answer_to(folders, &json!({ "roots": [] }))).await;
        if is_cut {
            stream = stream.close(&mut client);
        }
        let accepted = json!({ "action": "accept", "content": { "name": "Ann" } });
        client.send(answer_to(person, &accepted)).await;
        if is_cut {
            stream = client.listen(Some(&stream)).await.expect("the stream continues");
        }
        let mut last = Value::Null;
        while let Some(message) = stream.next(&mut client).await {
            last = message;
        }
        assert_eq!(last["result"]["content"][0]["text"], "Ann true", "{last}");
    }
    client.check();
    let unknown = client.send(json!({ "jsonrpc": "2.0", "id": "run_0/answer", "result": {} })).await;
    assert!(matches!(unknown, McpAnswer::Message(400, _)), "{unknown:?}");
}

#[tokio::test]
async fn question__of_a_client_without_forms__can_be_answered_in_words() {
    let agent = agent_fn(|run: RunHandle| async move {
        let city = run.ask(Question::new("where", "Where are you?")).await?.text;
        run.say(&format!("Hello to {city}!"));
        Ok(())
    });
    let app =
        AgentApp::builder("asker").agent("asker", agent).protocol(Mcp::default()).build().expect("an app");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(app.serve(listener, std::future::pending()));
    for mut client in
        [McpClient::with_session(address, json!({})).await, McpClient::stateless(address, json!({}))]
    {
        let call = json!({ "name": "asker", "arguments": { "message": "hi" } });
        let asked = client.result("tools/call", call).await;
        assert_eq!(asked["content"][0]["text"], "Where are you?", "{asked}");
        let run = asked["_meta"]["agent-server/run_id"].as_str().expect("a run");
        let hint = asked["content"][1]["text"].as_str().expect("a hint");
        assert!(hint.contains(run), "{hint}");
        let answer = json!({ "name": "asker", "arguments": { "message": "Rome", "answer_to": run } });
        let said = client.result("tools/call", answer).await;
        assert_eq!(said["content"][0]["text"], "Hello to Rome!", "{said}");
        client.check();
    }
}
