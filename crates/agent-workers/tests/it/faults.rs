//! Workers that die.

use agent_schemas::Status;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{code, gone, log, logged, response, serve};

#[tokio::test]
async fn worker__killed_in_the_middle_of_a_frame__whole_frames_count() {
    let served = serve(|_| {}).await;
    let response = served.ask("is_killed", "").await;
    assert_eq!(code(&response), "WORKER_CRASHED");
    assert_eq!(response.messages()[0].text_content(), Some("whole"), "{response:?}");
    logged(&["ERROR", "killed by signal 9", "out of memory"]).await;
    assert_eq!(served.answer("echo", "again").await, "again");
}

#[tokio::test]
async fn worker__exits_in_a_handler__its_last_words_are_logged() {
    let served = serve(|_| {}).await;
    let run = served.start("exits", "").await;
    assert_eq!(code(&response(&run).await), "WORKER_CRASHED");
    logged(&["ERROR", "exit status: 3"]).await;
    logged(&[run.id().as_str(), "last words"]).await;
}

#[tokio::test]
async fn memory__used_up__fails_the_run_alone() {
    let served = serve(|_| {}).await;
    let number = served.number().await;
    let response = served.ask("runs_out_of_memory", "").await;
    assert_eq!(code(&response), "AGENT_UNKNOWN_ERROR", "{response:?}");
    logged(&["MemoryError"]).await;
    assert_eq!(served.number().await, number);
}

#[tokio::test]
async fn worker__leaves_a_process_behind__is_noticed_and_both_are_gone() {
    let served = serve(|_| {}).await;
    let number = served.number().await;
    let (run, child) = served.start_and_listen("forks", "").await;
    assert_eq!(code(&response(&run).await), "WORKER_CRASHED");
    logged(&["ERROR", "a worker has ended", "exit status: 0"]).await;
    gone(number).await;
    gone(child.parse().expect("a number")).await;
    assert_eq!(served.answer("echo", "again").await, "again");
}

#[tokio::test]
async fn worker__leaves_a_process_in_another_session__is_replaced_all_the_same() {
    let served = serve(|_| {}).await;
    let (run, child) = served.start_and_listen("forks", "away").await;
    let child = Pid::from_raw(child.parse().expect("a number")).expect("a process");
    assert_eq!(code(&response(&run).await), "WORKER_CRASHED");
    assert_eq!(served.answer("echo", "again").await, "again");
    logged(&["in the child"]).await;
    kill_process(child, Signal::KILL).expect("it has left the worker's group, so it still lives");
}

#[tokio::test]
async fn copy__of_a_worker__is_none() {
    let served = serve(|_| {}).await;
    let number = served.number().await;
    assert_eq!(served.answer("forks_a_copy", "").await, "parent");
    assert_eq!(served.ask("echo", "again").await.status, Status::Completed);
    assert_eq!(served.number().await, number, "{}", log());
}
