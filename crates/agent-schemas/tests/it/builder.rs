//! Builders, replayed from upstream's recordings.

use std::collections::HashMap;

use agent_schemas::builder::{BuilderError, ContentBuilder, MessageBuilder, ResponseBuilder};
use agent_schemas::{ContentBody, Event, Json, JsonObject, MessageType, Role, object};

use crate::support::{SameId, golden_json, member, replay, text, with_our_ids};

fn check_streaming(file: &str, tokens: &[&str], builder: ResponseBuilder) {
    let recorded = golden_json(file);
    let events = builder.generate_streaming_response(&SameId, Role::Assistant, tokens.iter().copied(), 77);
    let ours: Vec<_> = events.iter().map(text).collect();
    let theirs = member(&recorded, "events").as_array().unwrap().iter().map(|event| {
        with_our_ids(&event.to_string())
            .replace(r#""created_at":"<ts>""#, r#""created_at":76"#)
            .replace(r#""completed_at":"<ts>""#, r#""completed_at":77"#)
    });
    let theirs: Vec<_> = theirs.collect();
    let whole = |_: &Json| ("events".to_owned(), ours.join("\n"), theirs.join("\n"));
    replay(file, &[Json::Null], whole);
}

#[test]
fn response_builder__streamed_response__matches_golden() {
    for file in ["fn_generate_streaming_response.json", "v115/fn_generate_streaming_response.json"] {
        let builder = ResponseBuilder::new(&SameId, 76).with_id("response_fixed").with_session_id("S");
        check_streaming(file, &["Hello", " ", "World", "!"], builder);
    }
    for file in
        ["fn_generate_streaming_response_empty.json", "v115/fn_generate_streaming_response_empty.json"]
    {
        check_streaming(file, &[], ResponseBuilder::new(&SameId, 76));
    }
}

fn object_of(json: &Json) -> JsonObject {
    json.as_object().unwrap().clone()
}

fn set(content: &mut ContentBuilder, method: &str, args: &[Json]) -> Result<Event, BuilderError> {
    let text = || args[0].as_str().unwrap();
    let event = match method {
        "set_text" => content.set_text(text()),
        "set_refusal" => content.set_refusal(text()),
        "set_image_url" => content.set_image_url(text()),
        "set_data" => content.set_data(object_of(&args[0])),
        "update_data" => content.update_data(text(), args[1].clone()),
        "add_text_delta" => content.add_text_delta(text()),
        "add_delta" => content.add_delta(ContentBody::Text { text: Some(text().into()) }),
        "add_data_delta" => content.add_data_delta(object_of(&args[0])),
        other => panic!("{other}"),
    };
    event.map(Event::from)
}

/// Executes a recording's builder calls; the error, if any, comes last.
fn run(operations: &[Json]) -> (Vec<Event>, Option<BuilderError>) {
    let mut messages: HashMap<&str, MessageBuilder> = HashMap::new();
    let mut contents: HashMap<&str, (&str, ContentBuilder)> = HashMap::new();
    let mut events = Vec::new();
    for operation in operations {
        let argument = |key: &str| operation.get(key).and_then(Json::as_str).unwrap_or_default();
        let of = argument("of");
        let event = match argument("op") {
            "new_message" => {
                let args = member(operation, "args");
                let given = |key: &str| args.get(key).and_then(Json::as_str);
                let mut message = MessageBuilder::new(&SameId)
                    .with_id(format!("<msg_id:{}>", messages.len() + 1))
                    .with_role(given("role").and_then(Role::from_name).unwrap_or(Role::Assistant))
                    .with_kind(given("message_type").map_or(MessageType::Message, MessageType::from));
                let event = message.in_progress();
                messages.insert(argument("as"), message);
                Ok(event.into())
            }
            "new_content" => match messages.get_mut(of).unwrap().content(argument("content_type")) {
                Ok(content) => {
                    contents.insert(argument("as"), (of, content));
                    continue;
                }
                Err(error) => Err(error),
            },
            "complete" => match contents.remove(of) {
                Some((message, content)) => {
                    Ok(messages.get_mut(message).unwrap().complete_content(content).into())
                }
                None => Ok(messages[of].clone().complete().into()),
            },
            method => {
                let args = member(operation, "args").as_array().unwrap();
                set(&mut contents.get_mut(of).unwrap().1, method, args)
            }
        };
        match event {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

/// Upstream's messages contain the numbers of the events that were sent before.
fn without_numbers(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let kept = members.iter().filter(|(key, _)| *key != "sequence_number");
            Json::Object(kept.map(|(key, value)| (key.clone(), without_numbers(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_numbers).collect()),
        other => other.clone(),
    }
}

fn check_native(file: &str) {
    let recorded = golden_json(file);
    let operations = member(member(&recorded, "handler"), "ops").as_array().unwrap();
    let (events, error) = run(operations);
    let line = |event: &Event| without_numbers(&Json::from_serialize(event).unwrap()).to_string();
    let mut ours: Vec<_> = events.iter().map(line).collect();
    ours.extend(error.map(|error| format!("Unknown agent error: ValueError: {error}")));

    let theirs = member(&recorded, "events").as_array().unwrap();
    let of_agent = |event: &&Json| event.get("object").and_then(Json::as_str) != Some("response");
    let mut expected: Vec<_> =
        theirs.iter().filter(of_agent).map(|event| without_numbers(event).to_string()).collect();
    let error = theirs.last().and_then(|event| event.get("error")?.get("message")?.as_str());
    expected.extend(error.map(str::to_owned));
    replay(file, &[Json::Null], |_| ("events".into(), ours.join("\n"), expected.join("\n")));
}

#[test]
fn builder__recorded_calls__match_golden() {
    check_native("native_all_content_types.json");
    check_native("native_data_deltas.json");
    check_native("native_text_set_then_delta.json");
    check_native("native_tool_call.json");
    check_native("native_unsupported_content_type.json");
    check_native("native_wrong_builder_call.json");
}

#[test]
fn content_builder__audio_video_file__have_setters() {
    let mut message = MessageBuilder::new(&SameId);
    let mut audio = message.content("audio").unwrap();
    audio.set_audio("AA", Some("wav".into())).unwrap();
    audio.add_delta(ContentBody::Audio { data: Some("BB".into()), format: None }).unwrap();
    let mut video = message.content("video").unwrap();
    let event = video.set_video_url("http://x/a.mp4").unwrap();
    assert_eq!((event.index, event.delta), (Some(1), Some(false)));
    let mut file = message.content("file").unwrap();
    let given = ContentBody::File {
        file_url: None,
        file_id: Some("f1".into()),
        filename: Some("a.pdf".into()),
        file_data: None,
    };
    file.set_file(given.clone()).unwrap();
    for content in [audio, video, file] {
        message.complete_content(content);
    }
    let message = message.complete();
    let bodies: Vec<_> = message.contents().iter().map(|content| content.body.clone()).collect();
    let audio = ContentBody::Audio { data: Some("AABB".into()), format: Some("wav".into()) };
    assert_eq!(bodies, [audio, ContentBody::Video { video_url: Some("http://x/a.mp4".into()) }, given]);
}

#[test]
fn setter__other_type__is_refused_by_name() {
    let mut message = MessageBuilder::new(&SameId);
    let mut text = message.content("text").unwrap();
    let mut data = message.content("data").unwrap();
    let said = |result: Result<_, BuilderError>| result.map(drop).unwrap_err().to_string();
    assert_eq!(said(data.set_text("x")), "set_text only supported for text content");
    assert_eq!(said(text.set_refusal("x")), "set_refusal only supported for refusal content");
    assert_eq!(said(text.set_image_url("x")), "set_image_url only supported for image content");
    assert_eq!(said(text.set_data(object! {})), "set_data only supported for data content");
    assert_eq!(said(text.update_data("k", 1_i64)), "update_data only supported for data content");
    assert_eq!(said(text.add_data_delta(object! {})), "add_data_delta only supported for data content");
    assert_eq!(message.content("film").unwrap_err().to_string(), "Unsupported content type: film");
    assert_eq!(text.complete().as_text(), None);
}

#[test]
fn setter__earlier_content__is_replaced() {
    let mut message = MessageBuilder::new(&SameId);
    let mut text = message.content("text").unwrap();
    text.add_text_delta("old").unwrap();
    text.set_text("new").unwrap();
    text.add_text_delta("er").unwrap();
    assert_eq!(message.complete_content(text).as_text(), Some("newer"));
}
