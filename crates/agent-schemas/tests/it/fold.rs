//! The fold: the response does not depend on the chunks; and how data merges.

use agent_schemas::builder::{MessageBuilder, ResponseBuilder};
use agent_schemas::delta::merge_data;
use agent_schemas::{
    Content, ContentBody, Event, Fold, Json, JsonObject, Message, MessageType, Status, object,
};
use proptest::prelude::*;

use crate::strategy;
use crate::support::SameId;

/// Splits a text at positions that the numbers choose.
pub(crate) fn chunks<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    places.retain(|place| text.is_char_boundary(*place));
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// A log whose only message has a text and the data of a call; closing events repeat everything, or contain nothing.
pub(crate) fn log(texts: &[&str], arguments: &[&str], closing_events: bool) -> Vec<Event> {
    let mut response = ResponseBuilder::new(&SameId, 1);
    let mut message = MessageBuilder::new(&SameId);
    let mut text = message.content("text").unwrap();
    let mut data = message.content("data").unwrap();
    let mut events: Vec<Event> =
        vec![response.created().into(), response.in_progress().into(), message.in_progress().into()];
    events.push(data.set_data(object! { "name" => "f", "arguments" => "" }).unwrap().into());
    // An empty first delta opens the text, so that an empty text is also a text.
    events.push(text.add_text_delta("").unwrap().into());
    let mut arguments = arguments.iter();
    for part in texts {
        events.push(text.add_text_delta(*part).unwrap().into());
        if let Some(part) = arguments.next() {
            events.push(data.add_data_delta(object! { "arguments" => *part }).unwrap().into());
        }
    }
    for part in arguments {
        events.push(data.add_data_delta(object! { "arguments" => *part }).unwrap().into());
    }
    let closing = [message.complete_content(text), message.complete_content(data)];
    if closing_events {
        events.extend(closing.map(Event::from));
    }
    let mut closed = response.complete_message(message);
    closed.content = None;
    events.push(closed.into());
    let mut last = response.completed(2);
    last.output = None;
    events.push(last.into());
    events
}

/// The folded log, with contents in the order of their indexes and without their status, which only closing events have.
fn folded(events: &[Event]) -> Vec<ContentBody> {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.push(event));
    assert!(fold.is_finished());
    assert!(fold.open_messages().is_empty());
    let response = fold.response().unwrap();
    assert_eq!(response.status, Status::Completed);
    let mut contents = response.messages()[0].contents().to_vec();
    contents.sort_by_key(|content| content.index);
    contents.into_iter().map(|content| content.body).collect()
}

proptest! {
    #[test]
    fn fold__any_chunking__gives_same_response(
        text: String,
        arguments: String,
        cuts in proptest::collection::vec(0_usize..100, 0..6),
        more_cuts in proptest::collection::vec(0_usize..100, 0..6),
        closing_events: bool,
    ) {
        let events = log(&chunks(&text, &cuts), &chunks(&arguments, &more_cuts), closing_events);
        let data = object! { "name" => "f", "arguments" => arguments.as_str() };
        let expected = [ContentBody::Text { text: Some(text.clone()) }, ContentBody::Data { data: Some(data) }];
        prop_assert_eq!(folded(&events), expected);
    }

    #[test]
    fn fold__any_events__are_accepted(events in proptest::collection::vec(strategy::event(), 0..8)) {
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event));
        prop_assert_eq!(fold.response().is_some(), events.iter().any(|e| matches!(e, Event::Response(_))));
    }

    #[test]
    fn merge_data__into_empty__gives_the_delta(delta in strategy::object()) {
        let mut data = JsonObject::new();
        merge_data(&mut data, &delta);
        prop_assert_eq!(data, delta);
    }

    #[test]
    fn merge_data__empty_delta__changes_nothing(data in strategy::object()) {
        let mut merged = data.clone();
        merge_data(&mut merged, &JsonObject::new());
        prop_assert_eq!(merged, data);
    }

    #[test]
    fn merge_data__any__keeps_all_keys(data in strategy::object(), delta in strategy::object()) {
        let mut merged = data.clone();
        merge_data(&mut merged, &delta);
        for key in data.keys().chain(delta.keys()) {
            prop_assert!(merged.contains_key(key));
        }
    }
}

fn check_merge(data: &str, delta: &str, expected: &str) {
    let read = |text: &str| agent_schemas::json::parse(text).unwrap().as_object().unwrap().clone();
    let mut merged = read(data);
    merge_data(&mut merged, &read(delta));
    assert_eq!(Json::from(merged).to_string(), expected);
}

#[test]
fn merge_data__each_type__combines_its_way() {
    check_merge(r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"{"a":"xy"}"#);
    check_merge(r#"{"a":[1]}"#, r#"{"a":[2]}"#, r#"{"a":[1,2]}"#);
    check_merge(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#);
    check_merge(r#"{"a":1}"#, r#"{"a":0.5}"#, r#"{"a":1.5}"#);
    check_merge(r#"{"a":{"b":"x"}}"#, r#"{"a":{"b":"y","c":1}}"#, r#"{"a":{"b":"xy","c":1}}"#);
    check_merge(r#"{"a":true}"#, r#"{"a":false}"#, r#"{"a":false}"#);
    check_merge(r#"{"a":"x"}"#, r#"{"a":1}"#, r#"{"a":1}"#);
    check_merge(r#"{"a":null}"#, r#"{"a":"x"}"#, r#"{"a":"x"}"#);
    check_merge(r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":null}"#);
    check_merge(r#"{"a":9223372036854775807}"#, r#"{"a":1}"#, r#"{"a":9.223372036854776e18}"#);
}

/// A client that joined late sees only the second content.
#[test]
fn fold__late_start__places_content_by_index() {
    let mut fold = Fold::new();
    let mut opened = Message::new("msg_1", MessageType::Message);
    opened.in_progress();
    fold.push(&Event::from(opened));
    for part in ["b", "c", "d"] {
        let mut delta = Content::text(part);
        (delta.delta, delta.index, delta.msg_id) = (Some(true), Some(1), Some("msg_1".into()));
        fold.push(&Event::from(delta));
    }
    let [content] = fold.open_messages()[0].contents() else { panic!("one content") };
    assert_eq!((content.index, content.as_text()), (Some(1), Some("bcd")));
}
