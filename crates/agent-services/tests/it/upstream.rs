//! The recorded cases of upstream's services, replayed against every backend.
//!
//! The answer to each step of a case must match that of one of upstream's backends and versions, unless the step is listed
//! in `golden/differences.txt`.

mod backend;
mod caller;
mod case;
mod differences;
mod memories;
mod sessions;
mod states;

use backend::Backend;
use caller::Caller;
use case::{Case, VARIANTS, Variant};

/// Creates a test of each file, against one backend.
macro_rules! replays {
    ($module:ident, $backend:expr) => {
        mod $module {
            use crate::upstream::backend::Backend;
            use crate::upstream::replay;

            #[tokio::test]
            async fn sessions__recorded_calls__match_upstream() {
                replay("cases_session_history.json", $backend).await;
            }

            #[tokio::test]
            async fn states__recorded_calls__match_upstream() {
                replay("cases_agent_state.json", $backend).await;
            }

            #[tokio::test]
            async fn memories__recorded_calls__match_upstream() {
                replay("cases_memory.json", $backend).await;
            }

            #[tokio::test]
            async fn options__recorded_calls__match_upstream() {
                replay("cases_redis_v1.0.5_options.json", $backend).await;
            }
        }
    };
}

replays!(in_memory, Backend::InMemory);
#[cfg(feature = "sqlite")]
replays!(sqlite, Backend::Sqlite);
#[cfg(feature = "redis")]
replays!(redis, Backend::Redis);

/// A step whose answer differs from upstream's.
struct Difference {
    /// The case and the number of the step.
    name: String,
    ours: String,
    theirs: String,
}

/// Replays every case of a file, and compares its differences with the list.
async fn replay(file: &str, backend: Backend) {
    let mut listed = differences::listed(file, backend.name());
    let mut faults = Vec::new();
    for case in case::read(file) {
        let differences = closest(&case, backend).await;
        for Difference { name, ours, theirs } in differences {
            if !listed.remove(&name) {
                faults.push(format!("{name}\n  ours   {ours}\n  theirs {theirs}"));
            }
        }
    }
    faults.extend(
        listed.into_iter().map(|name| format!("{name}: listed as different, but matches or is not there")),
    );
    assert!(faults.is_empty(), "{file}, {}:\n{}", backend.name(), faults.join("\n"));
}

/// The differences of a case from that variant of upstream which has the fewest.
async fn closest(case: &Case, backend: Backend) -> Vec<Difference> {
    let mut fewest: Option<Vec<Difference>> = None;
    for variant in VARIANTS.iter().filter(|variant| case.is_of(variant)) {
        let differences = compare(case, backend, variant).await;
        if fewest.as_ref().is_none_or(|fewest| differences.len() < fewest.len()) {
            fewest = Some(differences);
        }
    }
    fewest.expect("every case was recorded with a backend")
}

/// Replays a case as it was recorded with one variant of upstream.
async fn compare(case: &Case, backend: Backend, variant: &Variant) -> Vec<Difference> {
    let mut caller = Caller::new(backend, case).await;
    let mut differences = Vec::new();
    for (number, step) in case.steps.iter().enumerate().filter(|(_, step)| step.is_of(variant)) {
        let ours = caller.answer(step).await;
        let theirs = step.expected(variant);
        if ours != theirs {
            differences.push(Difference { name: format!("{}/{number}", case.name), ours, theirs });
        }
    }
    caller.end().await;
    differences
}
