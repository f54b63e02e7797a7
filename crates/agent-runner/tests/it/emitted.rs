//! Events that an agent makes itself.

use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{Content, Event, Json, JsonObject, Message, MessageType, Role, Status, object};

use crate::support::log_of;

fn own(members: JsonObject) -> Event {
    Event::Other(Json::from(members))
}

#[tokio::test]
async fn emit__event_of_own_kind__is_passed_on_as_it_is() {
    let agent = agent_fn(|run: RunHandle| async move {
        run.emit(own(object! { "b" => "ü\u{2028}\n", "object" => "progress", "sequence_number" => 77, "a" => Json::Null }));
        run.say("Hello!");
        // The kinds of the protocol are the server's, and without a kind nobody knows what it is.
        for object in ["response", "message", "content", ""] {
            run.emit(own(object! { "object" => object, "status" => "completed" }));
        }
        run.emit(own(object! { "status" => "completed" }));
        run.emit(Event::Other(Json::from("text")));
        Ok(())
    });
    let log = log_of(agent, "hi").await;
    let others: Vec<&Event> = log.iter().filter(|event| matches!(event, Event::Other(_))).collect();
    let members =
        object! { "sequence_number" => 2, "b" => "ü\u{2028}\n", "object" => "progress", "a" => Json::Null };
    assert_eq!(others, [&own(members)]);
    for (number, event) in (0..).zip(&log) {
        assert_eq!(event.sequence_number(), Some(number), "numbers have no gaps");
    }
    let Some(Event::Response(response)) = log.last() else { panic!("the log has no end") };
    assert_eq!((response.status.clone(), response.messages().len()), (Status::Completed, 1));
}

#[tokio::test]
async fn emit__content_of_closed_message__changes_nothing() {
    let agent = agent_fn(|run: RunHandle| async move {
        let mut message = Message::new("m", MessageType::Message);
        (message.role, message.status) = (Some(Role::Assistant), Status::Completed);
        message.content = Some(vec![Content::text("whole")]);
        run.emit(message);
        let mut late = Content::text("late");
        (late.msg_id, late.index) = (Some("m".to_owned()), Some(0));
        run.emit(late);
        Ok(())
    });
    let log = log_of(agent, "hi").await;
    let Some(Event::Response(response)) = log.last() else { panic!("the log has no end") };
    assert_eq!(response.messages()[0].full_text(), "whole");
    assert!(!log.iter().any(|event| format!("{event:?}").contains("late")));
}
