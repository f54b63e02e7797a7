//! Data that stores of older layouts wrote and current ones can still read. `redis/layout_1.json` and `sqlite/schema_3.sql`
//! are the results of the same calls in stores of these layouts.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, Json, Message, RunId, SessionId, Status, UserId, object};
use agent_services::memory::{MemoryQuery, MemoryStore};
use agent_services::page::PageSize;
use agent_services::run::{
    Batch, Created, FinishRun, IdempotencyKey, NewRun, OwnerId, Retention, RunFilter, RunRecord, RunStore,
    tag,
};
use agent_services::session::{MessageBatch, SessionStore};
use agent_services::state::StateStore;

/// The stores of one place.
pub(crate) struct OldStores<'a> {
    pub(crate) sessions: &'a dyn SessionStore,
    pub(crate) states: &'a dyn StateStore,
    pub(crate) memories: &'a dyn MemoryStore,
    pub(crate) runs: &'a dyn RunStore,
}

/// The data was written at a fixed time, and must be kept whenever the tests run.
pub(crate) const FOR_EVER: Retention =
    Retention { age: Duration::from_secs(100 * 366 * 24 * 60 * 60), bytes: 1 << 30 };

/// Two plain users, and two whose ids are encoded in keys.
const USERS: [&str; 4] = ["ann", "bob", "a:{b} é", ""];

fn run_id(user: &UserId, number: usize) -> RunId {
    RunId::new(format!("run_{number:048x}{}", tag(user)))
}

fn new_run(user: &UserId, number: usize) -> NewRun {
    let request = AgentRequest::new(vec![Message::user(format!("question {number}"))]);
    let record = RunRecord::new(
        run_id(user, number),
        user.clone(),
        SessionId::new("s"),
        "agent",
        7,
        Arc::new(request),
    );
    NewRun::new(record, batch(0, 2), OwnerId::new("old"))
}

fn batch(first: u64, count: u64) -> Batch {
    let frames: String =
        (first..first + count).map(|entry| format!("data: {{\"entry\":{entry}}}\n\n")).collect();
    Batch { first, count, frames: frames.into() }
}

fn key(number: usize) -> Option<IdempotencyKey> {
    Some(IdempotencyKey::new(format!("key {number}"), "print"))
}

/// Checks all data of [`USERS`], and that it can be used as before.
pub(crate) async fn check(stores: &OldStores<'_>) {
    for id in USERS {
        let user = UserId::new(id);
        check_sessions(stores.sessions, &user).await;
        check_states(stores.states, &user).await;
        let found = stores.memories.search(&user, &MemoryQuery::new("tea")).await.expect("searched");
        let found: Vec<String> = found.iter().map(|found| found.memory.message.full_text()).collect();
        assert_eq!(found, ["likes green tea"], "{id}");
        check_runs(stores.runs, &user).await;
    }
}

async fn check_sessions(sessions: &dyn SessionStore, user: &UserId) {
    let s = SessionId::new("s");
    let listed = sessions.list(user, None, PageSize::default()).await.expect("listed").items;
    let ids: Vec<&str> = listed.iter().map(|info| info.id.as_str()).collect();
    assert_eq!(ids, ["t:{u}", "s"], "{user}");
    assert_eq!((listed[1].title.as_deref(), &listed[1].metadata), (Some("title"), &object! { "a" => 1 }));
    let messages =
        sessions.messages(user, &s, 0, PageSize::default()).await.expect("read").expect("a session");
    let texts: Vec<String> = messages.iter().map(|stored| stored.message.full_text()).collect();
    assert_eq!(texts, ["one", "two"], "{user}");
    let mut again = MessageBatch::of(&[Message::user("one")]).expect("JSON");
    again.key = Some("batch".to_owned());
    assert_eq!(sessions.append(user, &s, again).await.expect("known").count, 0, "the batch key is known");
    let more = MessageBatch::of(&[Message::user("three")]).expect("JSON");
    assert_eq!(sessions.append(user, &s, more).await.expect("appended").first, 2);
    let new = sessions.create(user, Some(&SessionId::new("new"))).await.expect("made");
    assert!(new.number > listed[0].number, "{user}");
}

async fn check_states(states: &dyn StateStore, user: &UserId) {
    let s = SessionId::new("s");
    let last = states.export(user, &s, None).await.expect("exported");
    assert_eq!(last, Some((2, Json::from("second"))), "{user}");
    let first = states.export(user, &s, Some(1)).await.expect("exported");
    assert_eq!(first, Some((1, Json::from("first"))), "{user}");
    assert_eq!(states.save(user, &s, None, &Json::Null).await.expect("saved"), 3, "{user}");
}

async fn check_runs(runs: &dyn RunStore, user: &UserId) {
    let id = |number| run_id(user, number);
    let listed =
        runs.list(user, &RunFilter::default(), None, PageSize::default()).await.expect("listed").items;
    let expected =
        [(3, Status::Queued), (2, Status::InProgress), (1, Status::Completed), (0, Status::Completed)];
    let found: Vec<_> = listed.iter().map(|record| (record.id.clone(), record.status.clone())).collect();
    assert_eq!(found, expected.map(|(number, status)| (id(number), status)), "{user}");
    assert_eq!(listed[0].request.last_user_text(), "question 3");
    assert_eq!((listed[3].first_entry, listed[3].entries), (4, 5), "{user}");
    for (number, from) in [(0, 4), (1, 0)] {
        let chunk = runs.read(&id(number), from, usize::MAX).await.expect("read").expect("a log");
        assert!(chunk.is_end && chunk.batches.last().map(Batch::end) == Some(5), "{user}: {chunk:?}");
    }
    for number in 0..4 {
        let again = new_run(user, 9).with_key(key(number));
        assert_eq!(runs.create(again).await.expect("known"), Created::Repeated(id(number)), "{user}");
    }
    // The process that executed it is gone, and its session goes to the queued run.
    let orphans = runs.orphans(PageSize::new(100).expect("a size")).await.expect("found");
    assert!(orphans.contains(&id(2)) && !orphans.contains(&id(3)), "{user}: {orphans:?}");
    let new = OwnerId::new("new");
    runs.heartbeat(&new, Duration::from_secs(60)).await.expect("a lease");
    let token = runs.take_over(&id(2), &new).await.expect("taken over").expect("an orphan");
    let end = FinishRun::new(id(2), token, batch(2, 1), Status::Incomplete).with_next(Some(new.clone()));
    let grant = runs.finish(end).await.expect("finished").granted.expect("the next one");
    assert_eq!(grant.id, id(3));
    runs.finish(FinishRun::new(grant.id, grant.token, batch(2, 1), Status::Completed))
        .await
        .expect("finished");
    assert!(runs.delete(&id(1)).await.expect("deleted"), "{user}");
    assert_eq!(runs.sweep().await.expect("swept"), 0, "nothing is old");
}
