//! Messages that grow, replayed from upstream's recordings.

use std::cell::Cell;

use agent_schemas::{
    Content, ContentError, ErrorBody, Event, Json, Message, MessageType, Role, SequenceNumbers,
};

use crate::support::{golden_lines, member, name, replay, text};

fn content(json: &Json) -> Content {
    serde_json::from_str(&json.to_string()).unwrap()
}

fn apply(message: &mut Message, operation: &Json) -> String {
    let given = || content(member(operation, "content"));
    let returned = match member(operation, "op").as_str().unwrap() {
        "add_delta_content" => match message.add_delta_content(given()) {
            Ok(event) => text(&event),
            Err(ContentError::NoSuchContent { .. }) => return "IndexError".into(),
            Err(ContentError::TypeMismatch { .. }) => return "AttributeError".into(),
            Err(other) => panic!("{other}"),
        },
        "add_content" => text(&message.add_content(given())),
        "content_completed" => {
            let index = usize::try_from(member(operation, "index").as_i64().unwrap());
            text(&index.ok().and_then(|index| message.content_completed(index)))
        }
        "created" => text(message.created()),
        "in_progress" => text(message.in_progress()),
        "completed" => text(message.completed()),
        "rejected" => text(message.rejected()),
        "canceled" => text(message.canceled()),
        "failed" => text(message.failed(ErrorBody::new("c", "m"))),
        other => panic!("{other}"),
    };
    format!("returned {returned}")
}

/// The stored copy, for which upstream leaves `delta: null`, is a whole value here, and has its index and id.
fn with_whole_copies(mut message: Json, changed: &Cell<usize>) -> Json {
    if let Json::Object(members) = &mut message
        && let Some(Json::Array(contents)) = members.get_mut("content")
    {
        for (index, content) in (0_i64..).zip(contents) {
            let Json::Object(members) = content else { continue };
            if members["delta"].is_null() {
                changed.set(changed.get() + 1);
                members["delta"] = Json::from(false);
                members["index"] = Json::from(index);
                members["msg_id"] = Json::from("msg_1");
            }
        }
    }
    message
}

fn check_file(file: &str) {
    let changed = Cell::new(0);
    replay(file, &golden_lines(file), |case| {
        let input = member(case, "input");
        let mut message = Message::new("msg_1", MessageType::Message);
        message.role = Some(Role::Assistant);
        let initial = member(input, "initial_content").as_array();
        message.content = initial.map(|contents| contents.iter().map(content).collect());
        let mut ours: Vec<_> = member(input, "ops")
            .as_array()
            .unwrap()
            .iter()
            .map(|operation| apply(&mut message, operation))
            .collect();
        ours.push(text(&message));

        let output = member(case, "output");
        let step = |step: &Json| match step.get("error") {
            Some(error) => member(error, "type").as_str().unwrap().to_owned(),
            None => format!("returned {}", with_whole_copies(member(step, "returned").clone(), &changed)),
        };
        let mut theirs: Vec<_> = member(output, "steps").as_array().unwrap().iter().map(step).collect();
        theirs.push(with_whole_copies(member(output, "message").clone(), &changed).to_string());
        (name(case), ours.join("\n"), theirs.join("\n"))
    });
    assert!(changed.get() > 0, "no stored copy has a null delta: the difference for all cases is stale");
}

#[test]
fn deltas__upstream_1_0_2__match_golden() {
    check_file("fn_delta_semantics.jsonl");
}

#[test]
fn deltas__upstream_1_1_5__match_golden() {
    check_file("v115/fn_delta_semantics.jsonl");
}

#[test]
fn getters__recorded_cases__match_golden() {
    let file = "fn_message_getters.jsonl";
    replay(file, &golden_lines(file), |case| {
        let message: Message = serde_json::from_str(&member(case, "input").to_string()).unwrap();
        let images: Vec<_> = message.images().map(Json::from).collect();
        let audios: Vec<_> = message.audios().map(Json::from).collect();
        let text = message.text_content().map(Json::from);
        let ours = agent_schemas::object! { "text" => text, "images" => images, "audios" => audios };
        (name(case), Json::from(ours).to_string(), member(case, "output").to_string())
    });
}

#[test]
fn add_delta__failure__changes_no_content() {
    let mut message = Message::user("a");
    let before = message.clone();
    let mut delta = Content::image("u");
    delta.delta = Some(true);
    for index in [0, 1, -1, i64::MAX] {
        delta.index = Some(index);
        assert!(message.add_delta_content(delta.clone()).is_err());
    }
    assert_eq!(message, before);
}

#[test]
fn sequence_numbers__every_event__is_numbered() {
    let mut numbers = SequenceNumbers::new();
    let unknown = Event::Other(agent_schemas::object! { "object" => "x", "sequence_number" => 9_i64 }.into());
    let events = [Event::from(Message::user("a")), unknown, Event::from(Content::text("b"))];
    for (number, mut event) in (0..).zip(events) {
        assert_eq!(numbers.assign(&mut event), number);
        assert_eq!(event.sequence_number(), Some(number));
    }
    assert_eq!(numbers.take(), 3);
}
