//! Requests to stop that another process acknowledged, and whose signals do not arrive.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::{Agent, RunHandle, Runner, Services, agent_fn};
use agent_schemas::Status;
use agent_services::run::Batch;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline, start};

/// The end of the log of a run that another process asks to stop, while no signal arrives. The store ends it in one step or
/// in several.
async fn stopped(agent: impl Agent, in_one_step: bool) -> Vec<String> {
    let mut services = Services::in_memory();
    if !in_one_step {
        let store = FaultyStore::default();
        store.fail("signals", Fault::Silent { is_done: false });
        services.runs = Arc::new(store);
    }
    let runner = Runner::builder().agent("test", agent).services(services).build().expect("one agent");
    let run = start(&runner, "hi").await;
    let log = collect(run.cursor(0)).await;
    let record = runner.record(run.id()).await.expect("readable").expect("there");
    assert_eq!((record.status, record.entries), (Status::Canceled, log.len() as u64));
    assert!(log.iter().enumerate().all(|(number, event)| event.sequence_number() == Some(number as i64)));
    outline(&log)
}

/// Asks a run to stop, like another process.
async fn ask(run: &RunHandle) -> agent_services::Result<()> {
    run.services().runs.cancel(run.id(), Batch::empty(0)).await.map(drop)
}

#[tokio::test]
async fn cancel__acknowledged_as_the_agent_returns__ends_canceled() {
    for in_one_step in [true, false] {
        let agent = agent_fn(|run: RunHandle| async move {
            run.say("whole");
            run.message().text().delta("half");
            ask(&run).await?;
            // It does not wait for anything after that, so it cannot learn of the request.
            Ok(())
        });
        let log = stopped(agent, in_one_step).await;
        assert_eq!(log.last().map(String::as_str), Some("response canceled"), "{log:#?}");
        assert!(log.contains(&"message completed".to_owned()), "what is whole stays so: {log:#?}");
    }
}

#[tokio::test]
async fn cancel__acknowledged_as_the_agent_fails__ends_canceled() {
    for in_one_step in [true, false] {
        let agent = agent_fn(|run: RunHandle| async move {
            ask(&run).await?;
            Err(agent_runner::AgentError::message("it fails"))
        });
        let log = stopped(agent, in_one_step).await;
        assert_eq!(log.last().map(String::as_str), Some("response canceled"), "{log:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn append__run_asked_to_stop__cancels_the_agent() {
    let agent = agent_fn(|run: RunHandle| async move {
        let message = run.message();
        let mut content = message.text();
        ask(&run).await?;
        while !run.is_cancelled() {
            content.delta("word ");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    });
    let log = stopped(agent, false).await;
    assert_eq!(log.last().map(String::as_str), Some("response canceled"), "{log:#?}");
}
