//! Good histories pass, and every fault is found, wherever it is.

mod faults;
mod good;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use faults::FAULTS;
use good::{Plan, good};

fn plan() -> impl Strategy<Value = Plan> {
    let runs = proptest::collection::vec((2..6_usize, 1..4_u64, any::<bool>()), 4..9);
    (runs, 1..12_usize).prop_map(|(runs, cut)| Plan { runs, cut })
}

/// The same plan, for tests that need only one.
fn some() -> History {
    good(&Plan { runs: vec![(3, 1, true), (4, 2, false), (2, 3, true), (3, 1, false), (2, 1, true)], cut: 4 })
}

#[test]
fn check__each_fault__is_recognized() {
    assert_eq!(some().violations(), []);
    for fault in FAULTS {
        let mut history = some();
        assert!((fault.commit)(&mut history, 1), "{} is possible", fault.name);
        let found = history.violations();
        assert!(found.iter().any(fault.is_it), "{}: {found:#?}", fault.name);
    }
}

#[test]
fn check__event_replaced_by_takeover__is_allowed() {
    let mut history = some();
    let kept = history.kept.iter().find(|kept| kept.log.iter().any(|event| event.id.epoch == 2));
    let kept = kept.expect("one that was taken over").clone();
    let first = kept.log.iter().position(|event| event.id.epoch == 2).expect("it was");
    let mut events = kept.log[..=first].to_vec();
    events[first].id.epoch = 1;
    events[first].json["text"] = "what was lost".into();
    history.readings.push(Reading { run: kept.run, from: Place::Beginning, events });
    assert!(matches!(history.violations()[..], [Violation::Changed { .. }]), "{:?}", history.violations());
    let from = Place::After(EventId { number: first as u64, epoch: 1 });
    let refused = |status| Refused { run: history.kept[0].run.clone(), from, status };
    let (gone, unknown) = (refused(410), refused(404));
    history.durability = Durability::Relaxed;
    history.refused.push(gone);
    assert_eq!(history.violations(), []);
    history.refused.push(unknown);
    assert!(matches!(history.violations()[..], [Violation::Refused { status: 404, .. }]));
}

#[test]
fn check__unanswered_request__may_have_happened() {
    let mut history = some();
    for asked in &mut history.asked {
        asked.reply = Reply::Lost;
    }
    assert_eq!(history.violations(), []);
}

#[test]
fn check__rejecting_run_that_waited__is_two_at_once() {
    let mut history = some();
    let runs = [history.kept[0].run.clone(), history.kept[1].run.clone()];
    let asked = history.asked.iter_mut().find(|asked| asked.run() == Some(&runs[1])).expect("asked");
    (asked.policy, asked.answered) = (Policy::Reject, 1);
    let found = history.violations();
    let is_it = |violation: &Violation| matches!(violation, Violation::TwoAtOnce { .. });
    assert!(found.iter().any(is_it), "{found:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn check__valid_history__has_no_violation(plan in plan()) {
        prop_assert_eq!(good(&plan).violations(), []);
    }

    #[test]
    fn check__any_fault__is_detected(plan in plan(), fault in any::<Index>(), place in 0..50_usize) {
        let fault = fault.get(FAULTS);
        let mut history = good(&plan);
        prop_assume!((fault.commit)(&mut history, place));
        let found = history.violations();
        prop_assert!(found.iter().any(fault.is_it), "{}: {found:#?}", fault.name);
    }
}
