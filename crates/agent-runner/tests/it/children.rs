//! Child runs: their answers, where they are visible, and when they end.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::tools::{AgentTool, call_tool};
use agent_runner::{Agent, ChildError, ChildSpec, RunHandle, RunLimits, RunOptions, Runner, agent_fn};
use agent_schemas::{AgentRequest, Event, Json, Message, RunId, SessionId, Status, UserId, object};
use agent_services::page::PageSize;
use agent_services::run::{RunFilter, RunRecord};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::support::collect;

/// A server with this parent, an echo agent, and an agent that waits until it is cancelled.
fn server(parent: impl Agent) -> Runner {
    limited(parent, RunLimits::default())
}

fn limited(parent: impl Agent, limits: RunLimits) -> Runner {
    let waiting = agent_fn(|run: RunHandle| async move {
        run.say("waiting");
        run.cancelled().await;
        Ok(())
    });
    let builder = Runner::builder().agent("parent", parent).agent("echo", Echo::default());
    builder.agent("waiting", waiting).limits(limits).build().expect("a runner")
}

fn request(text: &str) -> AgentRequest {
    let mut request = AgentRequest::new(vec![Message::user(text)]);
    request.session_id = Some("s".to_owned());
    request.user_id = Some("u".to_owned());
    request
}

async fn log_of(runner: &Runner) -> Vec<Event> {
    let run = runner.start(request("hi"), RunOptions::default()).await.expect("started");
    collect(run.cursor(0)).await
}

/// The last text of a parent.
async fn said(runner: &Runner) -> String {
    match log_of(runner).await.pop() {
        Some(Event::Response(response)) => {
            response.messages().last().map(Message::full_text).unwrap_or_default()
        }
        other => panic!("the log ends with {other:?}"),
    }
}

async fn records(runner: &Runner) -> Vec<RunRecord> {
    let user = UserId::new("u");
    runner.list(&user, &RunFilter::default(), None, PageSize::default()).await.expect("listed").items
}

/// Waits until a run has ended.
async fn ended(runner: &Runner, id: &RunId) -> RunRecord {
    loop {
        let record = runner.record(id).await.expect("readable").expect("there is one");
        if record.status.is_final() {
            return record;
        }
        runner.services().runs.wait(id, record.entries).await.expect("waited");
    }
}

#[tokio::test]
async fn child__completes__answers_and_names_its_parent() {
    let runner = server(agent_fn(|run: RunHandle| async move {
        let child = run.start_child(ChildSpec::new("echo", "one two")).await?;
        run.say(child.response().await?.messages()[0].text_content().unwrap_or_default());
        Ok(())
    }));
    assert_eq!(said(&runner).await, "one two");
    let records = records(&runner).await;
    let [child, parent] = &records[..] else { panic!("two runs, not {}", records.len()) };
    assert_eq!(child.options.parent.as_ref(), Some(&parent.id));
    assert_ne!(child.session_id, parent.session_id);
    let sessions = &runner.services().sessions;
    let kept = sessions.get(&child.user_id, &child.session_id).await.expect("readable");
    assert!(kept.is_none(), "nothing is kept of a child's own session");
}

#[tokio::test]
async fn agent_tool__called__shows_the_child_under_the_call() {
    let runner = server(agent_fn(|run: RunHandle| async move {
        let tool = AgentTool::new("echo", "Repeats a text.");
        call_tool(&run, &tool, object! { "task" => "one two" }).await?;
        Ok(())
    }));
    let events = log_of(&runner).await;
    let reports: Vec<Json> = events.iter().filter_map(report).collect();
    let texts: Vec<&str> = reports.iter().filter_map(|report| text_of(report)).collect();
    assert_eq!(texts, ["one ", "two"]);
    let output = events.iter().rev().find_map(|event| match event {
        Event::Response(response) => response.messages().last().map(|message| format!("{message:?}")),
        _ => None,
    });
    assert!(output.as_ref().is_some_and(|output| output.contains("one two")), "{output:?}");
}

/// The progress that a delta of a tool's output reports.
fn report(event: &Event) -> Option<Json> {
    let json: Json = serde_json::from_str(&serde_json::to_string(event).ok()?).ok()?;
    let Json::Array(reports) = json.get("data")?.get("progress")? else { return None };
    reports.first().cloned()
}

fn text_of(report: &Json) -> Option<&str> {
    let event = report.get("event")?;
    event.get("delta")?.as_bool().filter(|delta| *delta)?;
    event.get("text")?.as_str()
}

#[tokio::test]
async fn child__in_parents_session__reads_it_and_adds_nothing() {
    let runner = server(agent_fn(|run: RunHandle| async move {
        let count = run.history(PageSize::default()).await?.len();
        if run.agent_name() == "parent" && run.request().extra.is_empty() {
            let child = ChildSpec::new("echo", "aside").in_parent_session();
            run.start_child(child).await?.response().await?;
        }
        run.say(&count.to_string());
        Ok(())
    }));
    assert_eq!(said(&runner).await, "0");
    assert_eq!(said(&runner).await, "2", "only the parent's question and answer are in the session");
}

#[tokio::test]
async fn child__in_busy_session__is_refused_instead_of_waiting() {
    let runner = server(agent_fn(|run: RunHandle| async move {
        let first = ChildSpec::new("waiting", "").in_session(SessionId::new("other"));
        let first = run.start_child(first).await?;
        let second = ChildSpec::new("echo", "").in_session(SessionId::new("other"));
        match run.start_child(second).await {
            Err(ChildError::Busy(id)) if id == *first.id() => run.say("busy"),
            other => run.say(&format!("{other:?}")),
        }
        Ok(())
    }));
    assert_eq!(said(&runner).await, "busy");
}

#[tokio::test]
async fn child__unknown_agent__is_refused() {
    let runner = server(agent_fn(|run: RunHandle| async move {
        let error = run.start_child(ChildSpec::new("nobody", "")).await.expect_err("there is no such agent");
        run.say(&error.to_string());
        Ok(())
    }));
    assert_eq!(said(&runner).await, "no agent is named 'nobody'");
}

#[tokio::test]
async fn child__fails__is_an_error_with_its_status() {
    let parent = agent_fn(|run: RunHandle| async move {
        let child = run.start_child(ChildSpec::new("failing", "")).await?;
        let error = child.response().await.expect_err("it failed");
        let ChildError::NotCompleted { status, error, .. } = error else { panic!("{error}") };
        run.say(&format!("{status} {}", error.map(|error| error.code).unwrap_or_default()));
        Ok(())
    });
    let failing = agent_fn(|_| async { Err(agent_schemas::Error::unknown("Test", "no").into()) });
    let runner =
        Runner::builder().agent("parent", parent).agent("failing", failing).build().expect("a runner");
    assert_eq!(said(&runner).await, "failed AGENT_UNKNOWN_ERROR");
}

#[tokio::test]
async fn parent__cancelled__cancels_its_child() {
    let child_id = Arc::new(Mutex::new(None));
    let started = Arc::new(Notify::new());
    let runner = {
        let (child_id, started) = (Arc::clone(&child_id), Arc::clone(&started));
        server(agent_fn(move |run: RunHandle| {
            let (child_id, started) = (Arc::clone(&child_id), Arc::clone(&started));
            async move {
                let child = run.start_child(ChildSpec::new("waiting", "")).await?;
                *child_id.lock() = Some(child.id().clone());
                started.notify_one();
                child.response().await?;
                Ok(())
            }
        }))
    };
    let run = runner.start(request("hi"), RunOptions::default()).await.expect("started");
    started.notified().await;
    runner.cancel(run.id()).await.expect("cancelled");
    assert_eq!(run.response().await.expect("readable").status, Status::Canceled);
    let child = child_id.lock().clone().expect("a child");
    assert_eq!(ended(&runner, &child).await.status, Status::Canceled);
}

#[tokio::test]
async fn parent__ends_or_drops_its_child__cancels_it() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let runner = {
        let kept = Arc::clone(&kept);
        server(agent_fn(move |run: RunHandle| {
            let kept = Arc::clone(&kept);
            async move {
                let dropped = run.start_child(ChildSpec::new("waiting", "")).await?;
                run.say(dropped.id().as_str());
                drop(dropped);
                let leaked = run.start_child(ChildSpec::new("waiting", "")).await?;
                kept.lock().push(leaked);
                Ok(())
            }
        }))
    };
    let dropped = RunId::new(said(&runner).await);
    assert_eq!(ended(&runner, &dropped).await.status, Status::Canceled);
    let leaked = kept.lock()[0].id().clone();
    assert_eq!(ended(&runner, &leaked).await.status, Status::Canceled);
}

#[tokio::test]
async fn parent__has_ended__starts_no_child() {
    let handle = Arc::new(Mutex::new(None));
    let runner = {
        let handle = Arc::clone(&handle);
        server(agent_fn(move |run: RunHandle| {
            *handle.lock() = Some(run);
            async { Ok(()) }
        }))
    };
    log_of(&runner).await;
    let ended = handle.lock().clone().expect("a handle");
    let refused = ended.start_child(ChildSpec::new("echo", "late")).await;
    assert!(matches!(refused, Err(ChildError::NoParent)), "{refused:?}");
}

#[tokio::test]
async fn descendants__more_than_the_limit__are_refused() {
    let mut limits = RunLimits::default();
    limits.max_children = 3;
    // Only one run at a time: children take no slot of the process, or this would never end.
    limits.max_runs = 1;
    let parent = agent_fn(|run: RunHandle| async move {
        let depth = run.request().last_user_text().len();
        let text = match run.start_child(ChildSpec::new("parent", "x".repeat(depth + 1))).await {
            Ok(child) => child.response().await?.messages()[0].full_text(),
            Err(error) => format!("{error} (depth {depth})"),
        };
        run.say(&text);
        Ok(())
    });
    let runner = limited(parent, limits);
    let run = runner.start(AgentRequest::new(vec![Message::user("")]), RunOptions::default()).await;
    let response = run.expect("started").response().await.expect("readable");
    assert_eq!(
        response.messages()[0].full_text(),
        "3 child runs are already in progress; wait for one, or raise runs.max_children (depth 3)"
    );
}

#[tokio::test]
async fn children__one_after_another__free_their_slots() {
    let mut limits = RunLimits::default();
    limits.max_children = 1;
    let parent = agent_fn(|run: RunHandle| async move {
        for _ in 0..3 {
            run.start_child(ChildSpec::new("echo", "x")).await?.response().await?;
        }
        run.say("done");
        Ok(())
    });
    assert_eq!(said(&limited(parent, limits)).await, "done");
}

#[tokio::test]
async fn runner__closed__lets_runs_in_progress_start_children() {
    let gate = Arc::new(Notify::new());
    let runner = {
        let gate = Arc::clone(&gate);
        server(agent_fn(move |run: RunHandle| {
            let gate = Arc::clone(&gate);
            async move {
                gate.notified().await;
                let child = run.start_child(ChildSpec::new("echo", "late")).await?;
                run.say(&child.response().await?.messages()[0].full_text());
                Ok(())
            }
        }))
    };
    let run = runner.start(request("hi"), RunOptions::default()).await.expect("started");
    runner.close();
    gate.notify_one();
    assert_eq!(run.response().await.expect("readable").messages()[0].full_text(), "late");
    drop(run);
    runner.drained().await;
}

#[tokio::test]
async fn child__ignores_cancellation__is_dropped_after_its_grace_period() {
    let mut limits = RunLimits::default();
    limits.cancel_grace = Duration::ZERO;
    let parent = agent_fn(|run: RunHandle| async move {
        let child = run.start_child(ChildSpec::new("stubborn", "")).await?;
        run.say(child.id().as_str());
        Ok(())
    });
    let stubborn = agent_fn(|_| pending());
    let builder = Runner::builder().agent("parent", parent).agent("stubborn", stubborn).limits(limits);
    let runner = builder.build().expect("a runner");
    let child = RunId::new(said(&runner).await);
    assert_eq!(ended(&runner, &child).await.status, Status::Canceled);
}
