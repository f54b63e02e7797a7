//! The life of a run: success, failure, panic, cancellation, timeout, limits and readers.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{AgentError, RunHandle, RunLimits, RunOptions, Runner, Services, StartError, agent_fn};
use agent_schemas::{AgentRequest, Error, Event, Message, Status, object};

use crate::faulty_store::{Fault, FaultyStore};
use crate::support::{collect, final_response, log_of, outline, runner, start};

#[tokio::test]
async fn echo__text__is_streamed_by_word() {
    let events = log_of(Echo::default(), "one two").await;
    assert_eq!(
        outline(&events),
        [
            "response created",
            "response in_progress",
            "message in_progress",
            "  'one ' + in_progress",
            "  'two' + in_progress",
            "  'one two' completed",
            "message completed",
            "response completed"
        ]
    );
    let numbers: Vec<_> = events.iter().filter_map(Event::sequence_number).collect();
    assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    assert_eq!(final_response(&events).messages()[0].text_content(), Some("one two"));
}

#[tokio::test]
async fn failed_agent__open_items__are_closed_as_failed() {
    let agent = agent_fn(|run: RunHandle| async move {
        run.say("whole");
        let mut text = run.message().text();
        text.delta("half");
        "x".parse::<u8>()?;
        Ok(())
    });
    let events = log_of(agent, "").await;
    let tail = outline(&events).split_off(7);
    assert_eq!(tail, ["  'half' + in_progress", "  'half' failed", "message failed", "response failed"]);
    let response = final_response(&events);
    let error = response.error.as_ref().expect("a failed run has an error");
    assert_eq!(error.code, "AGENT_UNKNOWN_ERROR");
    assert!(!error.message.contains("invalid digit"), "the server's log has the text: {}", error.message);
    assert_eq!(response.messages().len(), 1, "failed messages are not part of the output");
}

#[tokio::test]
async fn known_error__keeps_its_code() {
    let agent = agent_fn(|_| async {
        Err(AgentError::from(Error::ModelTimeout { model_name: "qwen".into(), timeout: 30 }))
    });
    let events = log_of(agent, "").await;
    let error = final_response(&events).error.clone().expect("an error");
    assert_eq!(error.code, "MODEL_TIMEOUT");
    assert_eq!(error.message, "Model inference timed out: qwen, timeout limit: 30 seconds");
}

#[tokio::test]
async fn panic__fails_only_its_run() {
    let agent = agent_fn(|run: RunHandle| async move {
        let _open = run.message();
        assert!(run.request().extra.contains_key("calm"), "boom");
        Ok(())
    });
    let runner = runner(agent);
    let events = collect(start(&runner, "").await.cursor(0)).await;
    assert_eq!(outline(&events)[2..], ["message in_progress", "message failed", "response failed"]);
    assert_eq!(final_response(&events).error.as_ref().expect("an error").code, "AGENT_UNKNOWN_ERROR");
    let mut request = AgentRequest::new(vec![]);
    request.extra = object! { "calm" => true };
    let run = runner.start(request, RunOptions::default()).await.expect("the runner lives on");
    assert_eq!(run.response().await.expect("readable").status, Status::Completed);
}

fn stuck() -> impl agent_runner::Agent {
    agent_fn(|run: RunHandle| async move {
        let mut text = run.message().text();
        text.delta("thinking");
        pending().await
    })
}

#[tokio::test(start_paused = true)]
async fn canceled_run__keeps_what_it_wrote() {
    let runner = runner(stuck());
    let run = start(&runner, "").await;
    let mut cursor = run.cursor(0);
    cursor.next_events().await.expect("something is written").expect("readable");
    run.cancel();
    let events = collect(cursor).await;
    assert_eq!(outline(&events), ["  'thinking' canceled", "message canceled", "response canceled"]);
    let response = final_response(&events);
    assert_eq!(response.error, None);
    assert_eq!(response.messages()[0].text_content(), Some("thinking"));
}

#[tokio::test(start_paused = true)]
async fn run__above_time_limit__fails() {
    let mut limits = RunLimits::default();
    limits.run_time = Duration::from_secs(60);
    let runner = Runner::builder().agent("stuck", stuck()).limits(limits).build().expect("built");
    let events = collect(start(&runner, "").await.cursor(0)).await;
    let error = final_response(&events).error.clone().expect("an error");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("TIMEOUT", "Operation run (runs.run_time_seconds) timed out, timeout limit: 60 seconds")
    );
}

#[tokio::test]
async fn run__above_log_limit__fails() {
    let mut limits = RunLimits::default();
    limits.log_bytes = 10_000;
    let agent = agent_fn(|run: RunHandle| async move {
        let mut text = run.message().text();
        loop {
            text.delta("more and more ");
            tokio::task::yield_now().await;
        }
    });
    let runner = Runner::builder().agent("talker", agent).limits(limits).build().expect("built");
    let events = collect(start(&runner, "").await.cursor(0)).await;
    let error = final_response(&events).error.clone().expect("an error");
    assert_eq!(error.code, "OUTPUT_LIMIT_EXCEEDED");
}

/// A text counts in each event that contains it: its delta, and the ends of its content and of its message. The final
/// response does not count.
#[tokio::test]
async fn log_bytes__text_in_one_delta__counts_three_times() {
    const TEXT: usize = 20_000;
    for (log_bytes, status) in [(3 * TEXT + 2_000, Status::Completed), (3 * TEXT, Status::Failed)] {
        let mut limits = RunLimits::default();
        limits.log_bytes = log_bytes;
        let agent = agent_fn(|run: RunHandle| async move {
            run.say(&"x".repeat(TEXT));
            Ok(())
        });
        let runner = Runner::builder().agent("talker", agent).limits(limits).build().expect("built");
        let run = start(&runner, "").await;
        assert_eq!(run.response().await.expect("readable").status, status, "{log_bytes}");
        let log =
            runner.services().runs.read(run.id(), 0, usize::MAX).await.expect("readable").expect("kept");
        let bytes: usize = log.batches.iter().map(|batch| batch.frames.len()).sum();
        let is_larger = bytes > log_bytes;
        assert!(is_larger, "the final response comes on top: {bytes} of {log_bytes}");
    }
}

#[tokio::test]
async fn start__above_limit_or_closed__is_refused() {
    let mut limits = RunLimits::default();
    limits.max_runs = 1;
    limits.max_waiting = 0;
    let runner = Runner::builder().agent("stuck", stuck()).limits(limits).build().expect("built");
    let first = start(&runner, "").await;
    assert_eq!(runner.active_runs(), 1);
    let second = runner.start(AgentRequest::new(vec![]), RunOptions::default()).await;
    assert!(matches!(second, Err(StartError::Refused(Error::TooManyRuns { limit: 1 }))), "{second:?}");
    runner.close();
    let third = runner.start(AgentRequest::new(vec![]), RunOptions::default()).await;
    assert!(matches!(third, Err(StartError::Refused(Error::ShuttingDown {}))), "{third:?}");
    drop(first);
}

#[tokio::test]
async fn cursors__any_position__read_the_rest() {
    let runner = runner(Echo::default().yielding());
    let run = start(&runner, "a b c d e f g h").await;
    let all = collect(run.cursor(0)).await;
    for from in 0..all.len() {
        assert_eq!(collect(run.cursor(from as u64)).await, all[from..], "from {from}");
    }
    assert_eq!(collect(run.cursor(all.len() as u64)).await, []);
}

#[tokio::test]
async fn cursor__behind_the_tail__reads_from_the_store() {
    let agent = agent_fn(|run: RunHandle| async move {
        let mut text = run.message().text();
        for _ in 0..100 {
            text.delta(&"x".repeat(10_000));
            tokio::task::yield_now().await;
        }
        Ok(())
    });
    let runner = runner(agent);
    let run = start(&runner, "").await;
    let early = run.cursor(0);
    run.response().await.expect("the run ends though nobody reads the first cursor");
    let events = collect(early).await;
    let numbers: Vec<_> = events.iter().filter_map(Event::sequence_number).collect();
    assert_eq!(numbers, (0..106).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn run__without_readers__is_canceled_and_stays_readable() {
    let runner = runner(stuck());
    let run = start(&runner, "").await;
    let id = run.id().clone();
    drop(run);
    runner.close();
    runner.drained().await;
    let found = runner.attach(&id).await.expect("readable").expect("kept");
    assert_eq!(found.response().await.expect("readable").status, Status::Canceled);
    assert_eq!(runner.active_runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn run__reader_returns_in_time__completes() {
    let runner = runner(Echo::new(Duration::from_secs(10)));
    let request = AgentRequest::new(vec![Message::user("a b c d e f g h")]);
    let options = RunOptions::default().with_cancel_after(Duration::from_secs(60));
    let run = runner.start(request, options).await.expect("started");
    let mut first = run.cursor(0);
    first.next_events().await.expect("an event").expect("readable");
    let second = run.cursor(0);
    drop(run);
    drop(first);
    assert_eq!(final_response(&collect(second).await).status, Status::Completed);
}

#[tokio::test]
async fn run__continue_option__outlives_its_readers() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let sender = std::sync::Arc::new(sender);
    let agent = agent_fn(move |run: RunHandle| {
        let sender = std::sync::Arc::clone(&sender);
        async move {
            tokio::task::yield_now().await;
            let sender = sender.lock().expect("not poisoned").take().expect("one run");
            sender.send(run.is_cancelled()).expect("the test waits");
            Ok(())
        }
    });
    let runner = runner(agent);
    let options = RunOptions::default();
    drop(runner.start(AgentRequest::new(vec![]), options).await.expect("started"));
    assert!(!receiver.await.expect("the agent reaches its end"));
}

#[tokio::test]
async fn start__missing_ids_and_model__are_filled_in() {
    let name_agent = || {
        agent_fn(|run: RunHandle| async move {
            assert!(run.request().input[0].id.starts_with("msg_"));
            assert_eq!(run.session_id().as_str(), run.user_id().as_str());
            run.say(run.agent_name());
            Ok(())
        })
    };
    let runner = Runner::builder().agent("a", name_agent()).agent("b", name_agent()).build().expect("built");
    for (model, expected) in [(None, "a"), (Some("b"), "b"), (Some(""), "a")] {
        let mut request = AgentRequest::new(vec![Message::user("")]);
        request.model = model.map(str::to_owned);
        request.id = Some(String::new());
        let run = runner.start(request, RunOptions::default()).await.expect("started");
        let response = run.response().await.expect("readable");
        assert_eq!(response.messages()[0].text_content(), Some(expected));
        assert_eq!(response.id, "");
        assert!(response.session_id.is_some_and(|id| id.len() == 36));
    }
}

/// Panics in an agent's destructor.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn agent__panicking_destructor__leaves_no_open_log() {
    let agent = agent_fn(|run: RunHandle| async move {
        let _guard = PanicsWhenDropped;
        run.message().text().delta("x");
        pending().await
    });
    let runner = runner(agent);
    let run = start(&runner, "").await;
    run.cancel();
    let events = collect(run.cursor(0)).await;
    assert_eq!(final_response(&events).status, Status::Failed);
}

#[tokio::test(start_paused = true)]
async fn append__interrupted__loses_no_batch() {
    for is_done in [false, true] {
        let mut services = Services::in_memory();
        let store = FaultyStore::default();
        store.fail("append", Fault::Silent { is_done });
        services.runs = Arc::new(store);
        let runner = Runner::builder().agent("stuck", stuck()).services(services).build().expect("built");
        let run = start(&runner, "").await;
        run.cancel();
        let events = collect(run.cursor(0)).await;
        let numbers: Vec<_> = events.iter().filter_map(Event::sequence_number).collect();
        assert_eq!(numbers, (0..7).collect::<Vec<_>>(), "done: {is_done}");
        assert_eq!(final_response(&events).status, Status::Canceled);
    }
}
