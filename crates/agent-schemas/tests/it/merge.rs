//! Merges: the answer does not depend on the split; and output of servers and agents that no recording has.

use agent_schemas::merge::{MergeError, merge_agent_messages, merge_agent_responses};
use agent_schemas::{
    Content, ContentBody, ErrorBody, Event, Fold, Message, MessageType, Role, Status, object,
};
use proptest::prelude::*;

use crate::fold::{chunks, log};
use crate::strategy;
use crate::support::SameId;

fn part(text: &str) -> Content {
    let mut content = Content::text(text);
    content.delta = Some(true);
    content.in_progress();
    content
}

fn message(id: &str, contents: Option<Vec<Content>>) -> Message {
    let mut message = Message::new(id, MessageType::Message);
    message.role = Some(Role::Assistant);
    message.content = contents;
    message.in_progress();
    message
}

fn texts(message: &Message) -> Vec<&str> {
    message.contents().iter().filter_map(Content::as_text).collect()
}

proptest! {
    #[test]
    fn merge__whole_log__equals_fold(
        text in any::<String>(),
        arguments in any::<String>(),
        cuts in proptest::collection::vec(any::<usize>(), 0..6),
        closing_events in any::<bool>(),
    ) {
        let events = log(&chunks(&text, &cuts), &chunks(&arguments, &cuts), closing_events);
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event));
        let merged = merge_agent_responses(&events, &SameId, 7).unwrap();
        prop_assert_eq!(&Some(merged), &fold.response());
        let whole = log(&[&text], &[&arguments], closing_events);
        let bodies = |events: &[Event]| -> Vec<ContentBody> {
            let message = merge_agent_messages(events, &SameId).unwrap();
            message.contents().iter().map(|content| content.body.clone()).collect()
        };
        prop_assert_eq!(bodies(&events), bodies(&whole));
    }

    #[test]
    fn merge__deltas_in_messages__equal_bare_deltas(
        text in any::<String>(),
        cuts in proptest::collection::vec(any::<usize>(), 0..6),
    ) {
        let pieces: Vec<Event> =
            chunks(&text, &cuts).into_iter().map(|piece| message("msg_1", Some(vec![part(piece)])).into()).collect();
        let merged = merge_agent_messages(&pieces, &SameId).unwrap();
        prop_assert_eq!(merged.text_content(), Some(&*text));
    }

    #[test]
    fn merge__any_events__succeeds(events in proptest::collection::vec(strategy::event(), 0..6)) {
        let known = events.iter().any(|event| !matches!(event, Event::Other(_)));
        prop_assert_eq!(merge_agent_responses(&events, &SameId, 7).is_ok(), known);
        let message = merge_agent_messages(&events, &SameId);
        prop_assert!(message.is_ok_and(|message| !message.id.is_empty()) || !events.iter().any(is_of_message));
    }
}

fn is_of_message(event: &Event) -> bool {
    matches!(event, Event::Message(_) | Event::Content(_))
}

#[test]
fn merge__nothing_known__is_refused() {
    let unknown = [Event::Other(object! { "object" => "news" }.into())];
    assert_eq!(merge_agent_responses(&unknown, &SameId, 7), Err(MergeError::EmptyResponseList));
    assert_eq!(merge_agent_messages(&unknown, &SameId), Err(MergeError::EmptyMessageList));
}

#[test]
fn merge__contents_without_index__continue_then_replace() {
    let mut whole = Content::text("Hello");
    whole.delta = None;
    whole.completed();
    let mut next = Content::text("again");
    next.completed();
    let events: Vec<Event> =
        [part("He"), part("l"), whole, next, Content::image("u")].map(Event::from).into();
    let message = merge_agent_messages(&events, &SameId).unwrap();
    assert_eq!(texts(&message), ["Hello", "again"]);
    assert_eq!(message.images().collect::<Vec<_>>(), ["u"]);
    let places: Vec<_> = message.contents().iter().map(|c| (c.index, c.msg_id.as_deref())).collect();
    assert_eq!(places, [(Some(0), Some("msg_1")), (Some(1), Some("msg_1")), (Some(2), Some("msg_1"))]);
}

#[test]
fn merge__delta_of_other_type__is_kept_separately() {
    let mut data = Content::data(object! { "a" => 1 });
    (data.delta, data.index, data.msg_id) = (Some(true), Some(0), Some("m".into()));
    let mut text = data.clone();
    text.body = ContentBody::Text { text: Some("x".into()) };
    let merged = merge_agent_messages(&[data.into(), text.into()], &SameId).unwrap();
    let types: Vec<_> = merged.contents().iter().map(|c| (c.index, c.body.type_name())).collect();
    assert_eq!(types, [(Some(0), "data"), (Some(1), "text")]);
}

#[test]
fn merge__message_errors_and_usage__reach_the_response() {
    let mut first = message("m1", Some(vec![Content::text("a")]));
    first.usage = Some(object! { "tokens" => 2 });
    first.completed();
    let mut second = message("m2", Some(vec![Content::text("b")]));
    second.usage = Some(object! { "tokens" => 3 });
    second.failed(ErrorBody::new("c", "broken"));
    let merged = merge_agent_responses(&[first.into(), second.into()], &SameId, 7).unwrap();
    assert_eq!(merged.status, Status::Failed);
    assert_eq!(merged.error.map(|error| error.message), Some("broken".to_owned()));
    assert_eq!(merged.usage, Some(object! { "tokens" => 5 }));
    assert_eq!(merged.output.unwrap().iter().flat_map(texts).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn merge__failed_content__fails_the_response() {
    let mut failed = part("a");
    failed.failed(ErrorBody::new("c", "broken"));
    let merged = merge_agent_responses(&[failed.into()], &SameId, 7).unwrap();
    assert_eq!((merged.status, merged.error.unwrap().message), (Status::Failed, "broken".to_owned()));
    assert_eq!(merged.output.unwrap().iter().flat_map(texts).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn merge__closed_messages__precede_open_ones() {
    let opened = message("m1", Some(vec![part("still")]));
    let mut closed = message("m2", None);
    closed.completed();
    let events = [opened.into(), closed.into()];
    let merged = merge_agent_responses(&events, &SameId, 7).unwrap();
    let ids: Vec<_> = merged.messages().iter().map(|message| &*message.id).collect();
    assert_eq!(ids, ["m2", "m1"]);
}

#[test]
fn merge__messages_without_ids__stay_separate() {
    let mut response = agent_schemas::AgentResponse::new("r", 1);
    let message = |text: &str| message("", Some(vec![Content::text(text)]));
    response.output = Some(vec![message("a"), message("b")]);
    response.completed(2);
    let merged = merge_agent_responses(&[response.into()], &SameId, 7).unwrap();
    assert_eq!(merged.messages().iter().flat_map(texts).collect::<Vec<_>>(), ["a", "b"]);
    assert!(merged.messages().iter().all(|message| message.id == "msg_1"));
}

#[test]
fn merge__many_contents__succeeds() {
    let at = |index: i64| {
        let mut content = part("x");
        content.index = Some(index);
        content.msg_id = Some("msg_1".into());
        Event::Content(content)
    };
    let events: Vec<Event> = (0..50_000).chain(0..50_000).map(at).collect();
    let merged = merge_agent_messages(&events, &SameId).unwrap();
    assert_eq!(merged.contents().len(), 50_000);
    assert!(texts(&merged).iter().all(|text| *text == "xx"));
}

#[test]
fn merge__many_types_at_one_index__are_kept() {
    let at = |body: ContentBody| {
        let mut content = Content::new(body);
        content.delta = Some(true);
        content.index = Some(0);
        content.msg_id = Some("msg_1".into());
        Event::Content(content)
    };
    let refusal = || ContentBody::Refusal { refusal: Some("no".into()) };
    let text = at(ContentBody::Text { text: Some("yes".into()) });
    let events: Vec<Event> = std::iter::once(text).chain((0..50_000).map(|_| at(refusal()))).collect();
    let merged = merge_agent_messages(&events, &SameId).unwrap();
    let last = merged.contents().last().unwrap();
    assert_eq!((merged.contents().len(), last.index), (50_001, Some(50_000)));
}
