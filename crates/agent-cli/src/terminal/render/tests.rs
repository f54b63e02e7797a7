//! Sequences of events, and the resulting lines.

use agent_schemas::Event;

use super::*;
use crate::terminal::screen::tests::Sheet;

/// An event in short form: `m ID KIND STATUS`, `t ID INDEX TEXT` for a text delta, or JSON.
fn event(line: &str) -> Event {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let json = match words[..] {
        ["m", id, kind, status] => {
            format!(r#"{{"object":"message","id":"{id}","type":"{kind}","status":"{status}"}}"#)
        }
        ["t", id, index, text] => content(id, index, "in_progress", true, text),
        ["T", id, index, text] => content(id, index, "completed", false, text),
        ["r", status] => format!(r#"{{"object":"response","status":"{status}"}}"#),
        _ => line.to_owned(),
    };
    Event::from_slice(json.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn content(id: &str, index: &str, status: &str, delta: bool, text: &str) -> String {
    format!(
        r#"{{"object":"content","type":"text","status":"{status}","delta":{delta},"msg_id":"{id}","index":{index},"text":{}}}"#,
        Json::from(text)
    )
}

fn data(id: &str, members: &str) -> String {
    format!(
        r#"{{"object":"content","type":"data","status":"completed","delta":false,"msg_id":"{id}","index":0,"data":{members}}}"#
    )
}

/// Renders events; returns standard output and standard error.
fn render(mut renderer: Renderer, events: &[&str]) -> (String, String) {
    let (out, err) = (Sheet::default(), Sheet::default());
    let mut screen = Screen::new(out.clone(), err.clone(), (false, false), false);
    for line in events {
        renderer.event(&event(line), &mut screen).expect("written");
    }
    renderer.close(&mut screen).expect("written");
    (out.text(), err.text())
}

#[track_caller]
fn check(events: &[&str], out: &str, err: &str) {
    assert_eq!(render(Renderer::default(), events), (out.to_owned(), err.to_owned()), "{events:#?}");
}

#[test]
fn render__run_with_tool__shows_every_part() {
    let call = data("c", r#"{"call_id":"1","name":"calculator","arguments":"{\"expression\":\"6 * 7\"}"}"#);
    let output = data("o", r#"{"call_id":"1","name":"calculator","output":"42"}"#);
    let events = [
        "r created",
        "r in_progress",
        "m r reasoning in_progress",
        "t r 0 I know ",
        "t r 0 a tool.",
        "T r 0 I know a tool.",
        "m r reasoning completed",
        "m c plugin_call in_progress",
        &call,
        "m c plugin_call completed",
        "m o plugin_call_output in_progress",
        &output,
        "m o plugin_call_output completed",
        "m a message in_progress",
        "t a 0 6 × 7 ",
        "t a 0 = 42",
        "T a 0 6 × 7 = 42",
        "m a message completed",
        "r completed",
    ];
    let tool = "[tool] calculator {\"expression\":\"6 * 7\"}\n[tool] → 42\n";
    check(&events, "6 × 7 = 42\n", &format!("[reasoning] I know a tool.\n{tool}"));
    let quiet = render(Renderer::new(true, false), &events);
    assert_eq!(quiet, ("6 × 7 = 42\n".to_owned(), tool.to_owned()));
}

#[test]
fn render__any_event_order__writes_answer_once() {
    let whole = r#"{"object":"message","id":"a","type":"message","status":"completed","content":[{"type":"text","text":"Hi"}]}"#;
    let response = format!(r#"{{"object":"response","status":"completed","output":[{whole}]}}"#);
    for events in [
        &["m a message in_progress", "t a 0 H", "t a 0 i", "T a 0 Hi", whole, &response][..],
        &["m a message in_progress", "t a 0 H", "T a 0 Hi", &response],
        &["m a message in_progress", "T a 0 Hi", whole],
        &["m a message in_progress", "t a 0 H", whole],
        &["t a 0 Hi"],
        &[whole],
        &[&response],
        &[&response, &response],
        &[whole, &response],
    ] {
        check(events, "Hi\n", "");
    }
}

#[test]
fn render__concurrent_answers__are_not_mixed() {
    let events = [
        "m a message in_progress",
        "m b message in_progress",
        "t a 0 one ",
        "t b 0 three ",
        "t a 0 two",
        "t b 0 four",
        "T b 0 three four",
        "t a 0 !",
        "T a 0 one two!",
        "r completed",
    ];
    check(&events, "one two!\nthree four\n", "");
    check(&events[..6], "one two\nthree four\n", "");
}

#[test]
fn render__replaced_text__is_written_again() {
    check(&["m a message in_progress", "t a 0 Hello", "T a 0 Good-bye"], "Hello\nGood-bye\n", "");
}

#[test]
fn render__other_contents__take_one_line_each() {
    let image = r#"{"object":"content","type":"image","status":"completed","msg_id":"a","index":1,"image_url":"data:image/png;base64,AAAA"}"#;
    let refusal = r#"{"object":"content","type":"refusal","status":"in_progress","delta":true,"msg_id":"a","index":2,"refusal":"No"}"#;
    let events = ["m a message in_progress", "T a 0 Look:", image, refusal, refusal];
    check(&events, "Look:\n", "[image] image/png, 3 bytes\n[refusal] NoNo\n");
    let error = r#"{"object":"message","id":"e","type":"error","status":"completed","code":"X","message":"it broke"}"#;
    check(&[error], "", "error X: it broke\n");
    check(&[r#"{"object":"news","n":1}"#], "", "");
    let verbose = render(Renderer::new(false, true), &[r#"{"object":"news","n":1}"#]);
    assert_eq!(verbose.1, "[event] {\"object\":\"news\",\"n\":1}\n");
}

#[test]
fn render__unsuccessful_end__is_reported() {
    let failure = r#""status":"failed","error":{"code":"MODEL_TIMEOUT","message":"too slow"}"#;
    let message = format!(r#"{{"object":"message","id":"a","type":"message",{failure}}}"#);
    let response = format!(r#"{{"object":"response",{failure}}}"#);
    check(
        &["m a message in_progress", "t a 0 Half", &message, &response],
        "Half\n",
        "error MODEL_TIMEOUT: too slow\n",
    );
    check(
        &[&message, "m b message completed", "r completed"],
        "",
        "(the message is failed, error MODEL_TIMEOUT: too slow)\n",
    );
    check(&["m a message incomplete", "r incomplete"], "", "(the run is incomplete)\n");
    check(&["m a message incomplete", "r completed"], "", "(the message is incomplete)\n");
    check(&["m a message canceled", "r canceled"], "", "(the run is canceled)\n");
}

#[test]
fn render__usage_requested__shows_usage() {
    let events = [r#"{"object":"response","status":"completed","usage":{"input_tokens":3}}"#];
    assert_eq!(render(Renderer::new(false, true), &events).1, "[usage] {\"input_tokens\":3}\n");
    check(&events, "", "");
}
