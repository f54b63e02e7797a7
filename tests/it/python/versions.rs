//! Every supported version of Python.

use std::path::Path;

use agent_tests::pythons::{self, Python};
use agent_tests::{Server, client, within};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{ask, launch, process, request, script};

/// The only test that prints something when it passes, which `.config/nextest.toml` shows.
#[test]
#[expect(clippy::print_stdout, reason = "nobody else would say what was not tested")]
fn supported_versions__that_are_missing__are_printed() {
    let found = pythons::all();
    for Python { version, path } in &found {
        println!("Python {version} is tested: {}", path.display());
    }
    for version in pythons::missing(&found) {
        println!(
            "PYTHON {version} IS NOT TESTED: python{version} is neither on the PATH nor installed by pyenv"
        );
    }
}

#[tokio::test]
async fn package__own_tests__pass_on_every_version() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
    for Python { version, path } in pythons::all() {
        let mut command = tokio::process::Command::new(path);
        command.args(["-W", "error", "-m", "unittest", "discover", "-s", "tests"]).current_dir(&folder);
        let output = within("the tests", command.output()).await.expect("it can be started");
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn agents__on_every_version__behave_the_same() {
    for python in pythons::all() {
        let file = script("agents.py");
        let path = python.path.to_str().expect("UTF-8");
        let server = launch(file.to_str().expect("UTF-8")).arguments(&["--python", path]).start().await;
        let is_it =
            |line: &Value| line["worker.language"].as_str().is_some_and(|it| it.contains(&python.version));
        server.logged(&format!("Python {}", python.version), is_it).await;
        answers(&server).await;
        reports_errors(&server).await;
        is_cancelled(&server).await;
        restarts(&server).await;
        stops(server).await;
    }
}

async fn answers(server: &Server) {
    for (agent, expected) in [
        ("remembers", "turn 1 after 0 messages"),
        ("remembers", "turn 2 after 2 messages"),
        ("echo", "a ü "),
        ("returns", "A Ü"),
        ("yields", "a ü "),
        ("everything", "3"),
        ("knows", "['Ann likes figs'] a b "),
        ("logs", "logged"),
    ] {
        assert_eq!(ask(server, agent, "a ü").await, expected, "{agent}");
    }
    for message in ["careful with a ü", "in a thread"] {
        let line = server.logged(message, |line| line["message"] == message).await;
        assert!(line["run.id"].as_str().is_some_and(|id| id.starts_with("run_")), "{line}");
    }
    let flood = process(server, &request("floods", "1000")).await;
    let text = flood["output"][0]["content"][0]["text"].as_str();
    assert_eq!(text.map(str::len), Some(1_000_000));
}

async fn reports_errors(server: &Server) {
    let post =
        async |agent: &str| server.connect().await.call("POST", "/process", Some(&request(agent, "x"))).await;
    assert!(post("fails").await.body.contains("AGENT_UNKNOWN_ERROR"));
    let is_traceback = |line: &Value| {
        line["message"].as_str().is_some_and(|text| text.ends_with("ValueError: the password is 1234"))
    };
    server.logged("the traceback", is_traceback).await;
    assert!(post("refuses").await.body.contains("DAILY_LIMIT"));
    assert!(post("cancels_itself").await.body.contains("\"status\":\"failed\""));
}

async fn is_cancelled(server: &Server) {
    let of_user = |agent: &str| {
        let mut body = request(agent, "x");
        (body["user_id"], body["session_id"]) = ("u".into(), "cancelled".into());
        body
    };
    let mut body = of_user("waits");
    body["stream"] = true.into();
    let mut connection = server.connect().await;
    connection.send(&client::post(&body.to_string())).await;
    let head = connection.head().await;
    connection.until("waiting").await;
    let run = head.header("x-run-id").expect("a run id");
    server.connect().await.call("POST", &format!("/runs/{run}/cancel"), None).await;
    assert!(connection.rest().await.expect("an end").contains("\"status\":\"canceled\""));
    let saved = process(server, &of_user("state")).await;
    assert_eq!(saved["output"][0]["content"][0]["text"], json!("{'cancelled': True}"));
}

async fn restarts(server: &Server) {
    let answer = server.connect().await.call("POST", "/process", Some(&request("exits", "x"))).await;
    assert!(answer.body.contains("WORKER_CRASHED"), "{answer:?}");
    assert_eq!(ask(server, "echo", "again").await, "again ");
}

async fn stops(mut server: Server) {
    server.signal(Signal::TERM);
    assert!(server.exit().await.success(), "{}", server.log());
}
