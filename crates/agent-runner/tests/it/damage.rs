//! Runs with unreadable stored data: they end, and hand their session on.

use std::sync::Arc;

use agent_runner::agents::Echo;
use agent_runner::{Runner, Services};
use agent_schemas::{AgentRequest, Event, Message, RunId, SessionId, Status, UserId};
use agent_services::clock::SystemIds;
use agent_services::run::{Batch, Created, NewRun, OwnerId, RunRecord, fresh_id};

use crate::support::collect;

fn entry(frame: &str) -> Batch {
    Batch { first: 0, count: 1, frames: frame.as_bytes().to_vec().into() }
}

fn created() -> Batch {
    entry(concat!(
        r#"id: 0"#,
        "\n",
        r#"data: {"sequence_number":0,"object":"response","status":"created","error":null,"id":"response_1","created_at":7,"completed_at":null,"output":null,"usage":null,"session_id":"s"}"#,
        "\n\n"
    ))
}

/// A run of a dead process.
async fn leave_behind(services: &Services, first: Batch, damage: Option<&str>) -> RunId {
    let user = UserId::new("u");
    let id = fresh_id(&SystemIds, &user);
    let request = Arc::new(AgentRequest::new(vec![Message::user("hi")]));
    let mut record = RunRecord::new(id.clone(), user, SessionId::new("s"), "echo", 7, request);
    record.damage = damage.map(str::to_owned);
    let created = services.runs.create(NewRun::new(record, first, OwnerId::new("gone"))).await.expect("made");
    assert!(matches!(created, Created::Started(_) | Created::Queued { .. }));
    id
}

#[tokio::test]
async fn recovery__record_or_log_is_unreadable__run_fails_and_the_queue_moves() {
    let services = Services::in_memory();
    let unreadable = [
        leave_behind(&services, created(), Some("the request: id: expected a string")).await,
        leave_behind(&services, entry("id: 0\ndata: {nonsense\n\n"), None).await,
        // It is queued, and read for the first time when its turn comes.
        leave_behind(&services, created(), Some("the request: unreadable")).await,
    ];
    let readable = leave_behind(&services, created(), None).await;
    let runner = Runner::builder().agent("echo", Echo::default()).services(services.clone());
    let runner = runner.build().expect("built");
    runner.watch().await.expect("watching");
    let run = runner.attach(&readable).await.expect("readable").expect("there");
    assert_eq!(run.response().await.expect("readable").status, Status::Completed);
    for id in &unreadable {
        let record = runner.record(id).await.expect("readable").expect("there");
        assert_eq!(record.status, Status::Failed, "{id}");
        let run = runner.attach(id).await.expect("readable").expect("there");
        let events = collect(run.cursor(record.entries - 1)).await;
        let [Event::Response(last)] = &events[..] else { panic!("{events:?}") };
        let error = last.error.as_ref().expect("an error");
        assert_eq!((error.code.as_str(), &last.status), ("RUN_DAMAGED", &Status::Failed));
    }
}
