//! Workers that keep the protocol, and workers that do not.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, AgentResponse, Message, Status};
use agent_workers::{Program, WorkerError, Workers, WorkersConfig};

/// A worker that behaves in this way.
fn config(how: &str) -> WorkersConfig {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/worker.py");
    let program = Program {
        path: "python3".into(),
        arguments: vec![script.into(), how.into()],
        environment: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
    };
    WorkersConfig::new(program)
}

async fn ask(workers: &Arc<Workers>) -> AgentResponse {
    let agent = workers.agent("a").expect("the agent");
    let runner = Runner::builder().agent("a", agent).build().expect("built");
    let request = AgentRequest::new(vec![Message::user("hi")]);
    let run = runner.start(request, RunOptions::default()).await.expect("started");
    run.response().await.expect("a response")
}

#[tokio::test]
async fn worker__keeps_the_protocol__answers() {
    for how in ["well", "after_the_end", "other_run", "byte_by_byte"] {
        let workers = Workers::start(config(how)).await.expect("ready");
        for _ in 0..2 {
            let response = ask(&workers).await;
            assert_eq!(response.status, Status::Completed, "{how}: {response:?}");
            assert_eq!(response.messages()[0].text_content(), Some("hello"), "{how}");
        }
        workers.stop().await;
    }
}

#[tokio::test]
async fn worker__breaks_the_protocol__its_run_fails_and_whole_frames_count() {
    // What the worker does, the code of the run's error, and the text that readers have seen.
    for (how, code, text) in [
        ("torn", "WORKER_CRASHED", "hello"),
        ("closes", "WORKER_CRASHED", "hello"),
        ("unknown_kind", "WORKER_CRASHED", ""),
        ("beyond_credit", "", ""),
        ("unknown_part", "AGENT_UNKNOWN_ERROR", ""),
        ("no_text", "AGENT_UNKNOWN_ERROR", ""),
        ("no_json", "AGENT_UNKNOWN_ERROR", ""),
    ] {
        let workers = Workers::start(config(how)).await.expect("ready");
        let response = ask(&workers).await;
        assert_eq!(response.status, Status::Failed, "{how}: {response:?}");
        let error = response.error.as_ref().expect("an error");
        assert!(code.is_empty() || error.code == code, "{how}: {error:?}");
        let said: String = response.messages().iter().filter_map(Message::text_content).collect();
        assert!(text.is_empty() || said == text, "{how}: {said}");
        workers.stop().await;
    }
}

#[tokio::test]
async fn worker__does_not_become_ready__start_says_why() {
    let start = async |how: &str| {
        let mut config = config(how);
        config.start_timeout = Duration::from_millis(if how == "silent" { 300 } else { 60_000 });
        Workers::start(config).await.expect_err("it does not start")
    };
    assert!(matches!(start("silent").await, WorkerError::Slow(_)));
    assert!(matches!(start("other_version").await, WorkerError::Version { theirs: 99, ours: 1 }));
    assert!(matches!(start("no_frames").await, WorkerError::Protocol(_)));
    match start("exits_early").await {
        WorkerError::Ended { status } => assert_eq!(status, "exit status: 7"),
        error => panic!("{error}"),
    }
    let mut nothing = config("well");
    nothing.program.path = "/nowhere/python".into();
    match Workers::start(nothing).await.expect_err("there is no program") {
        WorkerError::Spawn { program, .. } => assert_eq!(program, "/nowhere/python"),
        error => panic!("{error}"),
    }
}
