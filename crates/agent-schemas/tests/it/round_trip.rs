//! Everything that is written is read back unchanged.

use agent_schemas::{Content, Event, Json, JsonObject, Message, sse};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::strategy;

fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let same: T = serde_json::from_str(&text).unwrap();
    assert_eq!(&same, value, "{text}");
    // The log's encoding escapes more and must read the same.
    let mut line = Vec::new();
    sse::write_json(&mut line, value).unwrap();
    let same: T = serde_json::from_slice(&line).unwrap();
    assert_eq!(&same, value, "{text}");
}

proptest! {
    #[test]
    fn json__any__round_trips(value in strategy::json()) {
        check(&value);
    }

    #[test]
    fn content__any__round_trips(value in strategy::content()) {
        check(&value);
    }

    #[test]
    fn message__any__round_trips(value in strategy::message()) {
        check(&value);
    }

    #[test]
    fn response__any__round_trips(value in strategy::response()) {
        check(&value);
    }

    #[test]
    fn request__any__round_trips(value in strategy::request()) {
        check(&value);
    }

    #[test]
    fn event__any__round_trips(value in strategy::event()) {
        check(&value);
        let mut line = Vec::new();
        sse::write_json(&mut line, &value).unwrap();
        prop_assert_eq!(Event::from_slice(&line).unwrap(), value);
    }
}

#[test]
fn number__minus_zero__keeps_its_sign() {
    for text in ["-0", "-0.0", "0", "-0e2"] {
        assert_eq!(agent_schemas::json::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn message__unknown_members__are_dropped() {
    let text = r#"{"role":"user","name":"bob","content":[{"type":"text","text":"a","cache_control":{}}]}"#;
    let message: Message = serde_json::from_str(text).unwrap();
    assert_eq!(message, Message::user("a"));
}

#[test]
fn content__unknown_type__is_event_but_not_input() {
    let text = r#"{"object":"content","type":"hologram","sequence_number":3}"#;
    let event = Event::from_slice(text.as_bytes()).unwrap();
    assert!(matches!(&event, Event::Other(json) if json.to_string() == text));
    assert_eq!(event.sequence_number(), Some(3));
    assert!(serde_json::from_str::<Content>(text).is_err());
}

#[test]
fn data__member_order__is_kept() {
    let data: JsonObject = [("z", 1_i64), ("a", 2)].map(|(k, v)| (k.to_owned(), Json::from(v))).into();
    let text = serde_json::to_string(&Content::data(data)).unwrap();
    assert!(text.ends_with(r#""data":{"z":1,"a":2}}"#), "{text}");
}
