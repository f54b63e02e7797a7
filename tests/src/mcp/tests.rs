//! The validator accepts good conversations and finds what is wrong with bad ones.

mod bad;
mod good;

use proptest::prelude::*;
use serde_json::Value;

use self::bad::{EDITS, Edit};
use self::good::{sessions, stateless, stdio};
use crate::rounds;

use super::{Step, Transport, Version, Violation, check};

/// A conversation with what it is.
struct Scene {
    version: Version,
    transport: Transport,
    steps: Vec<Step>,
}

impl Scene {
    fn check(&self) -> Vec<Violation> {
        check(self.version, self.transport, &self.steps)
    }
}

fn scene(name: &str) -> Scene {
    let (version, transport, steps) = match name {
        "sessions" => (Version::Sessions, Transport::Http, sessions()),
        "stateless" => (Version::Stateless, Transport::Http, stateless()),
        _ => (Version::Sessions, Transport::Stdio, stdio()),
    };
    Scene { version, transport, steps }
}

/// The message of a step.
fn message(step: &mut Step) -> &mut Value {
    match step {
        Step::Sent { message, .. } => message,
        Step::Answered { body, .. } => body.as_mut().expect("a body"),
        Step::Received { message, .. } => message.as_mut().expect("a message"),
        Step::Ended { .. } => panic!("the end of a stream has no message"),
    }
}

#[test]
fn conversation__good__has_no_violation() {
    for name in ["sessions", "stateless", "stdio"] {
        assert_eq!(scene(name).check(), [], "{name}");
    }
}

#[test]
fn conversation__with_one_fault__breaks_that_rule() {
    assert!(EDITS.len() >= 60, "{} edits", EDITS.len());
    for (position, (name, rule, edit)) in EDITS.iter().enumerate() {
        let mut scene = scene(name);
        edit.apply(&mut scene.steps);
        let found = scene.check();
        assert!(
            found.iter().any(|violation| violation.rule == *rule),
            "edit {position} of {name}, {rule}: {found:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(rounds(32) as u32))]

    /// A fault is found whatever else is said before and after: the good conversation, repeated with other ids.
    #[test]
    fn fault__in_a_longer_conversation__is_found(edit in 0..EDITS.len(), pings in 0_usize..5) {
        let (name, rule, edit) = &EDITS[edit];
        let mut scene = scene(name);
        edit.apply(&mut scene.steps);
        let first_call = scene.steps.iter().filter(|step| matches!(step, Step::Sent { .. })).count();
        for number in 0..pings {
            scene.steps.extend(good::more(scene.version, scene.transport, first_call + number, 1000 + number));
        }
        let found = scene.check();
        prop_assert!(found.iter().any(|violation| violation.rule == *rule), "{name}, {rule}: {found:?}");
        prop_assert!(found.iter().all(|violation| !violation.text.contains("100")), "{found:?}");
    }

    #[test]
    fn conversation__good_and_longer__has_no_violation(name in 0_usize..3, more in 0_usize..8) {
        let mut scene = scene(["sessions", "stateless", "stdio"][name]);
        let first_call = scene.steps.iter().filter(|step| matches!(step, Step::Sent { .. })).count();
        for number in 0..more {
            scene.steps.extend(good::more(scene.version, scene.transport, first_call + number, 1000 + number));
        }
        prop_assert_eq!(scene.check(), []);
    }
}

impl Edit {
    fn apply(&self, steps: &mut Vec<Step>) {
        match self {
            Edit::Set(at, pointer, value) => {
                let value: Value = serde_json::from_str(value).expect("JSON");
                let message = message(&mut steps[*at]);
                let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
                let key = &key.replace("~1", "/");
                let parent = message.pointer_mut(parent).expect("the parent");
                match (parent, value.as_str()) {
                    (Value::Object(members), Some("--")) => drop(members.remove(key.as_str())),
                    (Value::Object(members), _) => drop(members.insert(key.to_owned(), value)),
                    (Value::Array(items), _) => items[key.parse::<usize>().expect("a position")] = value,
                    (other, _) => panic!("{other} has no members"),
                }
            }
            Edit::Replace(at, new) => *message(&mut steps[*at]) = serde_json::from_str(new).expect("JSON"),
            Edit::Header(at, name, new) => match &mut steps[*at] {
                Step::Sent { headers, .. } | Step::Answered { headers, .. } => {
                    headers.retain(|(known, _)| known != name);
                    headers.extend(new.map(|value| ((*name).to_owned(), value.to_owned())));
                }
                _ => panic!("no headers"),
            },
            Edit::Status(at, new) => match &mut steps[*at] {
                Step::Answered { status, .. } => *status = *new,
                _ => panic!("no status"),
            },
            Edit::Stream(at, new) => match &mut steps[*at] {
                Step::Received { call, .. } => *call = *new,
                _ => panic!("no stream"),
            },
            Edit::EventId(at, new) => match &mut steps[*at] {
                Step::Received { event_id, .. } => *event_id = new.map(str::to_owned),
                _ => panic!("no event"),
            },
            Edit::Drop(at) => drop(steps.remove(*at)),
            Edit::Twice(at) => {
                let mut again = steps[*at].clone();
                if let Step::Received { event_id, .. } = &mut again {
                    *event_id = event_id.as_ref().map(|id| format!("{id}.again"));
                }
                steps.insert(at + 1, again);
            }
            Edit::Swap(first, second) => steps.swap(*first, *second),
        }
    }
}
