//! The data that agents keep: states of sessions, and memories of users.

use std::sync::Arc;

use agent_runner::{Agent, AgentError, PageSize, Recovery, RunHandle, Runner, ServiceErrorKind, agent_fn};
use agent_schemas::{AgentRequest, Message, Status};

/// Runs one request of a user in a session, and returns the answer.
async fn ask(runner: &Runner, user: &str, session: &str, text: &str) -> String {
    let mut request = AgentRequest::new(vec![Message::user(text)]);
    request.user_id = Some(user.to_owned());
    request.session_id = Some(session.to_owned());
    let run = runner.start(request, Default::default()).await.expect("started");
    let response = run.response().await.expect("readable");
    assert_eq!(response.status, Status::Completed, "{:?}", response.error);
    response.messages().iter().map(Message::full_text).collect::<Vec<_>>().join("|")
}

fn runner(agent: impl Agent) -> Runner {
    Runner::builder().agent("test", agent).build().expect("built")
}

#[tokio::test]
async fn state__is_scoped_to_user_and_session() {
    let runner = runner(agent_fn(|run: RunHandle| async move {
        let turns: u32 = run.state().load().await?.unwrap_or_default();
        run.state().save(&(turns + 1)).await?;
        run.say(&turns.to_string());
        Ok(())
    }));
    assert_eq!(ask(&runner, "ann", "s", "").await, "0");
    assert_eq!(ask(&runner, "ann", "s", "").await, "1");
    assert_eq!(ask(&runner, "ann", "t", "").await, "0");
    assert_eq!(ask(&runner, "bob", "s", "").await, "0");
}

#[tokio::test]
async fn state__other_type__is_refused_and_deletable() {
    let runner = runner(agent_fn(|run: RunHandle| async move {
        let state = run.state();
        state.save("text").await?;
        let error = state.load::<u32>().await.expect_err("a text is not a number");
        assert_eq!(error.kind(), ServiceErrorKind::InvalidInput);
        let json = state.load_json().await?;
        assert_eq!(json, Some("text".into()));
        assert_eq!(state.save_json(&"more".into()).await?, 2);
        assert_eq!(state.delete().await?, 2);
        assert_eq!(state.load::<u32>().await?, None);
        Ok(())
    }));
    ask(&runner, "ann", "s", "").await;
}

#[tokio::test]
async fn memories__are_scoped_to_user() {
    let runner = runner(agent_fn(|run: RunHandle| async move {
        let (memory, text) = (run.memory(), run.request().last_user_text());
        for found in memory.search(text.as_str()).await? {
            run.say(&found.memory.message.full_text());
        }
        let numbers = memory.add(vec![Message::user(&text)]).await?;
        let listed = memory.list(None, PageSize::default()).await?;
        assert_eq!(listed.items[0].number, numbers[0]);
        assert_eq!(listed.items[0].session_id, *run.session_id());
        if text.contains("forget") {
            assert!(memory.delete(numbers[0]).await?);
        }
        Ok(())
    }));
    assert_eq!(ask(&runner, "ann", "s", "blue whales").await, "");
    assert_eq!(ask(&runner, "ann", "t", "forget whales").await, "blue whales");
    assert_eq!(ask(&runner, "ann", "t", "whales").await, "blue whales");
    assert_eq!(ask(&runner, "bob", "s", "whales").await, "");
}

#[derive(Debug)]
struct Careful;

#[async_trait::async_trait]
impl Agent for Careful {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        run.say("done");
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::StartOver
    }
}

#[tokio::test]
async fn agent__arc_or_box__delegates() {
    let shared: Arc<dyn Agent> = Arc::new(Careful);
    let boxed: Box<dyn Agent> = Box::new(Careful);
    assert_eq!((shared.recovery(), boxed.recovery()), (Recovery::StartOver, Recovery::StartOver));
    let (shared, boxed) = (Arc::new(shared), Box::new(boxed));
    assert_eq!(
        (Agent::recovery(&shared), Agent::recovery(&boxed)),
        (Recovery::StartOver, Recovery::StartOver)
    );
    assert_eq!(ask(&runner(shared), "ann", "s", "").await, "done");
    assert_eq!(ask(&runner(boxed), "ann", "s", "").await, "done");
}
