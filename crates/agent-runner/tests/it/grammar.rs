//! The grammar of logs: whatever an agent does, its run's log is well-formed, and its chunking does not matter.

mod check;
mod script;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use agent_runner::{Durability, RunHandle, RunLimits, RunOptions, Runner, Services, agent_fn};
use agent_schemas::{AgentRequest, AgentResponse, Fold, Message, Status};
use agent_services::clock::{CountingIds, ManualClock};
use agent_services::run::Batch;
use futures_util::StreamExt;
use parking_lot::Mutex;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::runtime::Builder;
use tokio::time::timeout;

use self::check::check_log;
use self::script::{End, Script, ScriptedAgent, arguments, script, text};
use crate::support::collect;

/// A run in a test only takes this long if it hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// The number of cases for each property: `AGENT_TEST_ROUNDS`, else few.
fn rounds() -> Config {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    let cases = rounds.map_or(64, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"));
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}

proptest! {
    #![proptest_config(rounds())]

    #[test]
    fn log__any_script__is_well_formed(script in script(), threads in 1_usize..3, relaxed in any::<bool>()) {
        let runtime = match threads {
            1 => Builder::new_current_thread().enable_all().build(),
            _ => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        };
        let durability = if relaxed { Durability::Relaxed } else { Durability::Strict };
        let checked = runtime.expect("a runtime").block_on(check_script(script, durability));
        prop_assert!(checked.is_ok(), "{}", checked.unwrap_err());
    }

    #[test]
    fn response__any_chunking__folds_to_the_same(
        texts in vec(text(), 0..8),
        cuts in vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let whole: String = texts.concat();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (one, many) = runtime.block_on(async {
            (written(vec![whole.clone()]).await, written(chunks(&whole, &cuts)).await)
        });
        prop_assert_eq!(one, many);
    }
}

/// Runs a script, and checks its log and its end.
async fn check_script(script: Script, durability: Durability) -> Result<(), String> {
    let strict = Arc::new(Mutex::new(HashSet::new()));
    let mut limits = RunLimits::default();
    limits.log_bytes = script.log_bytes;
    limits.cancel_grace = Duration::from_millis(1);
    let agent = ScriptedAgent { script: script.clone(), strict: Arc::clone(&strict) };
    let builder = Runner::builder().agent("scripted", agent).limits(limits);
    let runner = builder.build().expect("built");
    let request = AgentRequest::new(vec![Message::user("")]);
    let options = RunOptions::default().with_durability(durability).with_cancel_after(Duration::ZERO);
    let run = runner.start(request, options).await.expect("started");
    let waits = matches!(script.end, End::WaitForCancel | End::Stuck);
    let mut cursor = run.cursor(0);
    let (mut bytes, mut batches) = (Vec::new(), 0);
    let read = timeout(DEADLINE, async {
        loop {
            if script.cancel_after.or(waits.then_some(0)).is_some_and(|after| batches >= after) {
                run.cancel();
            }
            let Some(batch) = cursor.next().await else { return };
            bytes.extend_from_slice(&batch.expect("readable").frames);
            batches += 1;
            if waits {
                // Its output came at once or from its second task; nothing indicates when it is complete.
                run.cancel();
            }
        }
    });
    read.await.map_err(|_| "the log does not end".to_owned())?;
    let stored =
        runner.services().runs.read(run.id(), 0, usize::MAX).await.expect("readable").expect("there");
    if Batch::concat(&stored.batches).frames != bytes {
        return Err("what was read differs from what is stored".to_owned());
    }
    let response = check_log(&bytes, &strict.lock())?;
    let limited = || response.error.as_ref().is_some_and(|error| error.code == "OUTPUT_LIMIT_EXCEEDED");
    let as_expected = match (&response.status, &script.end) {
        (Status::Canceled, _) => waits || script.cancel_after.is_some(),
        (Status::Failed, End::Known | End::Unknown | End::Panic) => true,
        (Status::Failed, _) => limited(),
        (Status::Completed, End::Return) => true,
        _ => false,
    };
    if as_expected { Ok(()) } else { Err(format!("{:?} ended as {:?}", script.end, response.status)) }
}

/// Splits a text at random positions, also into empty parts.
fn chunks(whole: &str, cuts: &[proptest::sample::Index]) -> Vec<String> {
    let places: Vec<usize> = whole.char_indices().map(|(at, _)| at).chain([whole.len()]).collect();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| places[cut.index(places.len())]).collect();
    cuts.sort_unstable();
    let mut parts = Vec::new();
    let mut start = 0;
    for cut in cuts.into_iter().chain([whole.len()]) {
        parts.push(whole[start..cut].to_owned());
        start = cut;
    }
    parts
}

/// The result of an agent that writes these parts as a text, a refusal and tool arguments: the final response, and the fold
/// of the events before it, without numbers.
async fn written(parts: Vec<String>) -> (AgentResponse, AgentResponse) {
    let agent = agent_fn(move |run: RunHandle| {
        let parts = parts.clone();
        async move {
            let message = run.message();
            let mut call = run.tool_call("call_1", "tool");
            let (mut text, mut refusal, mut data) = (message.text(), message.refusal(), message.data());
            data.set(arguments(""));
            for part in &parts {
                text.delta(part);
                refusal.delta(part);
                data.delta(arguments(part));
                call.arguments_delta(part);
                tokio::task::yield_now().await;
            }
            message.complete();
            call.complete(parts.concat());
            Ok(())
        }
    });
    let mut services = Services::in_memory();
    services.ids = Arc::new(CountingIds::default());
    services.clock = Arc::new(ManualClock::at(1_700_000_000));
    let runner = Runner::builder().agent("parts", agent).services(services).build().expect("built");
    let run = runner.start(AgentRequest::new(vec![]), RunOptions::default()).await.expect("started");
    let events = collect(run.cursor(0)).await;
    let mut fold = Fold::new();
    events[..events.len() - 1].iter().for_each(|event| fold.push(event));
    let last = run.response().await.expect("readable");
    (without_numbers(last), without_numbers(fold.response().expect("a response")))
}

fn without_numbers(mut response: AgentResponse) -> AgentResponse {
    response.sequence_number = None;
    for message in response.output.iter_mut().flatten() {
        message.sequence_number = None;
        message.content.iter_mut().flatten().for_each(|content| content.sequence_number = None);
    }
    response
}
