//! The messages that runs append to their session.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{Agent, AgentError, RunHandle, RunOptions, Runner, Services, agent_fn};
use agent_schemas::{AgentRequest, Event, Message, SessionId, Status, UserId};
use agent_services::StoreContext;
use agent_services::limits::StoreLimits;
use agent_services::page::PageSize;
use agent_services::run::InMemoryRunStore;
use agent_services::session::InMemorySessionStore;

use crate::support::{collect, final_response};

fn request(texts: &[(&str, &str)]) -> AgentRequest {
    let message = |(id, text): &(&str, &str)| {
        let mut message = Message::user(*text);
        message.id = (*id).to_owned();
        message
    };
    let mut request = AgentRequest::new(texts.iter().map(message).collect());
    request.session_id = Some("s".to_owned());
    request.user_id = Some("u".to_owned());
    request
}

fn runner(agent: impl Agent) -> (Runner, Services) {
    let services = Services::in_memory();
    let runner = Runner::builder().agent("test", agent).services(services.clone());
    (runner.build().expect("built"), services)
}

/// One line per message of the session.
async fn kept(services: &Services) -> Vec<String> {
    let size = PageSize::new(100).expect("a size");
    let stored = services.sessions.messages(&UserId::new("u"), &SessionId::new("s"), 0, size).await;
    let stored = stored.expect("readable").unwrap_or_default();
    let line = |message: &Message| {
        let role = message.role.map_or("-", |role| role.as_str());
        format!("{role} {} {}: {}", message.kind, message.status, message.full_text())
    };
    stored.iter().map(|stored| line(&stored.message)).collect()
}

async fn finish(runner: &Runner, request: AgentRequest) {
    let run = runner.start(request, RunOptions::default()).await.expect("started");
    collect(run.cursor(0)).await;
}

#[tokio::test]
async fn history__completed_run__is_stored_before_the_end() {
    let (runner, services) = runner(Echo::default());
    finish(&runner, request(&[("1", "one")])).await;
    assert_eq!(kept(&services).await, ["user message created: one", "assistant message completed: one"]);
    finish(&runner, request(&[("1", "one"), ("2", "two")])).await;
    let kept = kept(&services).await;
    assert_eq!(
        kept[2..],
        ["user message created: two", "assistant message completed: two"],
        "1 is not repeated"
    );
}

/// Services whose sessions accept messages of at most 1000 bytes, and that end runs in one step or in several.
fn with_small_sessions(is_one_step: bool) -> Services {
    let mut services = Services::in_memory();
    let mut limits = StoreLimits::default();
    limits.item_bytes = 1000;
    let sessions = Arc::new(InMemorySessionStore::new(StoreContext::default().with_limits(limits)));
    let runs = InMemoryRunStore::default();
    services.runs = Arc::new(if is_one_step { runs.with_sessions(Arc::clone(&sessions)) } else { runs });
    services.sessions = sessions;
    assert_eq!(services.end_runs_in_one_step(), is_one_step);
    services
}

#[tokio::test]
async fn final_response__session_refuses_the_turn__has_a_warning() {
    for is_one_step in [true, false] {
        let services = with_small_sessions(is_one_step);
        let runner = Runner::builder().agent("echo", Echo::default()).services(services.clone());
        let runner = runner.build().expect("built");
        let run = runner.start(request(&[("1", &"x".repeat(2000))]), RunOptions::default()).await;
        let events = collect(run.expect("started").cursor(0)).await;
        let response = final_response(&events);
        assert_eq!(response.status, Status::Completed);
        let [warning] = response.warnings.as_deref().unwrap_or_default() else { panic!("{response:?}") };
        assert_eq!(warning.code, "HISTORY_NOT_STORED");
        assert!(warning.message.contains("1000"), "it names the limit: {}", warning.message);
        let numbers: Vec<_> = events.iter().filter_map(Event::sequence_number).collect();
        assert_eq!(numbers, (0..events.len() as i64).collect::<Vec<_>>(), "no number is missing or twice");
        assert_eq!(kept(&services).await, [""; 0], "all or nothing");
        let run = runner.start(request(&[("2", "short")]), RunOptions::default()).await.expect("started");
        let events = collect(run.cursor(0)).await;
        assert_eq!(final_response(&events).warnings, None);
        assert!(!serde_json::to_string(events.last().expect("some")).expect("JSON").contains("warnings"));
        assert_eq!(kept(&services).await.len(), 2);
    }
}

#[tokio::test]
async fn history__failed_run__is_stored_and_marked() {
    let (runner, services) = runner(agent_fn(|run: RunHandle| async move {
        run.say("whole");
        let mut text = run.message().text();
        text.delta("half");
        Err::<(), AgentError>(agent_schemas::Error::Agent { message: "no".into() }.into())
    }));
    finish(&runner, request(&[("1", "one")])).await;
    let expected = [
        "user message created: one",
        "assistant message completed: whole",
        "assistant message failed: half",
        "assistant error failed: ",
    ];
    assert_eq!(kept(&services).await, expected);
}

/// An agent that fails as long as the flag says so, and otherwise says how many messages came before its input.
fn flaky(says_half: bool) -> (Runner, Services, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&fails);
    let (runner, services) = runner(agent_fn(move |run: RunHandle| {
        let fails = flag.load(Ordering::SeqCst);
        async move {
            let before = run.history(PageSize::default()).await?.len();
            if !fails {
                run.say(&format!("after {before}"));
                return Ok(());
            }
            if says_half {
                run.say("half");
            }
            Err::<(), AgentError>(agent_schemas::Error::Agent { message: "no".into() }.into())
        }
    }));
    (runner, services, fails)
}

#[tokio::test]
async fn history__failed_turn_sent_again__has_its_input_once() {
    let (runner, services, fails) = flaky(false);
    for _ in 0..2 {
        finish(&runner, request(&[("", "one")])).await;
    }
    fails.store(false, Ordering::SeqCst);
    finish(&runner, request(&[("", "one")])).await;
    let mark = "assistant error failed: ";
    let expected = ["user message created: one", mark, mark, "assistant message completed: after 0"];
    assert_eq!(kept(&services).await, expected);
    finish(&runner, request(&[("", "one")])).await;
    let expected = ["user message created: one", "assistant message completed: after 2"];
    assert_eq!(kept(&services).await[4..], expected, "a turn that completed may be repeated");
}

#[tokio::test]
async fn history__failed_turn_with_output_sent_again__has_its_input_once() {
    let (runner, services, fails) = flaky(true);
    finish(&runner, request(&[("", "one")])).await;
    fails.store(false, Ordering::SeqCst);
    finish(&runner, request(&[("", "one")])).await;
    let expected = [
        "user message created: one",
        "assistant message completed: half",
        "assistant error failed: ",
        "assistant message completed: after 0",
    ];
    assert_eq!(kept(&services).await, expected);
}

#[tokio::test]
async fn history__another_input_after_a_failed_turn__keeps_both() {
    let (runner, services, fails) = flaky(false);
    finish(&runner, request(&[("", "one")])).await;
    fails.store(false, Ordering::SeqCst);
    finish(&runner, request(&[("", "two")])).await;
    let expected = [
        "user message created: one",
        "assistant error failed: ",
        "user message created: two",
        "assistant message completed: after 2",
    ];
    assert_eq!(kept(&services).await, expected);
}

#[tokio::test]
async fn history__canceled_run__is_stored_and_marked() {
    let (runner, services) = runner(agent_fn(|run: RunHandle| async move {
        let mut text = run.message().text();
        text.delta("half");
        run.cancelled().await;
        Ok(())
    }));
    let run = runner.start(request(&[("1", "one")]), RunOptions::default()).await.expect("started");
    run.cancel();
    collect(run.cursor(0)).await;
    let expected =
        ["user message created: one", "assistant message canceled: half", "assistant error canceled: "];
    assert_eq!(kept(&services).await, expected);
}

#[tokio::test]
async fn history__switched_off__stores_nothing() {
    let (runner, services) = runner(Echo::default());
    let options = RunOptions::default().without_history();
    let run = runner.start(request(&[("1", "one")]), options).await.expect("started");
    collect(run.cursor(0)).await;
    assert_eq!(kept(&services).await, Vec::<String>::new());
}

#[tokio::test]
async fn history__concurrent_runs__keep_turns_together() {
    let (runner, services) = runner(Echo::default());
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let mut runs = Vec::new();
    for text in &texts {
        runs.push(runner.start(request(&[(text, text)]), RunOptions::default()).await.expect("started"));
    }
    for run in &runs {
        collect(run.cursor(0)).await;
    }
    let kept = kept(&services).await;
    assert_eq!(kept.len(), 100);
    for turn in kept.chunks(2) {
        let said = turn[0].strip_prefix("user message created: ").expect("a turn begins with the user");
        assert_eq!(turn[1], format!("assistant message completed: {said}"));
    }
}

#[tokio::test]
async fn history__store_unavailable__run_still_completes() {
    let services = Services::in_memory();
    services.sessions.stop().await.expect("stopped");
    tokio::time::pause();
    let runner = Runner::builder().agent("test", Echo::default()).services(services).build().expect("built");
    let run = runner.start(request(&[("1", "one")]), RunOptions::default()).await.expect("started");
    assert_eq!(run.response().await.expect("it ends").messages().len(), 1);
}

#[tokio::test]
async fn history__abandoned_run__is_stored() {
    let (runner, services) = runner(agent_fn(|run: RunHandle| async move {
        run.say("before");
        pending::<()>().await;
        Ok(())
    }));
    let options = RunOptions::default().with_cancel_after(Duration::ZERO);
    drop(runner.start(request(&[("1", "one")]), options).await.expect("started"));
    runner.close();
    tokio::time::pause();
    runner.drained().await;
    let kept = kept(&services).await;
    assert_eq!(kept[1..], ["assistant message completed: before", "assistant error canceled: "]);
}
