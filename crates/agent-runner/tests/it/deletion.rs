//! Deleting sessions and users: their runs stop first, and no store keeps any of their data.

use std::time::Duration;

use agent_runner::agents::Echo;
use agent_runner::{Deleted, Run, RunHandle, RunOptions, Runner, Services, agent_fn};
use agent_schemas::{AgentRequest, Json, Message, RunId, SessionId, UserId};
use agent_services::page::PageSize;
use agent_services::run::{Batch, Created, NewRun, OwnerId, RunFilter, RunRecord, fresh_id};

use crate::support::{collect, outline, runner};

fn request(user: &str, session: &str) -> AgentRequest {
    let mut request = AgentRequest::new(vec![Message::user("hi")]);
    request.session_id = Some(session.to_owned());
    request.user_id = Some(user.to_owned());
    request
}

fn names() -> (UserId, SessionId) {
    (UserId::new("u"), SessionId::new("s"))
}

async fn start(runner: &Runner, user: &str, session: &str) -> Run {
    runner.start(request(user, session), RunOptions::default()).await.expect("started")
}

/// A runner whose agent writes a word and then waits until it is cancelled.
fn patient() -> Runner {
    runner(agent_fn(|run: RunHandle| async move {
        run.say("hm");
        run.cancelled().await;
        Ok(())
    }))
}

async fn runs_of(services: &Services, user: &str) -> Vec<RunId> {
    let filter = RunFilter::default();
    let page = services.runs.list(&UserId::new(user), &filter, None, PageSize::default()).await;
    page.expect("listed").items.into_iter().map(|record| record.id).collect()
}

#[tokio::test(start_paused = true)]
async fn delete_session__with_unfinished_runs__ends_them_first() {
    let runner = patient();
    let first = start(&runner, "u", "s").await;
    let second = start(&runner, "u", "s").await;
    let other = start(&runner, "u", "other").await;
    let read = [first.cursor(0), second.cursor(0)];
    let (user, session) = names();
    let deleted = runner.delete_session(&user, &session).await.expect("deleted");
    assert_eq!((deleted.runs, deleted.sessions), (2, 1), "the first run had left what was said");
    let [first_read, second_read] = read;
    assert_eq!(outline(&collect(first_read).await).pop().as_deref(), Some("response canceled"));
    drop(second_read);
    assert_eq!(runs_of(runner.services(), "u").await, [other.id().clone()]);
    assert_eq!(runner.services().sessions.get(&user, &session).await.expect("readable"), None);
    assert_eq!(runner.delete_session(&user, &session).await.expect("repeated"), Deleted::default());
}

#[tokio::test]
async fn delete_user__with_data_in_every_store__leaves_nothing_and_touches_nobody_else() {
    let runner = runner(Echo::default());
    let services = runner.services().clone();
    for name in ["u", "v"] {
        let (user, session) = (UserId::new(name), SessionId::new("s"));
        start(&runner, name, "s").await.response().await.expect("ended");
        start(&runner, name, "t").await.response().await.expect("ended");
        services.states.save(&user, &session, None, &Json::from(1)).await.expect("saved");
        services.memories.add(&user, &session, vec![Message::user("tea")]).await.expect("added");
    }
    let user = UserId::new("u");
    let deleted = runner.delete_user(&user).await.expect("deleted");
    assert_eq!((deleted.runs, deleted.sessions, deleted.states, deleted.memories), (2, 2, 1, 1));
    assert_eq!(runner.delete_user(&user).await.expect("repeated"), Deleted::default());
    for (name, kept) in [("u", 0), ("v", 1)] {
        let (user, session) = (UserId::new(name), SessionId::new("s"));
        assert_eq!(runs_of(&services, name).await.len(), 2 * kept);
        let sessions = services.sessions.list(&user, None, PageSize::default()).await.expect("listed");
        assert_eq!(sessions.items.len(), 2 * kept);
        let state = services.states.export(&user, &session, None).await.expect("readable");
        assert_eq!(usize::from(state.is_some()), kept);
        let memories = services.memories.list(&user, None, None, PageSize::default()).await.expect("listed");
        assert_eq!(memories.items.len(), kept);
    }
}

/// Its process is dead, so nobody receives the cancellation.
#[tokio::test(start_paused = true)]
async fn delete_session__with_a_run_of_a_dead_process__deletes_it_after_the_grace_period() {
    let services = Services::in_memory();
    let (user, session) = names();
    let id = fresh_id(&*services.ids, &user);
    let request = std::sync::Arc::new(request("u", "s"));
    let record = RunRecord::new(id.clone(), user.clone(), session.clone(), "agent", 7, request);
    let dead = OwnerId::new("dead");
    services.runs.heartbeat(&dead, Duration::from_secs(1 << 30)).await.expect("it lived");
    let created = services.runs.create(NewRun::new(record, Batch::empty(0), dead)).await.expect("created");
    assert!(matches!(created, Created::Started(_)));
    let grace = Duration::from_secs(5);
    let deleted = agent_runner::delete_session(&services, &user, &session, grace).await.expect("deleted");
    assert_eq!(deleted.runs, 1);
    assert_eq!(services.runs.get(&id).await.expect("readable"), None);
}

#[tokio::test(start_paused = true)]
async fn agent__whose_run_was_deleted__is_cancelled() {
    let runner = patient();
    let run = start(&runner, "u", "s").await;
    let (user, session) = names();
    assert_eq!(runner.services().runs.delete_session(&user, &session).await.expect("deleted"), 1);
    drop(run);
    runner.close();
    runner.drained().await;
    assert_eq!(runner.services().sessions.get(&user, &session).await.expect("readable"), None);
}
