//! Workers that are stuck, that do not stop, that use too much memory, and that end again and again.

use std::time::Duration;

use agent_schemas::Status;
use agent_workers::WorkersConfig;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{code, gone, log, logged, response, serve, serve_script, until};

fn quickly(config: &mut WorkersConfig) {
    config.timing.ping = Duration::from_millis(20);
}

fn signal(number: i32, signal: Signal) {
    kill_process(Pid::from_raw(number).expect("a process"), signal).expect("it is there");
}

#[tokio::test]
async fn loop__blocked_by_a_handler__is_reported_once_and_lives_on() {
    let served = serve(|config| {
        quickly(config);
        config.timing.stuck = Duration::from_millis(300);
    })
    .await;
    let number = served.number().await;
    let blocking = served.start("blocks", "1.5").await;
    logged(&["WARN", "stands still"]).await;
    let waiting = served.start("echo", "after").await;
    assert_eq!(response(&blocking).await.messages()[0].text_content(), Some("slept"));
    assert_eq!(response(&waiting).await.messages()[0].text_content(), Some("after"));
    logged(&["INFO", "turns again"]).await;
    let log = log();
    assert_eq!(log.matches("stands still").count(), 1, "{log}");
    let stack: Vec<&str> =
        log.lines().skip_while(|line| !line.starts_with("Stack of")).skip(1).take(2).collect();
    assert!(stack[0].ends_with("in blocks") && stack[1].contains("time.sleep("), "{log}");
    assert!(stack[1].contains(&format!("worker.pid={number}")) && stack[1].contains("runs=1"), "{log}");
    assert_eq!(served.number().await, number);
}

#[tokio::test]
async fn worker__silent__is_killed_and_new_runs_wait_for_another() {
    let served = serve(|config| {
        quickly(config);
        (config.timing.stuck, config.timing.silence) =
            (Duration::from_millis(200), Duration::from_millis(1500));
    })
    .await;
    let number = served.number().await;
    let (lost, _) = served.start_and_listen("waits", "").await;
    signal(number, Signal::STOP);
    logged(&["WARN", "does not answer"]).await;
    let waiting = served.start("number", "").await;
    assert_eq!(code(&response(&lost).await), "WORKER_CRASHED");
    let other = response(&waiting).await;
    assert_ne!(other.messages()[0].text_content(), Some(number.to_string().as_str()), "{other:?}");
    logged(&["ERROR", "a worker was killed", "gave no sign of life"]).await;
    gone(number).await;
}

#[tokio::test]
async fn c_code__that_lets_no_thread_run__is_killed() {
    let served = serve(|config| {
        quickly(config);
        config.timing.silence = Duration::from_millis(500);
    })
    .await;
    let response = served.ask("holds_the_lock", "60").await;
    assert_eq!(code(&response), "WORKER_CRASHED");
    logged(&["ERROR", "gave no sign of life", "C code"]).await;
    assert_eq!(served.answer("echo", "again").await, "again");
}

#[tokio::test]
async fn run__ignores_its_cancellation__another_worker_takes_over() {
    for agent in ["ignores", "never_ends"] {
        let served = serve(|config| {
            quickly(config);
            config.timing.cancel = Duration::from_millis(300);
        })
        .await;
        let number = served.number().await;
        let (other, _) = served.start_and_listen("waits", "").await;
        let ignoring = served.start(agent, "").await;
        if agent == "ignores" {
            served.start_and_listen("ignores", "").await.0.cancel();
        } else {
            logged(&["begun"]).await;
        }
        ignoring.cancel();
        assert_eq!(response(&ignoring).await.status, Status::Canceled);
        logged(&["ERROR", &format!("agent.name=\"{agent}\""), "ignores its cancellation"]).await;
        until("another worker", || log().matches("a worker is ready").count() == 2).await;
        assert_ne!(served.number().await, number);
        // The others have their time.
        other.cancel();
        assert_eq!(response(&other).await.status, Status::Canceled);
        logged(&["a worker that was to be replaced was killed", "ignore their cancellation"]).await;
        gone(number).await;
        served.workers.stop().await;
    }
}

#[tokio::test]
async fn worker__that_was_replaced__is_killed_when_its_time_is_up() {
    let served = serve(|config| {
        quickly(config);
        (config.timing.cancel, config.timing.drain) =
            (Duration::from_millis(100), Duration::from_millis(300));
    })
    .await;
    let (other, _) = served.start_and_listen("waits", "").await;
    let (ignoring, _) = served.start_and_listen("ignores", "").await;
    ignoring.cancel();
    assert_eq!(code(&response(&other).await), "WORKER_CRASHED");
    logged(&["a worker that was to be replaced was killed", "did not end within"]).await;
}

#[tokio::test]
async fn generator__in_a_thread__is_closed_when_its_run_is_cancelled() {
    let served = serve(quickly).await;
    let run = served.start("yields", "").await;
    logged(&["begun"]).await;
    run.cancel();
    assert_eq!(response(&run).await.status, Status::Canceled);
    logged(&[run.id().as_str(), "closed"]).await;
}

#[tokio::test]
async fn memory__above_the_limit__the_worker_is_replaced_after_its_runs() {
    let served = serve(|config| {
        quickly(config);
        config.memory = Some(200 << 20);
    })
    .await;
    let number = served.number().await;
    let (run, _) = served.start_and_listen("grows", "195").await;
    logged(&["WARN", "limit_mb=200", "memory_mb"]).await;
    until("another worker", || log().matches("a worker is ready").count() == 2).await;
    assert_ne!(served.number().await, number);
    run.cancel();
    assert_eq!(response(&run).await.status, Status::Canceled);
    logged(&["INFO", "a worker was replaced"]).await;
    gone(number).await;
    // Far above the limit, it cannot wait for them.
    let response = served.ask("grows", "400").await;
    assert_eq!(code(&response), "WORKER_CRASHED");
    logged(&["was killed", "memory_mb = 200"]).await;
    assert_eq!(served.answer("echo", "again").await, "again");
}

#[tokio::test]
async fn workers__that_crash_again_and_again__new_runs_are_refused_until_one_is_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.py");
    let good = "from agent_server import agent\nimport os\n\n@agent\nasync def exits(run):\n    os._exit(3)\n\n\
                @agent\nasync def echo(run):\n    return run.text\n";
    std::fs::write(&file, good).expect("written");
    let served = serve_script(&file, |config| {
        (config.timing.first_pause, config.timing.longest_pause) =
            (Duration::from_secs(100), Duration::from_secs(100));
    })
    .await;
    std::fs::write(&file, "import os\nos._exit(4)\n").expect("written");
    assert_eq!(code(&served.ask("exits", "").await), "WORKER_CRASHED");
    let refused = served.ask("echo", "").await.error.expect("an error");
    assert_eq!((refused.code.as_str(), refused.status), ("WORKER_UNAVAILABLE", Some(503)));
    assert!(refused.retry_after.is_some_and(|seconds| (90..=100).contains(&seconds)), "{refused:?}");
    served.workers.reload();
    logged(&["ERROR", "could not be started", "exit status: 4"]).await;
    std::fs::write(&file, good).expect("written");
    served.workers.reload();
    until("the next worker", || log().matches("a worker is ready").count() == 2).await;
    assert_eq!(served.answer("echo", "again").await, "again");
}
