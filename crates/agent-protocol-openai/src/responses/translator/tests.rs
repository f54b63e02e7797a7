//! Logs that the server itself never writes.

use agent_schemas::{AgentResponse, object};
use agent_schemas::{Content, ContentBody, ErrorBody, Event, Message, MessageType, Role, RunId, Status, sse};

use super::*;
use agent_server::protocol::Translation;

fn response(status: Status) -> Event {
    let mut response = AgentResponse::new("response_1", 7);
    response.status = status;
    response.into()
}

fn message(id: &str, kind: MessageType, status: Status) -> Event {
    let mut message = Message::new(id, kind);
    (message.role, message.status) = (Some(Role::Assistant), status);
    message.into()
}

fn content(id: &str, body: ContentBody, status: Status) -> Event {
    let mut content = Content::new(body);
    content.delta = Some(!status.is_final());
    (content.index, content.msg_id, content.status) = (Some(0), Some(id.to_owned()), Some(status));
    content.into()
}

fn text(text: &str) -> ContentBody {
    ContentBody::Text { text: Some(text.to_owned()) }
}

/// A log that ends in the middle of a text, with a call beside it.
fn half_a_log() -> Vec<Event> {
    let call = object! { "call_id" => "c", "name" => "f", "arguments" => "{" };
    let mut events = vec![
        response(Status::Created),
        response(Status::InProgress),
        message("msg_1", MessageType::Message, Status::InProgress),
        content("msg_1", text("half"), Status::InProgress),
        message("msg_2", MessageType::FunctionCall, Status::InProgress),
        content("msg_2", ContentBody::Data { data: Some(call) }, Status::InProgress),
        content("msg_1", text(" a \"text\"\u{2028}"), Status::InProgress),
    ];
    number(&mut events);
    events
}

fn number(events: &mut [Event]) {
    for (number, event) in (0..).zip(events) {
        event.set_sequence_number(number);
    }
}

fn translator() -> Responses {
    let declared = DeclaredTools::of_objects(&[object! { "type" => "function", "name" => "f" }]);
    let echoed = EchoedSettings { declared, ..EchoedSettings::default() };
    Responses::new(&RunId::new("run_1"), echoed, Form::Plain)
}

fn data(id: &str, data: agent_schemas::JsonObject, status: Status) -> Event {
    content(id, ContentBody::Data { data: Some(data) }, status)
}

fn frames_of(translator: &mut Responses, events: &[Event]) -> String {
    let mut frames = FrameWriter::new();
    events.iter().for_each(|event| translator.on_event(event, &mut frames));
    String::from_utf8(frames.take().to_vec()).expect("text")
}

/// The names of the frames' events.
fn names(frames: &str) -> Vec<&str> {
    frames.lines().filter_map(|line| line.strip_prefix("event: response.")).collect()
}

#[test]
fn abort__open_items__are_closed() {
    let mut translator = translator();
    frames_of(&mut translator, &half_a_log());
    let mut frames = FrameWriter::new();
    let error = ErrorBody::new("RUN_INTERRUPTED", "gone");
    translator.on_abort(&error, &mut frames);
    let frames = String::from_utf8(frames.take().to_vec()).expect("text");
    assert_eq!(
        names(&frames),
        [
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "function_call_arguments.done",
            "output_item.done",
            "failed"
        ]
    );
    assert!(frames.ends_with("data: [DONE]\n\n"));
    assert_eq!(translator.response.status, ResponseStatus::Failed);
    assert_eq!(translator.response.error.as_ref().map(|error| error.message.as_str()), Some("gone"));
}

#[test]
fn translator__raw_events__give_same_frames_as_decoded() {
    let mut events = half_a_log();
    let mut closed = Message::new("msg_1", MessageType::Message);
    (closed.role, closed.status) = (Some(Role::Assistant), Status::Completed);
    closed.content = Some(vec![Content::text("half")]);
    closed.metadata = Some(object! { "finish_reason" => "length" });
    let mut told = Message::new("msg_3", MessageType::Error);
    (told.status, told.content) = (Status::Completed, Some(vec![Content::text("slow")]));
    let mut ended = AgentResponse::new("response_1", 7);
    (ended.status, ended.usage) = (Status::Completed, Some(object! { "input_tokens" => 3 }));
    ended.output = Some(vec![closed.clone()]);
    events.extend([
        content("msg_1", text("half a \"text\"\u{2028}!"), Status::Completed),
        closed.into(),
        told.into(),
        ended.into(),
    ]);
    number(&mut events);
    let decoded = frames_of(&mut translator(), &events);
    let (mut translation, mut frames) = (Translation::new(translator()), FrameWriter::new());
    for event in &events {
        let mut json = Vec::new();
        sse::write_json(&mut json, event).expect("JSON");
        translation.on_entry(&json, &mut frames).expect("an event");
    }
    assert_eq!(String::from_utf8(frames.take().to_vec()).expect("text"), decoded);
    assert!(translation.on_entry(br#"{"object":"content","type":"text","index":"x"}"#, &mut frames).is_err());
}

#[test]
fn translator__restarted_run__continues_the_stream() {
    let mut events = half_a_log();
    events.extend([
        content("msg_1", text("half a \"text\"\u{2028}"), Status::Incomplete),
        message("msg_1", MessageType::Message, Status::Incomplete),
        message("msg_2", MessageType::FunctionCall, Status::Incomplete),
        response(Status::InProgress),
        message("msg_3", MessageType::Message, Status::InProgress),
        content("msg_3", text("whole"), Status::Completed),
        message("msg_3", MessageType::Message, Status::Completed),
        response(Status::Completed),
    ]);
    number(&mut events);
    let mut translator = translator();
    let frames = frames_of(&mut translator, &events);
    let names = names(&frames);
    assert_eq!(names.iter().filter(|name| **name == "in_progress").count(), 1);
    assert_eq!(names.last(), Some(&"completed"));
    let statuses = translator.response.output.iter().map(|item| match item {
        agent_schemas::responses::ResponseItem::Message(item) => item.status.to_string(),
        agent_schemas::responses::ResponseItem::FunctionCall(item) => item.status.to_string(),
        _ => String::new(),
    });
    assert_eq!(statuses.collect::<Vec<_>>(), ["incomplete", "incomplete", "completed"]);
}

#[test]
fn translator__resumed_position__skips_sent_frames() {
    let events = half_a_log();
    let whole = frames_of(&mut translator(), &events);
    let frames: Vec<&str> = whole.split_inclusive("\n\n").collect();
    for had in 0..frames.len() {
        let rest = frames_of(&mut translator().after(had as u64), &events);
        assert_eq!(rest, frames[had + 1..].concat(), "after {had}");
    }
}

#[test]
fn call__late_name__is_shown_when_complete() {
    for (name, kind) in [("f", "function_call"), ("g", "mcp_call")] {
        let mut events = vec![
            response(Status::Created),
            message("msg_1", MessageType::FunctionCall, Status::InProgress),
            data("msg_1", object! { "call_id" => "c", "arguments" => "{" }, Status::InProgress),
            data("msg_1", object! { "name" => name, "arguments" => "}" }, Status::InProgress),
            data(
                "msg_1",
                object! { "call_id" => "c", "name" => name, "arguments" => "{}" },
                Status::Completed,
            ),
            message("msg_1", MessageType::FunctionCall, Status::Completed),
            response(Status::Completed),
        ];
        number(&mut events);
        let frames = frames_of(&mut translator(), &events);
        assert!(frames.contains(&format!(r#""delta":"{}""#, "{}")), "{frames}");
        assert!(frames.contains(&format!(r#""type":"{kind}""#)), "{frames}");
        assert_eq!(frames.contains(r#""type":"function_call""#), kind == "function_call");
    }
}

#[test]
fn output__before_the_end_of_its_call__completes_it() {
    let call =
        |status| data("msg_1", object! { "call_id" => "c", "name" => "g", "arguments" => "{}" }, status);
    let mut output = Message::new("msg_2", MessageType::FunctionCallOutput);
    output.status = Status::Completed;
    output.content = Some(vec![Content::data(object! { "call_id" => "c", "output" => "out" })]);
    let mut events = vec![
        response(Status::Created),
        message("msg_1", MessageType::FunctionCall, Status::InProgress),
        call(Status::InProgress),
        output.into(),
        call(Status::Completed),
        message("msg_1", MessageType::FunctionCall, Status::Completed),
        response(Status::Completed),
    ];
    number(&mut events);
    let frames = frames_of(&mut translator(), &events);
    let expected = [
        "created",
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names(&frames), expected);
    assert!(frames.contains(r#""output":"out""#), "{frames}");
}

#[test]
fn output__of_an_earlier_responses_call__is_an_item_of_its_own() {
    let output = |id: &str, kind| {
        let mut output = Message::new(id, kind);
        output.status = Status::Completed;
        let data = object! { "call_id" => "c", "name" => "pay", "output" => "paid" };
        output.content = Some(vec![Content::data(data)]);
        Event::from(output)
    };
    let mut events = vec![
        response(Status::Created),
        output("msg_1", MessageType::PluginCallOutput),
        // A client's tool has another output in the client's own request.
        output("msg_2", MessageType::FunctionCallOutput),
        response(Status::Completed),
    ];
    number(&mut events);
    let frames = frames_of(&mut translator(), &events);
    let expected = [
        "created",
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names(&frames), expected);
    assert!(frames.contains(r#""name":"pay""#) && frames.contains(r#""output":"paid""#), "{frames}");
}
