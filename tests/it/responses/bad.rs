//! Tests the checker itself: it accepts valid streams and rejects invalid ones.

use agent_tests::responses::{check, check_events, parse};
use serde_json::{Value, json};

use super::agents::{self, writes};
use super::app::{Client, STREAM};

async fn good_streams() -> Vec<Vec<Value>> {
    let all =
        [agents::chunks, agents::reasoning, agents::parallel_calls, agents::mcp_call, agents::other_contents];
    let mut streams = Vec::new();
    for agent in all {
        let stream = Client::new(writes(agent)).stream(STREAM).await;
        streams.push(parse(&stream).expect("well-framed"));
    }
    streams
}

fn renumbered(mut events: Vec<Value>) -> Vec<Value> {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events
}

/// Returns the kinds of invalid streams that were accepted.
#[derive(Default)]
struct Taken(Vec<String>);

impl Taken {
    fn look(&mut self, what: String, events: Vec<Value>) {
        if check_events(&events).is_ok() {
            self.0.push(what);
        }
    }
}

#[tokio::test]
async fn check__missing_doubled_or_swapped_event__is_detected() {
    let mut taken = Taken::default();
    for events in good_streams().await {
        assert!(check_events(&events).is_ok());
        for position in 0..events.len() {
            let name = events[position]["type"].as_str().expect("a type").to_owned();
            let mut without = events.clone();
            without.remove(position);
            taken.look(format!("a gap at {name}"), without.clone());
            // The `in_progress` event is optional.
            if name != "response.in_progress" {
                taken.look(format!("without {name}"), renumbered(without));
            }
            let mut twice = events.clone();
            twice.insert(position, events[position].clone());
            taken.look(format!("twice {name}"), renumbered(twice));
            if position > 0 && is_bound(&events[position - 1], &events[position]) {
                let mut swapped = events.clone();
                swapped.swap(position - 1, position);
                taken.look(format!("swapped at {name}"), renumbered(swapped));
            }
        }
    }
    assert_eq!(taken.0, Vec::<String>::new());
}

/// Whether two events must have this order: not if they are about two items, or about two parts of one.
fn is_bound(first: &Value, second: &Value) -> bool {
    ["output_index", "content_index"].into_iter().all(|place| {
        let (first, second) = (first.get(place), second.get(place));
        first.is_none() || second.is_none() || first == second
    })
}

#[tokio::test]
async fn check__missing_member__is_detected() {
    const OPTIONAL: &[&str] = &["conversation", "user"];
    let mut taken = Taken::default();
    for events in good_streams().await {
        for position in 0..events.len() {
            let event = events[position].as_object().expect("an object");
            for member in event.keys() {
                let mut bad = events.clone();
                bad[position].as_object_mut().expect("an object").remove(member);
                taken.look(format!("{} without {member}", event["type"]), bad);
            }
            let members = event.get("response").and_then(Value::as_object).into_iter().flatten();
            for (member, _) in members.filter(|(member, _)| !OPTIONAL.contains(&member.as_str())) {
                let mut bad = events.clone();
                bad[position]["response"].as_object_mut().expect("an object").remove(member);
                taken.look(format!("{} without response.{member}", event["type"]), bad);
            }
        }
    }
    assert_eq!(taken.0, Vec::<String>::new());
}

#[tokio::test]
async fn check__wrong_index_or_text__is_detected() {
    let mut taken = Taken::default();
    for events in good_streams().await {
        for position in 0..events.len() {
            let name = events[position]["type"].as_str().expect("a type").to_owned();
            for (member, wrong) in [
                ("output_index", json!(7)),
                ("content_index", json!(7)),
                ("item_id", json!("msg_other")),
                ("delta", json!("?!")),
                ("text", json!("?!")),
                ("arguments", json!("?!")),
            ] {
                if events[position].get(member).is_some() {
                    let mut bad = events.clone();
                    bad[position][member] = wrong;
                    taken.look(format!("{name} with another {member}"), bad);
                }
            }
        }
    }
    assert_eq!(taken.0, Vec::<String>::new());
}

#[tokio::test]
async fn check__wrong_framing__is_detected() {
    let stream = Client::new(writes(agents::chunks)).stream(STREAM).await;
    assert!(check(&stream).is_ok());
    let bad = [
        stream.replace("data: [DONE]\n\n", ""),
        stream.replacen("event: response.created\n", "", 1),
        stream.replacen("event: response.created", "event: response.queued", 1),
        stream.replacen("{\"type\"", "{\"type", 1),
        format!("{stream}data: {{}}\n\n"),
        String::new(),
    ];
    for stream in bad {
        assert!(check(&stream).is_err(), "{stream}");
    }
    let commented = format!(": heartbeat\n\n{stream}");
    assert!(check(&commented).is_ok(), "comments are not events");
}
