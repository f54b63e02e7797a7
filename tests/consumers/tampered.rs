//! The examples with streams that are damaged, unusually framed, or newer than the examples.

use agent_tests::Launch;
use agent_tests::client::events;
use serde_json::{Value, json};

use crate::program::{QUESTION, programs};
use crate::replay::{End, replay, stream};

/// The demo's stream for [`QUESTION`]: a reasoning, a call, its output, a text.
async fn recorded() -> Vec<Value> {
    let server = Launch::bare(&["--port", "0"]).start().await;
    events(&server.connect().await.process(QUESTION, "").await.body)
}

/// The index of the event with this JSON at the path `pointer`.
#[track_caller]
fn find(events: &[Value], pointer: &str, value: &str) -> usize {
    let found = events.iter().position(|event| event.pointer(pointer).is_some_and(|found| found == value));
    found.unwrap_or_else(|| panic!("no event has {value} at {pointer}: {events:?}"))
}

async fn check_found(events: &[Value], end: End, sentence: &str) {
    for program in programs() {
        let ended = replay(program, std::iter::once(stream(events).as_bytes()), end).await;
        assert_eq!(ended.code, 1, "{}: {ended:?}", program.name);
        assert!(ended.stderr.contains(sentence), "{}: {sentence} is missing in {ended:?}", program.name);
        assert!(!ended.stdout.contains("events match"), "{}: {ended:?}", program.name);
    }
}

async fn check_survived(events: &[Value]) {
    for program in programs() {
        let ended = replay(program, std::iter::once(stream(events).as_bytes()), End::Whole).await;
        assert_eq!(ended.code, 0, "{}: {ended:?}", program.name);
        assert!(ended.stdout.contains("6 × 7 = 42"), "{}: {ended:?}", program.name);
    }
}

#[tokio::test]
async fn readme_client__changed_delta__is_detected() {
    let mut events = recorded().await;
    let changed = find(&events, "/text", "42");
    events[changed]["text"] = "43".into();
    let sentence =
        "output[3].content[0].text: the events have \"6 × 7 = 43\", the final response has \"6 × 7 = 42\"";
    check_found(&events, End::Whole, sentence).await;
}

#[tokio::test]
async fn readme_client__missing_delta__is_detected() {
    let mut events = recorded().await;
    let lost = find(&events, "/text", "asks ");
    events.remove(lost);
    let sentence = "output[0].content[0].text: the events have \"This for 6";
    check_found(&events, End::Whole, sentence).await;
}

#[tokio::test]
async fn readme_client__missing_content_or_message__is_detected() {
    let events = recorded().await;
    let output = find(&events, "/data/output", "42");
    let mut without = events.clone();
    without.remove(output);
    check_found(&without, End::Whole, "output[2].content: the events have null").await;
    let mut without = events;
    without.remove(output + 1);
    check_found(&without, End::Whole, "output[2].").await;
}

#[tokio::test]
async fn readme_client__changed_data_or_role__is_detected() {
    let events = recorded().await;
    let output = find(&events, "/data/output", "42");
    let mut changed = events.clone();
    changed[output]["data"]["output"] = "41".into();
    let sentence = "output[2].content[0].data.output: the events have \"41\", the final response has \"42\"";
    check_found(&changed, End::Whole, sentence).await;
    let mut changed = events;
    changed[output + 1]["role"] = "assistant".into();
    check_found(&changed, End::Whole, "output[2].role: the events have \"assistant\"").await;
}

#[tokio::test]
async fn readme_client__missing_end__is_detected() {
    let mut events = recorded().await;
    events.pop();
    check_found(&events, End::Whole, "The stream ended before the final response.").await;
    check_found(&events, End::Cut, "").await;
    check_found(&[], End::Whole, "The stream ended before the final response.").await;
}

#[tokio::test]
async fn readme_client__invalid_json__exits_with_one_line() {
    let events = recorded().await;
    for program in programs() {
        let stream = stream(&events[..4]) + "data: [DONE]\n\n";
        let ended = replay(program, std::iter::once(stream.as_bytes()), End::Whole).await;
        assert_eq!(ended.code, 1, "{}: {ended:?}", program.name);
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{}: {ended:?}", program.name);
    }
}

#[tokio::test]
async fn readme_client__schema_violation__is_detected() {
    let mut events = recorded().await;
    let broken = find(&events, "/text", "42");
    events[broken]["msg_id"] = 7.into();
    let [python, _] = programs();
    let ended = replay(python, std::iter::once(stream(&events).as_bytes()), End::Whole).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("an event does not match the schema: {"), "{ended:?}");
    assert_eq!(ended.stderr.trim().lines().count(), 1, "{ended:?}");
}

#[tokio::test]
async fn readme_client__any_framing__gives_same_result() {
    let events = recorded().await;
    let mut odd = String::from(": a comment\r\n\r\nretry: 10\r\n");
    // Characters that end a line elsewhere. This server escapes them, but others do not.
    let breaks = |text: &str| text.replace("tell.", "tell\u{2028}\u{2029}\u{85}.");
    for event in &events {
        // Data lines are joined by line feeds, which JSON allows between its tokens.
        let json = event.to_string().replacen(':', "\r\ndata::", 1).replacen(',', ",\r\ndata: ", 1);
        odd += &format!("id: 1\r\nevent: message\r\ndata:{}\r\n: heartbeat\r\n\r\n", breaks(&json));
    }
    for program in programs() {
        let ended = replay(program, odd.as_bytes().chunks(1), End::Whole).await;
        assert_eq!(ended.code, 0, "{}: {ended:?}", program.name);
        assert_eq!(ended.stdout, breaks(&program.shown), "{}", program.name);
    }
}

/// Adds a field to every event, message and content.
fn add_field(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(add_field),
        Value::Object(object) => {
            object.values_mut().for_each(add_field);
            if object.contains_key("sequence_number") {
                object.insert("newer".to_owned(), json!({ "than": ["this"] }));
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn readme_client__fields_of_newer_server__are_tolerated() {
    let mut events = recorded().await;
    let event =
        json!({ "sequence_number": 3, "object": "telemetry", "status": 7, "content": [1], "output": "none" });
    events.insert(3, event);
    let created = find(&events, "/status", "created");
    events[created]["status"] = "warming_up".into();
    let thinking = find(&events, "/type", "reasoning");
    events[thinking]["status"] = "dreaming".into();
    events.iter_mut().for_each(add_field);
    check_survived(&events).await;
}

#[tokio::test]
async fn readme_client__unknown_content__is_tolerated() {
    let mut events = recorded().await;
    let text = find(&events, "/text", "6 × 7 = 42");
    let mut hologram = events[text].clone();
    (hologram["type"], hologram["index"]) = ("hologram".into(), 1.into());
    let mut growing = hologram.clone();
    (growing["status"], growing["delta"]) = ("in_progress".into(), true.into());
    let last = events.len() - 1;
    for content in [format!("/{}/content", text + 1), format!("/{last}/output/3/content")] {
        let mut all = Value::from(events);
        all.pointer_mut(&content).and_then(Value::as_array_mut).expect("contents").push(hologram.clone());
        let Value::Array(changed) = all else { unreachable!("it was made of events") };
        events = changed;
    }
    for event in [hologram, growing.clone(), growing] {
        events.insert(text + 1, event);
    }
    check_survived(&events).await;
}
