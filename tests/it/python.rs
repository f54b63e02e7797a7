//! Agents in Python, executed by worker processes of the real binary.

mod installed;
mod routes;
mod steps;
mod versions;

use std::path::{Path, PathBuf};

use agent_tests::{Launch, Server, pause, within};
use rustix::process::Signal;
use serde_json::{Value, json};

/// The only variable that a worker needs: where Python is.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

fn launch(script: &str) -> Launch {
    Launch::bare(&["serve", script, "--port", "0", "--log-format", "json"]).environment("PATH", PATH)
}

async fn start() -> Server {
    launch(script("agents.py").to_str().expect("UTF-8")).start().await
}

fn request(agent: &str, text: &str) -> Value {
    let content = json!([{ "type": "text", "text": text }]);
    json!({ "model": agent, "input": [{ "role": "user", "content": content }], "session_id": "s", "stream": false })
}

async fn process(server: &Server, body: &Value) -> Value {
    let answer = server.connect().await.call("POST", "/process", Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The text of the last message.
async fn ask(server: &Server, agent: &str, text: &str) -> String {
    let response = process(server, &request(agent, text)).await;
    let output = response["output"].as_array().expect("messages");
    let texts = output.last().and_then(|message| message["content"].as_array()).expect("contents");
    texts.iter().filter_map(|content| content["text"].as_str()).collect()
}

#[tokio::test]
async fn agent__of_every_form__answers_over_every_protocol() {
    let server = start().await;
    for (agent, expected) in [("echo", "a ü "), ("returns", "A Ü"), ("yields", "a ü "), ("agents", "a ü ")]
    {
        assert_eq!(ask(&server, agent, "a ü").await, expected, "{agent}");
        let body = json!({ "model": agent, "input": "a ü" });
        let response = server.connect().await.call("POST", "/v1/responses", Some(&body)).await.json();
        assert_eq!(response["output"][0]["content"][0]["text"], expected, "{agent}");
        let body =
            json!({ "model": agent, "messages": [{ "role": "user", "content": "a ü" }], "stream": true });
        let chunks = server.connect().await.call("POST", "/v1/chat/completions", Some(&body)).await.events();
        let deltas = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
        assert_eq!(deltas.collect::<String>(), expected, "{agent}");
    }
}

#[tokio::test]
async fn messages__of_every_kind__are_in_the_log() {
    let server = start().await;
    let mut body = request("everything", "x");
    body["stream"] = true.into();
    let events = server.connect().await.call("POST", "/process", Some(&body)).await.events();
    assert!(events.iter().any(|event| event["object"] == "own" && event["value"] == 1));
    let output = events.last().expect("events")["output"].as_array().expect("messages").clone();
    let kinds: Vec<&Value> = output.iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, ["reasoning", "plugin_call", "plugin_call_output", "message"]);
    assert_eq!(output[1]["content"][0]["data"]["arguments"], "{\"a\": 1, \"b\": 2}");
    assert_eq!(output[2]["content"][0]["data"]["output"], "{\"sum\": 3}");
    let contents: Vec<&Value> =
        output[3]["content"].as_array().expect("contents").iter().map(|content| &content["type"]).collect();
    assert_eq!(contents, ["text", "data", "image"]);
    assert_eq!(output[3]["usage"]["total_tokens"], 3);
}

#[tokio::test]
async fn tool_of_the_client__called__ends_the_turn() {
    let server = start().await;
    let tools = json!([{ "type": "function", "name": "weather" }]);
    let body = json!({ "model": "asks", "input": "x", "tools": tools });
    let response = server.connect().await.call("POST", "/v1/responses", Some(&body)).await.json();
    assert_eq!(response["output"][0]["type"], "function_call", "{response}");
}

#[tokio::test]
async fn state_and_history__next_turn__are_there() {
    let server = start().await;
    assert_eq!(ask(&server, "remembers", "x").await, "turn 1 after 0 messages");
    assert_eq!(ask(&server, "remembers", "x").await, "turn 2 after 2 messages");
}

#[tokio::test]
async fn context__of_the_script__is_seen_by_runs_and_not_changed_by_them() {
    let server = start().await;
    for _ in 0..2 {
        assert_eq!(ask(&server, "reads_context", "x").await, "by the script");
    }
}

#[tokio::test]
async fn memories_and_children__of_a_run__are_the_servers() {
    let server = start().await;
    assert_eq!(ask(&server, "knows", "x").await, "['Ann likes figs'] a b ");
}

#[tokio::test]
async fn steered_input__while_it_runs__reaches_the_agent() {
    let server = start().await;
    let mut body = request("listens", "x");
    body["stream"] = true.into();
    let mut connection = server.connect().await;
    connection.send(&agent_tests::client::post(&body.to_string())).await;
    let head = connection.head().await;
    let mut more = request("listens", "louder");
    (more["session_policy"], more["stream"]) = ("steer".into(), true.into());
    let steered = server.connect().await.call("POST", "/process", Some(&more)).await;
    assert_eq!(steered.status, 200, "{steered:?}");
    let body = connection.body(&head).await.expect("an end");
    assert!(body.contains("\"text\":\"louder\""), "{body}");
}

#[tokio::test]
async fn exception__without_a_code__is_only_in_the_log() {
    let server = start().await;
    let answer = server.connect().await.call("POST", "/process", Some(&request("fails", "x"))).await;
    assert!(!answer.body.contains("1234"), "{answer:?}");
    assert!(answer.body.contains("AGENT_UNKNOWN_ERROR"), "{answer:?}");
    let is_traceback = |line: &Value| line["message"].as_str().is_some_and(|text| text.contains("in fails"));
    let logged = server.logged("the traceback", is_traceback).await;
    assert!(
        logged["message"].as_str().expect("a text").ends_with("ValueError: the password is 1234"),
        "{logged}"
    );
    let body = json!({ "model": "refuses", "messages": [{ "role": "user", "content": "x" }] });
    let answer = server.connect().await.call("POST", "/v1/chat/completions", Some(&body)).await;
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (429, &json!("No more questions today")));
}

#[tokio::test]
async fn log__of_the_script__names_the_run() {
    let server = start().await;
    assert_eq!(ask(&server, "logs", "knives").await, "logged");
    for message in ["careful with knives", "in a thread"] {
        let line = server.logged(message, |line| line["message"] == message).await;
        assert_eq!(line["logger"], "mine");
        assert!(line["run.id"].as_str().is_some_and(|id| id.starts_with("run_")), "{line}");
    }
}

#[tokio::test]
async fn cancel__of_one_among_many__ends_that_one_and_lets_it_save() {
    let server = start().await;
    let mut connections = Vec::new();
    for number in 0..100 {
        let mut body = request("waits", "x");
        (body["stream"], body["session_id"]) = (true.into(), format!("s{number}").into());
        body["user_id"] = "u".into();
        let mut connection = server.connect().await;
        let head = agent_tests::client::post(&body.to_string());
        connection.send(&head).await;
        let head = connection.head().await;
        connections.push((head.header("x-run-id").expect("a run id").to_owned(), connection));
    }
    for (_, connection) in &mut connections {
        connection.until("waiting").await;
    }
    let (run, connection) = &mut connections[57];
    let cancelled = server.connect().await.call("POST", &format!("/runs/{run}/cancel"), None).await;
    assert!(cancelled.status < 300, "{cancelled:?}");
    assert!(connection.rest().await.expect("an end").contains("\"status\":\"canceled\""));
    let mut body = request("state", "x");
    (body["session_id"], body["user_id"]) = ("s57".into(), "u".into());
    let saved = process(&server, &body).await;
    assert_eq!(saved["output"][0]["content"][0]["text"], "{'cancelled': True}");
    let runs = server.connect().await.get("/runs?user_id=u&status=in_progress&limit=1000").await.json();
    assert_eq!(runs["data"].as_array().map(Vec::len), Some(99));
}

#[tokio::test]
async fn cancellation__that_nobody_asked_for__is_a_failure() {
    let server = start().await;
    let answer = server.connect().await.call("POST", "/process", Some(&request("cancels_itself", "x"))).await;
    assert!(answer.body.contains("\"status\":\"failed\""), "{answer:?}");
}

#[tokio::test]
async fn worker__dies__its_runs_fail_and_the_next_ones_work() {
    let server = start().await;
    for _ in 0..2 {
        let answer = server.connect().await.call("POST", "/process", Some(&request("exits", "x"))).await;
        assert!(answer.body.contains("WORKER_CRASHED"), "{answer:?}");
        assert_eq!(ask(&server, "echo", "again").await, "again ");
    }
    let is_end =
        |line: &Value| line["reason"].as_str().is_some_and(|reason| reason.contains("exit status: 3"));
    server.logged("how it ended", is_end).await;
}

#[tokio::test]
async fn flood__slow_reader_and_other_runs__nothing_is_lost() {
    let server = start().await;
    let mut body = request("floods", "5000");
    (body["stream"], body["session_id"]) = (true.into(), "flood".into());
    let mut connection = server.connect().await;
    connection.send(&agent_tests::client::post(&body.to_string())).await;
    let head = connection.head().await;
    assert_eq!(ask(&server, "echo", "meanwhile").await, "meanwhile ");
    let body = connection.body(&head).await.expect("an end");
    let events = agent_tests::client::events(&body);
    let output = &events.last().expect("events")["output"][0]["content"][0]["text"];
    assert_eq!(output.as_str().map(str::len), Some(5_000_000));
}

#[tokio::test]
async fn handler__blocks_the_loop__other_runs_wait_and_end() {
    let server = start().await;
    let (slept, echoed) = tokio::join!(ask(&server, "blocks", "x"), async {
        let mut body = request("echo", "after");
        body["session_id"] = "other".into();
        process(&server, &body).await
    });
    assert_eq!((slept.as_str(), &echoed["status"]), ("slept", &json!("completed")));
}

#[tokio::test]
async fn server__killed_or_stopped__leaves_no_process() {
    for signal in [Signal::KILL, Signal::TERM] {
        let mut server = start().await;
        let numbers = ask(&server, "processes", "x").await;
        server.signal(signal);
        server.exit().await;
        for number in numbers.split(' ') {
            let is_there = || {
                let status = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
                // A process that nobody has waited for yet is dead all the same.
                !status.is_empty() && !status.contains(") Z ")
            };
            within("the process to end", async {
                while is_there() {
                    pause().await;
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn script__cannot_be_loaded__says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.py");
    for (text, expected) in [
        ("import json\nimport no_such_module\n", &["No module named 'no_such_module'", "line 2"][..]),
        ("def f(:\n", &["SyntaxError", "line 1"]),
        ("x = 1\n", &["has no agent", "@agent"]),
        ("raise SystemExit(4)\n", &["has called sys.exit(4) before it had an agent"]),
        ("import os\nos._exit(5)\n", &["ended before it was ready", "exit status: 5"]),
    ] {
        std::fs::write(&file, text).expect("written");
        let ended = launch(file.to_str().expect("UTF-8")).run().await;
        assert_eq!(ended.code, 2, "{text}: {ended:?}");
        for part in expected {
            assert!(ended.stderr.contains(part), "{part} is missing: {ended:?}");
        }
        assert!(!ended.stderr.contains("_load.py"), "{ended:?}");
    }
    let ended = launch("nowhere.py").run().await;
    assert!(ended.stderr.contains("there is no file 'nowhere.py'"), "{ended:?}");
    let unknown = format!("{}:nobody", script("agents.py").display());
    let ended = launch(&unknown).run().await;
    assert!(ended.stderr.contains("has no agent 'nobody'; it has echo, everything"), "{ended:?}");
}

#[tokio::test]
async fn reload__changed_file__new_runs_have_it_and_old_ones_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.py");
    let write = |word: &str, more: &str| {
        let text = format!(
            "import asyncio\nfrom agent_server import agent\n{more}\n@agent\nasync def say(run):\n    yield '{word} '\n    \
             await asyncio.sleep(float(run.text))\n    yield '{word}'\n"
        );
        std::fs::write(&file, text).expect("written");
    };
    write("one", "");
    let server = launch(file.to_str().expect("UTF-8")).arguments(&["--reload"]).start().await;
    let mut body = request("say", "2");
    (body["stream"], body["session_id"]) = (true.into(), "old".into());
    let mut old = server.connect().await;
    old.send(&agent_tests::client::post(&body.to_string())).await;
    let head = old.head().await;
    // A file that is no Python changes nothing; a script that cannot be loaded is not used.
    std::fs::write(folder.path().join("state.json"), "{}").expect("written");
    write("two", "import no_such_module");
    let is_failure = |line: &Value| line["error"].as_str().is_some_and(|error| error.contains("no_such"));
    server.logged("the failure", is_failure).await;
    assert_eq!(ask(&server, "say", "0").await, "one one");
    write("three", "");
    within("the new code", async {
        while ask(&server, "say", "0").await != "three three" {
            pause().await;
        }
    })
    .await;
    assert!(old.body(&head).await.expect("an end").contains("\"text\":\"one one\""));
    server.logged("the end of the old worker", |line| line["message"] == "a worker was replaced").await;
}

#[tokio::test]
async fn script__in_a_package__has_its_relative_imports() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("src/bot");
    std::fs::create_dir_all(&package).expect("created");
    let write = |name: &str, text: &str| std::fs::write(package.join(name), text).expect("written");
    write("__init__.py", "");
    write("words.py", "GREETING = 'hello'\n");
    write(
        "main.py",
        "from agent_server import agent\nfrom .words import GREETING\n\n@agent\nasync def greet(run):\n    return GREETING\n",
    );
    let server = launch(package.join("main.py").to_str().expect("UTF-8")).start().await;
    assert_eq!(ask(&server, "greet", "x").await, "hello");
}

#[tokio::test]
async fn configured_agents__of_one_script__share_its_workers() {
    let file = script("agents.py");
    let entry =
        |name: &str| format!("[agents.{name}]\nkind = \"python\"\nfile = {file:?}\nagent = {name:?}\n");
    let config = format!("{}{}", entry("processes"), entry("echo"));
    let server = Launch::bare(&["--port", "0"]).environment("PATH", PATH).config(&config).start().await;
    assert_eq!(ask(&server, "echo", "hi").await, "hi ");
    let first = ask(&server, "processes", "x").await;
    let second = ask(&server, "processes", "x").await;
    assert_eq!(first.split(' ').next(), second.split(' ').next());
}

#[tokio::test]
async fn environment__of_a_script__is_what_the_configuration_allows() {
    let config = format!(
        "[agents.environment]\nkind = \"python\"\nagent = \"environment\"\nfile = {:?}\nmemory_mb = 500\nenvironment = [\"KEY\"]\n",
        script("agents.py")
    );
    let launch = Launch::bare(&["--port", "0"]).environment("PATH", PATH).config(&config);
    let server = launch.environment("KEY", "1").environment("SECRET", "2").start().await;
    let names = ask(&server, "environment", "x").await;
    assert!(names.contains("KEY") && names.contains("PATH"), "{names}");
    assert!(!names.contains("SECRET") && !names.contains("AGENT_SERVER"), "{names}");
}
