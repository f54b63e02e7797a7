//! Runs whose process died.

use std::future::pending;
use std::sync::Arc;

use agent_runner::{Agent, AgentError, Recovery, RunHandle, RunOptions, Runner, Services};
use agent_schemas::{AgentRequest, Message, RunId, SessionId, UserId};
use agent_services::page::PageSize;
use agent_services::run::{Batch, InMemoryRunStore};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::support::{collect, outline};

/// Writes `whole` and half of the next message, then works forever; after a takeover, it writes how much it had written.
#[derive(Debug)]
struct Fragile(Recovery);

#[async_trait]
impl Agent for Fragile {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        if run.request().last_user_text() == "go on" && run.earlier().is_empty() {
            run.say("whole");
            run.message().text().delta("half");
            pending::<()>().await;
        }
        run.say(&format!("{} before", run.earlier().len()));
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        self.0
    }
}

struct World {
    services: Services,
}

impl World {
    fn new() -> Self {
        let mut services = Services::in_memory();
        services.runs = Arc::new(InMemoryRunStore::default());
        World { services }
    }

    fn runner(&self, recovery: Recovery) -> Runner {
        let builder = Runner::builder().agent("fragile", Fragile(recovery)).services(self.services.clone());
        builder.build().expect("one agent")
    }

    /// Starts a run in a process that then dies, with another run queued in the session.
    fn leave_behind(&self, recovery: Recovery) -> (RunId, RunId) {
        let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let runner = self.runner(recovery);
        let ids = process.block_on(async {
            let first = start(&runner, "go on").await;
            let second = start(&runner, "next").await;
            while self.services.runs.get(&first).await.expect("readable").expect("there").entries < 8 {
                tokio::task::yield_now().await;
            }
            runner.release_lease().await.expect("released");
            (first, second)
        });
        process.shutdown_background();
        ids
    }
}

async fn start(runner: &Runner, text: &str) -> RunId {
    let mut request = AgentRequest::new(vec![Message::user(text)]);
    request.session_id = Some("s".to_owned());
    let options = RunOptions::default();
    runner.start(request, options).await.expect("started").id().clone()
}

/// The logs of the runs after another process has taken them over.
fn recovered(recovery: Recovery) -> (Vec<String>, Vec<String>, Vec<String>) {
    let world = World::new();
    let (first, second) = world.leave_behind(recovery);
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    process.block_on(async {
        let runner = world.runner(recovery);
        runner.watch().await.expect("heard");
        let mut logs = Vec::new();
        for id in [&first, &second] {
            let run = runner.attach(id).await.expect("readable").expect("there");
            logs.push(outline(&collect(run.cursor(0)).await));
        }
        let (user, session) = (UserId::new("s"), SessionId::new("s"));
        let said = world.services.sessions.messages(&user, &session, 0, PageSize::default()).await;
        let said = said.expect("readable").expect("there").into_iter();
        let said =
            said.map(|stored| format!("{} {}", stored.message.full_text(), stored.message.status)).collect();
        let record = runner.record(&first).await.expect("readable").expect("there");
        assert_eq!(record.epochs, [8]);
        assert!(record.status.is_final());
        (logs.remove(0), logs.remove(0), said)
    })
}

const LEFT: [&str; 7] = [
    "response created",
    "response in_progress",
    "message in_progress",
    "  'whole' + in_progress",
    "  'whole' completed",
    "message completed",
    "message in_progress",
];

#[test]
fn recovery__continue__resumes_after_whole_items() {
    let (first, second, said) = recovered(Recovery::Continue);
    let went_on = [
        "  'half' + in_progress",
        "  'half' incomplete",
        "message incomplete",
        "response in_progress",
        "message in_progress",
        "  '1 before' + in_progress",
        "  '1 before' completed",
        "message completed",
        "response completed",
    ];
    assert_eq!(first[..6], LEFT[..6]);
    assert_eq!(first[first.len() - 6..], went_on[3..]);
    assert_eq!(second.last().map(String::as_str), Some("response completed"));
    let conversation =
        ["go on created", "whole completed", "1 before completed", "next created", "0 before completed"];
    assert_eq!(said, conversation, "text that was cut off and repeated is not part of it");
}

#[test]
fn recovery__not_continuable__ends_incomplete_and_next_runs() {
    for recovery in [Recovery::GiveUp, Recovery::StartOver] {
        let (first, second, said) = recovered(recovery);
        assert_eq!(first[..6], LEFT[..6]);
        assert_eq!(first.last().map(String::as_str), Some("response incomplete"));
        assert!(!first.iter().skip(8).any(|line| line == "response in_progress"));
        assert_eq!(second.last().map(String::as_str), Some("response completed"));
        assert_eq!(said[..2], ["go on created", "whole completed"]);
        assert!(said.iter().any(|line| line == " incomplete"), "{said:?}");
    }
}

#[test]
fn recovery__run_asked_to_stop__ends_canceled() {
    let world = World::new();
    let (first, _) = world.leave_behind(Recovery::Continue);
    let process = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let log = process.block_on(async {
        world.services.runs.cancel(&first, Batch::empty(0)).await.expect("asked");
        let runner = world.runner(Recovery::Continue);
        runner.watch().await.expect("heard");
        let run = runner.attach(&first).await.expect("readable").expect("there");
        outline(&collect(run.cursor(0)).await)
    });
    assert_eq!(log[..6], LEFT[..6]);
    assert_eq!(log.last().map(String::as_str), Some("response canceled"));
}

/// Writes `whole`, and more once it is released; after a takeover, it writes how much it had written.
#[derive(Debug)]
struct Paused(Arc<Semaphore>);

#[async_trait]
impl Agent for Paused {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        if run.earlier().is_empty() {
            run.say("whole");
            self.0.acquire().await?.forget();
        }
        run.say(&format!("{} before", run.earlier().len()));
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::Continue
    }
}

#[tokio::test]
async fn reader__process_lost_the_run__follows_the_new_owner() {
    let (world, gate) = (World::new(), Arc::new(Semaphore::new(0)));
    let process = || {
        let agent = Paused(Arc::clone(&gate));
        Runner::builder().agent("paused", agent).services(world.services.clone()).build().expect("one agent")
    };
    let (first, second) = (process(), process());
    let run = first.attach(&start(&first, "hi").await).await.expect("readable").expect("there");
    let mut cursor = run.cursor(0);
    let mut seen = Vec::new();
    while !outline(&seen).iter().any(|line| line == "message completed") {
        seen.extend(cursor.next_events().await.expect("more").expect("readable"));
    }
    first.release_lease().await.expect("released");
    second.watch().await.expect("heard");
    let taken = second.attach(run.id()).await.expect("readable").expect("there");
    let whole = collect(taken.cursor(0)).await;
    gate.add_permits(1);
    seen.extend(collect(cursor).await);
    assert_eq!(outline(&seen), outline(&whole));
    assert_eq!(outline(&seen).last().map(String::as_str), Some("response completed"));
}
