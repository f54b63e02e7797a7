//! Conversations as model servers accept them.

use std::collections::BTreeSet;

use agent_schemas::openai::{
    MESSAGE_PART, REASONING_MEMBER, content_from_chat_completion_chunk, new_message_part, to_openai_messages,
    to_openai_tools,
};
use agent_schemas::{
    Content, ContentBody, Json, JsonObject, Message, MessageType, RequestTool, Role, object,
};
use proptest::prelude::*;

use crate::strategy;
use crate::support::{SameId, text};

fn said(role: Role, contents: Vec<Content>) -> Message {
    let mut message = Message::new("m", MessageType::Message);
    message.role = Some(role);
    message.content = Some(contents);
    message
}

fn data(kind: MessageType, data: JsonObject) -> Message {
    let mut message = Message::new("m", kind);
    message.content = Some(vec![Content::data(data)]);
    message
}

fn call(id: &str) -> Message {
    data(MessageType::PluginCall, object! { "call_id" => id, "name" => "f", "arguments" => "{}" })
}

/// One of the calls of the same message.
fn part_of_message(id: &str, index: usize) -> Message {
    let part = new_message_part("m", index);
    let call = object! { "call_id" => id, "name" => "f", "arguments" => "{}", MESSAGE_PART => part };
    data(MessageType::FunctionCall, call)
}

fn answer(id: &str, output: &str) -> Message {
    data(MessageType::PluginCallOutput, object! { "call_id" => id, "output" => output })
}

fn parse(json: &str) -> Json {
    agent_schemas::json::parse(json).unwrap()
}

#[track_caller]
fn check(messages: &[Message], expected: &str) {
    let ours = text(&to_openai_messages(messages));
    assert_eq!(ours, parse(expected).to_string());
}

const CALL_1: &str = r#"{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}"#;
const CALL_2: &str = r#"{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}"#;
const ANSWER_1: &str = r#"{"role":"tool","tool_call_id":"1","content":"a"}"#;
const ANSWER_2: &str = r#"{"role":"tool","tool_call_id":"2","content":"b"}"#;

#[test]
fn to_openai__consecutive_calls__are_one_turn() {
    let reasoning = data(MessageType::Reasoning, object! { "text" => "hm" });
    let text = || said(Role::Assistant, vec![Content::text("let me see")]);
    check(
        &[text(), reasoning, call("1"), call("2"), answer("2", "b"), answer("1", "a")],
        &format!(
            r#"[{{"role":"assistant","content":"let me see","tool_calls":[{CALL_1},{CALL_2}]}},{ANSWER_1},{ANSWER_2}]"#
        ),
    );
    check(
        &[call("1"), answer("1", "a"), call("2"), answer("2", "b")],
        &format!(
            r#"[{{"role":"assistant","content":null,"tool_calls":[{CALL_1}]}},{ANSWER_1},
            {{"role":"assistant","content":null,"tool_calls":[{CALL_2}]}},{ANSWER_2}]"#
        ),
    );
}

#[test]
fn to_openai__unpaired_call_or_output__is_omitted() {
    check(&[call("1"), Message::user("stop")], r#"[{"role":"user","content":"stop"}]"#);
    check(&[answer("1", "a")], "[]");
    check(
        &[call("1"), call("2"), answer("1", "a"), answer("1", "again")],
        &format!(r#"[{{"role":"assistant","content":null,"tool_calls":[{CALL_1}]}},{ANSWER_1}]"#),
    );
    // Text before a call that was never answered stays.
    check(
        &[said(Role::Assistant, vec![Content::text("let me")]), call("1")],
        r#"[{"role":"assistant","content":"let me"}]"#,
    );
}

#[test]
fn to_openai__tool_output__follows_its_call() {
    check(
        &[call("1"), Message::user("hurry"), answer("1", "a")],
        &format!(
            r#"[{{"role":"assistant","content":null,"tool_calls":[{CALL_1}]}},{ANSWER_1},{{"role":"user","content":"hurry"}}]"#
        ),
    );
}

#[test]
fn to_openai__repeated_call_id__pairs_the_latest() {
    let turn = format!(r#"{{"role":"assistant","content":null,"tool_calls":[{CALL_1}]}},{ANSWER_1}"#);
    check(&[call("1"), answer("1", "a"), call("1"), answer("1", "a")], &format!("[{turn},{turn}]"));
    // The first one was abandoned; the answer belongs to the second.
    check(
        &[call("1"), Message::user("x"), call("1"), answer("1", "a")],
        &format!(r#"[{{"role":"user","content":"x"}},{turn}]"#),
    );
}

#[test]
fn to_openai__same_id_in_one_turn__is_told_apart() {
    let named = |name: &str| object! { "call_id" => "1", "name" => name, "arguments" => "{}" };
    let calls = [named("f"), named("g")].map(|call| data(MessageType::FunctionCall, call));
    let messages = [&calls[..], &[answer("1", "of f"), answer("1", "of g")]].concat();
    check(
        &messages,
        r#"[{"role":"assistant","content":null,"tool_calls":[
              {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},
              {"id":"1_2","type":"function","function":{"name":"g","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"of f"},{"role":"tool","tool_call_id":"1_2","content":"of g"}]"#,
    );
}

fn reasoning(text: &str, name: Option<&str>) -> Message {
    let mut message = Message::new("m", MessageType::Reasoning);
    message.content = Some(vec![Content::text(text)]);
    message.metadata = name.map(|name| object! { REASONING_MEMBER => name });
    message
}

#[test]
fn to_openai__reasoning__goes_back_under_its_name() {
    let text = |text: &str| said(Role::Assistant, vec![Content::text(text)]);
    check(
        &[reasoning("r", None), call("1"), answer("1", "a"), reasoning("s", Some("reasoning")), text("t")],
        &format!(
            r#"[{{"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[{CALL_1}]}},{ANSWER_1},
            {{"role":"assistant","content":"t","reasoning":"s"}}]"#
        ),
    );
    // Between the text and the call of one answer.
    check(
        &[text("t"), reasoning("r", None), call("1"), answer("1", "a")],
        &format!(
            r#"[{{"role":"assistant","content":"t","reasoning_content":"r","tool_calls":[{CALL_1}]}},{ANSWER_1}]"#
        ),
    );
    check(
        &[reasoning("r", Some("content")), text("t")],
        r#"[{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"t"}]}]"#,
    );
    // Reasoning that led to nothing.
    check(&[reasoning("r", None), Message::user("u")], r#"[{"role":"user","content":"u"}]"#);
    check(&[reasoning("r", None), call("1"), Message::user("u")], r#"[{"role":"user","content":"u"}]"#);
}

#[test]
fn to_openai__attached_members_of_a_client__replace_nothing() {
    let members =
        object! { "role" => "user", "content" => vec![Json::from(1)], "tool_calls" => 1, "mine" => 2 };
    let mut text = said(Role::Assistant, vec![Content::text("t")]);
    text.metadata = Some(object! { "extra_members" => members.clone() });
    let mut called = call("1");
    if let ContentBody::Data { data: Some(data) } = &mut called.content.as_mut().unwrap()[0].body {
        data.insert("message_members".to_owned(), members.into());
        data.insert("extra_members".to_owned(), object! { "id" => 1, "index" => 1, "function" => 1 }.into());
    }
    check(
        &[text, Message::user("u"), reasoning("r", Some("role")), called, answer("1", "a")],
        &format!(
            r#"[{{"role":"assistant","content":"t","mine":2}},{{"role":"user","content":"u"}},
            {{"role":"assistant","content":null,"reasoning_content":"r","mine":2,"tool_calls":[{CALL_1}]}},{ANSWER_1}]"#
        ),
    );
}

#[test]
fn to_openai__media_in_outputs__follow_in_a_users_message() {
    let output = |id: &str, text: &str, image: &str| {
        let mut message = answer(id, text);
        message.content.as_mut().unwrap().push(Content::image(image));
        message
    };
    check(
        &[call("1"), call("2"), output("2", "", "http://2"), output("1", "a", "http://1")],
        &format!(
            r#"[{{"role":"assistant","content":null,"tool_calls":[{CALL_1},{CALL_2}]}},{ANSWER_1},
            {{"role":"tool","tool_call_id":"2","content":"The output follows in the next message."}},
            {{"role":"user","content":[
              {{"type":"text","text":"The output of f (1):"}},{{"type":"image_url","image_url":{{"url":"http://1"}}}},
              {{"type":"text","text":"The output of f (2):"}},{{"type":"image_url","image_url":{{"url":"http://2"}}}}]}}]"#
        ),
    );
    check(&[output("1", "a", "http://1")], "[]");
}

#[test]
fn to_openai__arguments__are_object_text() {
    let with = |arguments: Json| {
        let call = object! { "call_id" => "1", "name" => "f", "arguments" => arguments };
        let messages = to_openai_messages(&[data(MessageType::McpCall, call), answer("1", "a")]);
        let call = messages[0].get("tool_calls").unwrap().as_array().unwrap()[0].clone();
        call.get("function").unwrap().get("arguments").unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(with(Json::from(r#"{"q": 1}"#)), r#"{"q": 1}"#);
    assert_eq!(with(Json::Null), "{}");
    assert_eq!(with(Json::from("")), "{}");
    assert_eq!(with(Json::from("null")), "{}");
    assert_eq!(with(Json::from(object! { "q" => 1_i64 })), r#"{"q":1}"#);
    assert_eq!(with(Json::from(r#"{"q": "#)), r#"{"invalid_arguments":"{\"q\": "}"#);
}

#[test]
fn to_openai__texts__become_strings() {
    let refusal = Content::new(ContentBody::Refusal { refusal: Some("no".into()) });
    check(
        &[
            said(Role::System, vec![Content::text("be brief")]),
            said(
                Role::User,
                vec![Content::text("a"), Content::text("b"), Content::data(object! { "k" => 1_i64 })],
            ),
            said(Role::Assistant, vec![refusal, Content::image("http://x")]),
            said(Role::Assistant, vec![Content::image("http://x")]),
            said(Role::Tool, vec![Content::text("answers nothing")]),
        ],
        r#"[{"role":"system","content":"be brief"},
            {"role":"user","content":"a\nb\n{\"k\":1}"},
            {"role":"assistant","content":"no"}]"#,
    );
}

#[track_caller]
fn check_part(body: ContentBody, expected: &str) {
    let message = said(Role::User, vec![Content::text("see"), Content::new(body)]);
    check(
        &[message],
        &format!(r#"[{{"role":"user","content":[{{"type":"text","text":"see"}},{expected}]}}]"#),
    );
}

#[test]
fn to_openai__media__become_parts() {
    let some = |text: &str| Some(text.to_owned());
    check_part(
        ContentBody::Image { image_url: some("data:image/png;base64,AA") },
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}"#,
    );
    check_part(
        ContentBody::Video { video_url: some("http://x/a.mp4") },
        r#"{"type":"video_url","video_url":{"url":"http://x/a.mp4"}}"#,
    );
    for (data, format, bare, expected) in [
        ("AA", Some("mp3"), "AA", "mp3"),
        ("AA", None, "AA", "wav"),
        ("data:audio/mpeg;base64,AA", None, "AA", "mp3"),
        ("data:audio/x-wav;base64,AA", None, "AA", "wav"),
        ("data:;base64,AA", None, "AA", "wav"),
        ("AA", Some("audio/ogg"), "AA", "ogg"),
        ("https://x.org/a.mp3?b=c.d", None, "https://x.org/a.mp3?b=c.d", "mp3"),
        ("https://x.org/sound", None, "https://x.org/sound", "wav"),
    ] {
        check_part(
            ContentBody::Audio { data: some(data), format: format.and_then(some) },
            &format!(r#"{{"type":"input_audio","input_audio":{{"data":"{bare}","format":"{expected}"}}}}"#),
        );
    }
    let file =
        |file_url: Option<&str>, file_id: Option<&str>, filename: Option<&str>, file_data: Option<&str>| {
            ContentBody::File {
                file_url: file_url.and_then(some),
                file_id: file_id.and_then(some),
                filename: filename.and_then(some),
                file_data: file_data.and_then(some),
            }
        };
    check_part(file(None, Some("f1"), None, None), r#"{"type":"file","file":{"file_id":"f1"}}"#);
    check_part(
        file(None, None, Some("a.pdf"), Some("AA")),
        r#"{"type":"file","file":{"filename":"a.pdf","file_data":"AA"}}"#,
    );
    check_part(
        file(Some("data:text/plain;base64,AA"), None, None, None),
        r#"{"type":"file","file":{"filename":"file","file_data":"data:text/plain;base64,AA"}}"#,
    );
    check_part(file(Some("http://x/a.pdf"), None, None, None), r#"{"type":"text","text":"http://x/a.pdf"}"#);
}

#[test]
fn to_openai__tools__keep_all_members() {
    let tools: Vec<RequestTool> = serde_json::from_str(
        r#"[{"type":"web_search","options":{"a":1}},
            {"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object","properties":{},"required":[],"additionalProperties":false}}}]"#,
    )
    .unwrap();
    let ours = to_openai_tools(&tools).unwrap();
    assert_eq!(ours[0].to_string(), r#"{"type":"web_search","options":{"a":1}}"#);
    let function = ours[1].get("function").unwrap();
    assert_eq!(function.get("strict"), Some(&Json::Bool(true)));
    assert_eq!(function.get("parameters").unwrap().get("additionalProperties"), Some(&Json::Bool(false)));
}

#[test]
fn from_openai__conversation__round_trips() {
    let conversation = format!(
        r#"[{{"role":"system","content":"s"}},
            {{"role":"user","content":[{{"type":"text","text":"q"}},{{"type":"image_url","image_url":{{"url":"http://x"}}}},
              {{"type":"input_audio","input_audio":{{"data":"AA","format":"mp3"}}}},
              {{"type":"file","file":{{"filename":"a.pdf","file_data":"AA"}}}}]}},
            {{"role":"assistant","content":"let me","tool_calls":[{CALL_1},{CALL_2}]}},{ANSWER_1},{ANSWER_2},
            {{"role":"assistant","content":"done"}},
            {{"role":"assistant","content":"a","reasoning_content":"r","extra_content":{{"s":1}}}},
            {{"role":"assistant","content":[{{"type":"thinking","thinking":"r","signature":"S"}},{{"type":"text","text":"b"}}]}},
            {{"role":"user","content":"go on"}},
            {{"role":"assistant","content":null,"reasoning":"r","reasoning_details":[{{"data":"x"}}],"tool_calls":[
              {{"id":"1","type":"function","function":{{"name":"f","arguments":"{{}}","f":2}},"extra_content":{{"s":3}}}}]}},
            {ANSWER_1}]"#
    );
    let conversation = parse(&conversation);
    let read = |message| Message::from_openai_message(message, &SameId).unwrap();
    let messages: Vec<_> = conversation.as_array().unwrap().iter().flat_map(read).collect();
    assert_eq!(text(&to_openai_messages(&messages)), conversation.to_string());
}

#[test]
fn from_openai__reasoning_parts__are_parts_of_the_content() {
    let parts = r#"{"type":"thinking","thinking":"r","signature":"S"}"#;
    let message = format!(
        r#"{{"role":"assistant","content":"a","reasoning_content":"r","reasoning_member":"content","reasoning_parts":[{parts},{{"type":"text","text":"no"}}]}}"#
    );
    let messages = Message::from_openai_message(&parse(&message), &SameId).unwrap();
    let back = format!(r#"[{{"role":"assistant","content":[{parts},{{"type":"text","text":"a"}}]}}]"#);
    assert_eq!(text(&to_openai_messages(&messages)), parse(&back).to_string());
}

#[test]
fn to_openai__calls_of_one_message__are_joined_in_their_order() {
    let messages = [
        part_of_message("2", 1),
        answer("2", "b"),
        call("3"),
        answer("3", "c"),
        part_of_message("1", 0),
        answer("1", "a"),
    ];
    let conversation = to_openai_messages(&messages);
    let ids = |message: &Json| {
        let calls = message.get("tool_calls").and_then(Json::as_array).unwrap_or_default();
        calls.iter().map(|call| call.get("id").and_then(Json::as_str).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(conversation.iter().map(ids).collect::<Vec<_>>().concat(), ["1", "2", "3"]);
    check_accepted(&conversation);
    assert_eq!(conversation.len(), 5);
}

#[test]
fn from_openai__invalid_message__names_its_path() {
    let fault = |json: &str| Message::from_openai_message(&parse(json), &SameId).unwrap_err().to_string();
    assert!(fault(r#"{"content":"x"}"#).starts_with("role: "));
    assert!(fault(r#"{"role":"user"}"#).starts_with("content: "));
    assert!(fault(r#"{"role":"user","content":[{"type":"text"}]}"#).starts_with("content.0.text: "));
    assert!(fault(r#"{"role":"user","content":[{"type":"hologram"}]}"#).starts_with("content.0: "));
    let no_name = r#"{"role":"assistant","tool_calls":[{"id":"1","function":{"arguments":"{}"}}]}"#;
    assert!(fault(no_name).starts_with("tool_calls.0.function.name: "));
    assert!(fault(r#"{"role":"tool","content":"x"}"#).starts_with("tool_call_id: "));
    assert!(fault(r#"{"role":"tool","tool_call_id":"1","content":null}"#).starts_with("content: "));
    assert!(fault("7").starts_with("expected a message object"));
}

/// Few ids and many calls, so that all orders of calls and answers occur.
fn turn() -> impl Strategy<Value = Message> {
    let id = || proptest::sample::select(&["1", "2", "3"][..]);
    prop_oneof![
        id().prop_map(call),
        (id(), 0..3_usize).prop_map(|(id, index)| part_of_message(id, index)),
        id().prop_map(|id| answer(id, "a")),
        strategy::message(),
        Just(said(Role::Assistant, vec![Content::text("text")])),
        Just(Message::user("text")),
    ]
}

/// The rules by which model servers reject conversations.
fn check_accepted(messages: &[Json]) {
    let mut expected: Vec<String> = Vec::new();
    for message in messages {
        let role = message.get("role").and_then(Json::as_str).unwrap();
        let content = message.get("content").unwrap();
        if role == "tool" {
            let id = message.get("tool_call_id").and_then(Json::as_str).unwrap();
            assert!(content.as_str().is_some());
            assert!(!expected.is_empty() && expected.remove(0) == id, "an answer to no call: {message}");
            continue;
        }
        assert!(expected.is_empty(), "calls without answers before {message}");
        match role {
            "assistant" => {
                let calls = message.get("tool_calls").map_or(&[][..], |calls| calls.as_array().unwrap());
                assert!(!calls.is_empty() || content.as_str().is_some_and(|text| !text.is_empty()));
                let id = |call: &Json| call.get("id").and_then(Json::as_str).unwrap().to_owned();
                expected = calls.iter().map(id).collect();
                assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), expected.len());
            }
            "user" => {
                assert!(content.as_str().is_some() || content.as_array().is_some_and(|p| !p.is_empty()))
            }
            "system" => assert!(content.as_str().is_some()),
            other => panic!("{other}"),
        }
    }
    assert!(expected.is_empty(), "calls without answers at the end");
}

proptest! {
    #[test]
    fn to_openai__any_conversation__is_accepted(messages in proptest::collection::vec(turn(), 0..12)) {
        check_accepted(&to_openai_messages(&messages));
    }

    #[test]
    fn from_openai__any_json__does_not_panic(message in strategy::json(), members in strategy::object(), role in "assistant|tool|user") {
        let _ = Message::from_openai_message(&message, &SameId);
        let mut members = members;
        members.insert("role".into(), Json::from(role));
        for key in ["content", "tool_calls", "tool_call_id"] {
            members.insert(key.into(), message.clone());
        }
        let _ = Message::from_openai_message(&Json::from(members), &SameId);
        let choice = object! { "delta" => message.clone() };
        let chunk = object! { "choices" => vec![Json::from(choice)] };
        let _ = content_from_chat_completion_chunk(&Json::from(chunk), None);
        let _ = content_from_chat_completion_chunk(&message, None);
    }
}
