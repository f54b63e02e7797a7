//! Agents of frameworks and scripts of agentscope-runtime, with the real packages: the tests of the Python package that need
//! them, and agents that the real binary serves, over every protocol.

use std::path::{Path, PathBuf};

use agent_tests::client::{self, Answer};
use agent_tests::environment::Environment;
use agent_tests::{Launch, Server};
use futures_util::future::join_all;

use crate::environment::{environment, run_in_python};

/// The scripts in `agents/`, the environments of their frameworks, and their agents.
const SCRIPTS: [(&str, &str, &[&str]); 2] = [
    ("agents_of_frameworks.py", "agents", &["langgraph", "agno", "autogen", "openai_agents", "pydantic_ai"]),
    ("agentscope_agent.py", "upstream", &["agentscope"]),
];

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../python").canonicalize().expect("the package")
}

/// Runs the tests of these files in an environment.
async fn test(packages: &str, files: &[&str]) {
    let tests = python().join("tests/frameworks");
    let modules = format!("{}:{}", python().display(), tests.display());
    let arguments = [&["-m", "unittest"], files].concat();
    run_in_python(packages, &[".venv/bin/python"], &arguments, &[("PYTHONPATH", &modules)]).await;
}

#[tokio::test]
async fn frameworks__their_agents_and_streams__answer_runs() {
    let files = [
        "test_agno",
        "test_autogen",
        "test_langchain",
        "test_langgraph",
        "test_langgraph_config",
        "test_langgraph_recordings",
        "test_openai_agents",
        "test_pydantic_ai",
        "test_scripts",
    ];
    test("agents", &files).await;
}

#[tokio::test]
async fn agentscope__its_agents_and_streams__answer_runs() {
    test("upstream", &["test_agentscope", "test_agentscope_agents"]).await;
}

#[tokio::test]
async fn agentscope_2__its_agents_and_events__answer_runs() {
    test("agentscope2", &["test_agentscope2"]).await;
}

#[tokio::test]
async fn ms_agent_framework__its_agents_and_streams__answer_runs() {
    test("ms_agent_framework", &["test_ms_agent_framework"]).await;
}

#[tokio::test]
async fn scripts_of_agentscope_runtime__without_that_package__work() {
    let (tests, modules) = (python().join("tests/upstream"), python());
    let arguments = ["-m", "unittest", "discover", "-s", tests.to_str().expect("UTF-8")];
    let modules = modules.to_str().expect("UTF-8");
    run_in_python("upstream", &[".venv/bin/python"], &arguments, &[("PYTHONPATH", modules)]).await;
}

#[tokio::test]
async fn frameworks__over_every_protocol__answer_openais_client() {
    let servers = join_all(SCRIPTS.map(|(script, packages, _)| serve(script, packages))).await;
    let mut addresses = Vec::new();
    for ((server, _), (.., agents)) in servers.iter().zip(SCRIPTS) {
        addresses.extend(agents.iter().map(|agent| format!("http://{}/{agent}", server.address())));
    }
    let arguments: Vec<&str> = addresses.iter().map(String::as_str).collect();
    run_in_python("agents", &[".venv/bin/python", "agents/client.py"], &arguments, &[]).await;
}

/// Serves a script in an environment, which does not change as long as it is there.
async fn serve(script: &str, packages: &str) -> (Server, Environment) {
    let environment = environment(packages);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdks/agents").join(script);
    let (file, python) = (file.display().to_string(), environment.path(".venv/bin/python"));
    let launch = Launch::bare(&["serve", &file, "--python", &python.display().to_string(), "--port", "0"]);
    (launch.environment("PATH", "/usr/local/bin:/usr/bin:/bin").start().await, environment)
}

/// Sends a request with these lines as further headers.
async fn send(server: &Server, line: &str, headers: &str, body: &str) -> Answer {
    let mut client = server.connect().await;
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n");
    client.send(format!("{head}{body}").as_bytes()).await;
    client.answer().await
}

#[tokio::test]
async fn script_with_middleware__sees_the_requests_that_the_server_answers() {
    let script = python().join("tests/upstream/scripts/guarded.py");
    let (server, _environment) = serve(script.to_str().expect("UTF-8"), "upstream").await;
    let chat = r#"{"input":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"stream":false}"#;
    let key = "X-Api-Key: secret\r\n";
    for (line, body) in [("POST /chat", chat), ("POST /v1/responses", r#"{"input":"hi"}"#), ("GET /runs", "")]
    {
        let refused = send(&server, line, "", body).await;
        assert_eq!((refused.status, refused.body.as_str()), (401, r#"{"detail":"Wrong key"}"#), "{line}");
    }
    let ann = send(&server, "POST /chat?room=2", &format!("{key}Authorization: Bearer ann\r\n"), chat).await;
    assert_eq!((ann.status, ann.header("x-checked-by")), (200, Some("script")), "{ann:?}");
    assert_eq!(ann.json()["output"][0]["content"][0]["text"], "Bearer ann in 2");
    let nobody = send(&server, "POST /chat", &format!("{key}Authorization: Bearer nobody\r\n"), chat).await;
    assert_eq!(
        (nobody.status, &nobody.json()["error"]["code"]),
        (403, &"REQUEST_REFUSED".into()),
        "{nobody:?}"
    );
    assert_eq!(send(&server, "GET /own", key, "").await.json()["own"], true);
    assert_eq!(send(&server, "GET /own", "", "").await.status, 401);
    assert_eq!(send(&server, "GET /health", "", "").await.status, 200);
}

#[tokio::test]
async fn stop_chat__of_any_worker__cancels_the_runs_of_the_session() {
    let environment = environment("upstream");
    let (script, python) =
        (python().join("tests/upstream/scripts/stopped.py"), environment.path(".venv/bin/python"));
    let config =
        format!("[agents.stopped]\nkind = \"python\"\nfile = {script:?}\npython = {python:?}\nworkers = 2\n");
    let launch = Launch::bare(&["--port", "0"]).config(&config);
    let server = launch.environment("PATH", "/usr/local/bin:/usr/bin:/bin").start().await;
    // Both workers get some of them, and requests to routes are answered by the first.
    for session in ["a", "b", "c", "d", "e", "f"] {
        let ids = format!(r#","user_id":"u","session_id":"{session}""#);
        let mut client = server.connect().await;
        client.send(&client::process("hi", &ids)).await;
        client.head().await;
        client.until("working").await;
        let request = format!(r#"{{"input":[]{ids}}}"#);
        let json = "Content-Type: application/json\r\n";
        assert_eq!(send(&server, "POST /stop", json, &request).await.status, 200);
        client.until(r#""status":"canceled""#).await;
    }
}
