//! The turns of a session, repeated requests, and cancelling by id.

use std::sync::Arc;

use agent_runner::agents::Echo;
use agent_runner::{Run, RunHandle, RunOptions, Runner, Services, StartError, agent_fn};
use agent_schemas::{AgentRequest, Message, RunId, SessionId, Status, UserId};
use agent_services::ErrorKind;
use agent_services::page::PageSize;
use agent_services::run::{Batch, Canceled, IdempotencyKey, RunFilter, RunStore, SessionPolicy};
use tokio::sync::Semaphore;

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, outline, runner};

fn request(text: &str) -> AgentRequest {
    let mut request = AgentRequest::new(vec![Message::user(text)]);
    request.session_id = Some("s".to_owned());
    request.user_id = Some("u".to_owned());
    request
}

fn options(policy: SessionPolicy) -> RunOptions {
    RunOptions::default().with_session_policy(policy)
}

/// An agent that answers with the number of messages in its session once it is released.
fn gated() -> (Runner, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let agent = {
        let gate = Arc::clone(&gate);
        agent_fn(move |run: RunHandle| {
            let gate = Arc::clone(&gate);
            async move {
                let history = run.history(PageSize::default()).await?;
                tokio::select! {
                    () = run.cancelled() => {}
                    permit = gate.acquire() => permit?.forget(),
                }
                let handed = run.steered().await?;
                run.say(&format!("{} before, {} handed", history.len(), handed.len()));
                Ok(())
            }
        })
    };
    (runner(agent), gate)
}

async fn text_of(run: &Run) -> String {
    let response = run.response().await.expect("readable");
    response.messages().last().map(Message::full_text).unwrap_or_default()
}

#[tokio::test]
async fn enqueued_run__starts_after_previous_with_its_history() {
    let (runner, gate) = gated();
    let mut runs = Vec::new();
    for _ in 0..3 {
        let options = options(SessionPolicy::Enqueue);
        runs.push(runner.start(request("hi"), options).await.expect("started"));
    }
    assert_eq!(
        outline(&runs[1].cursor(0).next_events().await.expect("one").expect("readable")),
        ["response created"]
    );
    assert_eq!(runner.active_runs(), 1);
    gate.add_permits(3);
    for (run, before) in runs.iter().zip([0, 2, 4]) {
        assert_eq!(text_of(run).await, format!("{before} before, 0 handed"));
    }
}

#[tokio::test]
async fn busy_session__policy__refuses_or_interrupts() {
    let (runner, gate) = gated();
    let first = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    let refused = runner.start(request("hi"), options(SessionPolicy::Reject)).await;
    assert!(matches!(&refused, Err(StartError::Busy(id)) if id == first.id()), "{refused:?}");
    let waiting = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    let urgent = runner.start(request("hi"), options(SessionPolicy::Interrupt)).await.expect("started");
    assert_eq!(first.response().await.expect("readable").status, Status::Canceled);
    gate.add_permits(2);
    assert_eq!(text_of(&urgent).await, "3 before, 0 handed");
    assert_eq!(text_of(&waiting).await, "5 before, 0 handed");
}

#[tokio::test]
async fn steered_message__is_logged_by_its_run() {
    let runner = runner(agent_fn(|run: RunHandle| async move {
        let mut handed = Vec::new();
        while handed.is_empty() {
            handed = run.steered().await?;
            tokio::task::yield_now().await;
        }
        run.say(&format!("you added: {}", handed[0].full_text()));
        Ok(())
    }));
    let first = runner.start(request("hi"), options(SessionPolicy::Steer)).await.expect("started");
    let same = runner.start(request("and more"), options(SessionPolicy::Steer)).await.expect("handed over");
    assert_eq!(same.id(), first.id());
    let response = first.response().await.expect("readable");
    let texts: Vec<String> = response.messages().iter().map(Message::full_text).collect();
    assert_eq!(texts, ["and more", "you added: and more"]);
    let runs = runner.list(&UserId::new("u"), &RunFilter::default(), None, PageSize::default()).await;
    assert_eq!(runs.expect("listed").items.len(), 1, "it is not a separate run");
}

#[tokio::test]
async fn steer__idle_session__starts_a_run() {
    let (runner, gate) = gated();
    let first = runner.start(request("hi"), options(SessionPolicy::Steer)).await.expect("started");
    gate.close();
    let ended = first.response().await.expect("readable");
    assert_eq!(ended.status, Status::Failed, "the gate is closed");
    let second = runner.start(request("again"), options(SessionPolicy::Steer)).await.expect("started");
    assert_ne!(second.id(), first.id(), "nothing is under way to be handed to");
}

#[tokio::test]
async fn idempotency_key__repeated__gives_one_run() {
    let runner = runner(Echo::default());
    let key = |fingerprint: &str| IdempotencyKey::new("k", fingerprint);
    let start = async |fingerprint: &str| {
        runner
            .start(request("a b"), options(SessionPolicy::Enqueue).with_idempotency_key(key(fingerprint)))
            .await
    };
    let first = start("x").await.expect("started");
    let whole = collect(first.cursor(0)).await;
    let again = start("x").await.expect("found");
    assert_eq!(again.id(), first.id());
    assert_eq!(collect(again.cursor(0)).await, whole);
    assert!(matches!(start("y").await, Err(StartError::KeyReused)));
}

#[tokio::test]
async fn cancel__waiting_run__ends_without_its_agent() {
    let (runner, gate) = gated();
    let first = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    let second = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    let third = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    assert!(runner.cancel(second.id()).await.expect("asked"));
    let record = runner.record(second.id()).await.expect("readable").expect("kept");
    assert_eq!(record.status, Status::Canceled, "the next caller sees the truth");
    assert_eq!(outline(&collect(second.cursor(0)).await), ["response created", "response canceled"]);
    assert!(!runner.cancel(&RunId::new("run_x")).await.expect("asked"));
    gate.add_permits(2);
    assert_eq!(text_of(&first).await, "0 before, 0 handed");
    assert_eq!(text_of(&third).await, "2 before, 0 handed");
    let (user, session) = (UserId::new("u"), SessionId::new("s"));
    assert_eq!(runner.cancel_session(&user, &session).await.expect("asked"), 0);
}

#[tokio::test]
async fn stored_log__any_position__reads_the_rest() {
    let runner = runner(Echo::default());
    let run = runner.start(request("a b c"), RunOptions::default()).await.expect("started");
    let whole = collect(run.cursor(0)).await;
    let id = run.id().clone();
    drop(run);
    let found = runner.attach(&id).await.expect("readable").expect("kept");
    for number in 0..whole.len() {
        let cursor = found.cursor_after(number as u64, 1).await.expect("a position");
        assert_eq!(collect(cursor).await, whole[number + 1..]);
    }
    assert!(found.cursor_after(whole.len() as u64, 1).await.is_err());
    assert!(found.cursor_after(0, 2).await.is_err());
}

#[tokio::test]
async fn cancel__store_unavailable__is_noticed_later() {
    let store = Arc::new(FaultyStore::default());
    let mut services = Services::in_memory();
    services.runs = Arc::clone(&store) as _;
    let agent = agent_fn(async |run: RunHandle| {
        run.cancelled().await;
        Ok(())
    });
    let runner = Runner::builder().agent("patient", agent).services(services).build().expect("one agent");
    let run = runner.start(request("hi"), options(SessionPolicy::Enqueue)).await.expect("started");
    for _ in 0..3 {
        store.fail("get", Fault::Refused(ErrorKind::Unavailable));
    }
    assert_eq!(store.cancel(run.id(), Batch::empty(0)).await.expect("asked"), Some(Canceled::Requested));
    assert_eq!(run.response().await.expect("readable").status, Status::Canceled);
}
