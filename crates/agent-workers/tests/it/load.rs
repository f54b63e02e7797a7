//! Many runs at once.

use std::time::Duration;

use agent_runner::Run;
use agent_schemas::Status;
use futures_util::future::join_all;

use crate::support::{flood as lines, response, serve, serve_script, until};

#[tokio::test]
async fn cancel__of_one_among_500__ends_that_one() {
    let served = serve(|_| {}).await;
    let begun = join_all((0..500).map(|_| served.start_and_listen("waits", ""))).await;
    let mut runs: Vec<_> = begun.into_iter().map(|(run, _)| run).collect();
    let named = runs.remove(257);
    assert!(served.runner.cancel(named.id()).await.expect("cancelled"));
    assert_eq!(response(&named).await.status, Status::Canceled);
    assert_eq!(served.runner.active_runs(), 499);
    runs.iter().for_each(Run::cancel);
    for run in &runs {
        assert_eq!(response(run).await.status, Status::Canceled);
    }
    assert_eq!(served.answer("echo", "again").await, "again");
}

#[tokio::test]
async fn flood__on_standard_output__other_runs_answer() {
    let served = serve(|_| {}).await;
    let flood = served.start("floods", "12500").await;
    until("the flood", || lines() > 100).await;
    assert_eq!(served.answer("echo", "meanwhile").await, "meanwhile");
    assert_eq!(response(&flood).await.messages()[0].text_content(), Some("flooded"));
    until("all lines", || lines() == 12_500).await;
}

#[tokio::test]
async fn reload__under_load__fails_no_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.py");
    let write = |version: usize| {
        let text = format!(
            "import asyncio\nfrom agent_server import agent\n\n@agent\nasync def version(run):\n    \
             await asyncio.sleep(0.01)\n    return '{version:02}'\n"
        );
        std::fs::write(&file, text).expect("written");
    };
    write(0);
    let served = serve_script(&file, |config| {
        config.reload_on_change = Some(folder.path().to_owned());
        config.timing.changes = Duration::from_millis(20);
    })
    .await;
    for version in 1..=10 {
        write(version);
        let newest = format!("{version:02}");
        let client = || async {
            loop {
                let answer = served.answer("version", "").await;
                if answer == newest {
                    return;
                }
            }
        };
        join_all((0..8).map(|_| client())).await;
    }
}
