//! The promises of run and session stores that share one database: line 23 of
//! [`RunStore`]'s contract.
#![expect(clippy::missing_panics_doc, reason = "panicking is how these functions report")]

use std::sync::Arc;

use agent_schemas::{AgentRequest, Message, RunId, Status};

use super::{session, user};
use crate::ErrorKind;
use crate::clock::SystemIds;
use crate::limits::StoreLimits;
use crate::page::PageSize;
use crate::run::{
    Batch, Created, FencingToken, FinishRun, Finished, NewRun, OwnerId, RunRecord, RunStore, fresh_id,
};
use crate::session::{EncodedMessage, MessageBatch, SessionStore};

/// Creates one test per promise. The async expression returns a run store and a session store, in a new database
/// and not yet started.
#[macro_export]
macro_rules! run_history_conformance {
    ($make:expr) => {
        $crate::run_history_tests!($make;
            history_comes_with_the_end refused_ends_append_nothing refused_history_changes_nothing
            history_that_is_there_is_not_repeated known_input_is_left_out sessions_go_on);
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! run_history_tests {
    ($make:expr; $($name:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            let (runs, sessions) = $make.await;
            let stores = $crate::conformance::run_history::Stores::started(runs, sessions).await;
            $crate::conformance::run_history::$name(&stores).await;
        }
    )*};
}

/// Two stores in one database.
#[derive(Debug)]
pub struct Stores {
    runs: Arc<dyn RunStore>,
    sessions: Arc<dyn SessionStore>,
}

impl Stores {
    /// Starts both.
    pub async fn started(runs: Arc<dyn RunStore>, sessions: Arc<dyn SessionStore>) -> Self {
        runs.start().await.expect("a store starts");
        sessions.start().await.expect("a store starts");
        assert!(runs.database().is_some() && runs.database() == sessions.database());
        Stores { runs, sessions }
    }

    async fn start(&self) -> (RunId, FencingToken) {
        let request = Arc::new(AgentRequest::new(Vec::new()));
        let id = fresh_id(&SystemIds, &user("u"));
        let record = RunRecord::new(id.clone(), user("u"), session("s"), "agent", 7, request);
        let new = NewRun::new(record, entry(0), OwnerId::new("owner"));
        match self.runs.create(new).await.expect("a store answers") {
            Created::Started(token) => (id, token),
            other => panic!("a free session starts a run: {other:?}"),
        }
    }

    async fn finish(
        &self,
        (id, token): &(RunId, FencingToken),
        history: MessageBatch,
    ) -> crate::Result<Finished> {
        let next = OwnerId::new("next");
        let run = FinishRun::new(id.clone(), *token, entry(1), Status::Completed);
        self.runs.finish(run.with_next(Some(next)).with_history(Some(history))).await
    }

    async fn status(&self, id: &RunId) -> Status {
        self.runs.get(id).await.expect("readable").expect("the run is there").status
    }

    /// The session's messages; `None` if it does not exist.
    async fn said(&self) -> Vec<String> {
        let size = PageSize::new(100).expect("a size");
        let messages = self.sessions.messages(&user("u"), &session("s"), 0, size).await.expect("readable");
        messages.unwrap_or_default().iter().map(|stored| stored.message.full_text()).collect()
    }
}

/// One entry of a log.
fn entry(number: u64) -> Batch {
    Batch { first: number, count: 1, frames: format!("id: {number}\ndata: {{}}\n\n").into_bytes().into() }
}

/// The messages of a run.
fn history(run: &(RunId, FencingToken), texts: &[&str]) -> MessageBatch {
    let messages: Vec<Message> = texts.iter().map(|text| Message::user(*text)).collect();
    let key = Some(run.0.as_str().to_owned());
    MessageBatch { key, ..MessageBatch::of(&messages).expect("JSON") }
}

/// Contract 23: both or neither, and repeating it changes nothing.
pub async fn history_comes_with_the_end(stores: &Stores) {
    let run = stores.start().await;
    for _ in 0..3 {
        let finished = stores.finish(&run, history(&run, &["a", "b"])).await.expect("finished");
        assert!(finished.granted.is_none());
        assert_eq!(stores.status(&run.0).await, Status::Completed);
        assert_eq!(stores.said().await, ["a", "b"]);
    }
    let info = stores.sessions.get(&user("u"), &session("s")).await.expect("readable").expect("made");
    assert_eq!(info.message_count, 2);
}

/// Contract 5 and 23: a caller that may not end the run appends nothing to its session.
pub async fn refused_ends_append_nothing(stores: &Stores) {
    let (id, token) = stores.start().await;
    for token in [FencingToken(token.0 - 1), FencingToken(token.0 + 1)] {
        let stale = (id.clone(), token);
        let refused = stores.finish(&stale, history(&stale, &["a"])).await.map(drop);
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
    }
    let unknown = (RunId::new("run_unknown"), token);
    let refused = stores.finish(&unknown, history(&unknown, &["a"])).await.map(drop);
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::NotFound));
    assert_eq!(stores.said().await, [""; 0]);
    assert_eq!(stores.status(&id).await, Status::InProgress);
}

/// Contract 23: a rejected history changes nothing, and the run can end without it.
pub async fn refused_history_changes_nothing(stores: &Stores) {
    let run = stores.start().await;
    let huge = "x".repeat(StoreLimits::default().item_bytes);
    let refused = stores.finish(&run, history(&run, &["a", &huge])).await.map(drop);
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    assert_eq!(stores.status(&run.0).await, Status::InProgress);
    assert_eq!(stores.said().await, [""; 0], "all or nothing");
    let mut last = entry(1);
    last.frames = b"id: 1\ndata: {\"warnings\":[]}\n\n"[..].into();
    let end = FinishRun::new(run.0.clone(), run.1, last, Status::Completed);
    stores.runs.finish(end).await.expect("finished");
    assert_eq!(stores.status(&run.0).await, Status::Completed);
}

/// Contract 23: a history that another process appended before it died is not appended again.
pub async fn history_that_is_there_is_not_repeated(stores: &Stores) {
    let run = stores.start().await;
    stores.runs.seal(&run.0, run.1, entry(1), "kept", false).await.expect("sealed");
    let said = history(&run, &["a", "b"]);
    stores.sessions.append(&user("u"), &session("s"), said.clone()).await.expect("appended");
    let last = FinishRun::new(run.0, run.1, entry(2), Status::Completed).with_history(Some(said));
    stores.runs.finish(last).await.expect("finished");
    assert_eq!(stores.said().await, ["a", "b"]);
}

/// Contract 23: as with `append`, the first messages are skipped if the session already has them.
pub async fn known_input_is_left_out(stores: &Stores) {
    let message = |id: &str| {
        let mut message = Message::user(id);
        message.id = id.to_owned();
        EncodedMessage::from_message(&message)
    };
    let batch = |ids: &[&str], maybe_known| {
        let messages = ids.iter().map(|id| message(id).expect("JSON")).collect();
        MessageBatch { messages, maybe_known, ..MessageBatch::default() }
    };
    let one = stores.start().await;
    stores.finish(&one, batch(&["a", "b", "a"], 3)).await.expect("finished");
    let two = stores.start().await;
    stores.finish(&two, batch(&["b", "c", "a"], 2)).await.expect("finished");
    assert_eq!(stores.said().await, ["a", "b", "c", "a"]);
}

/// Contract 12 and 23: the session goes to the first queued run, whose messages come next.
pub async fn sessions_go_on(stores: &Stores) {
    let run = stores.start().await;
    let request = Arc::new(AgentRequest::new(Vec::new()));
    let id = fresh_id(&SystemIds, &user("u"));
    let record = RunRecord::new(id, user("u"), session("s"), "agent", 7, request);
    let created = stores.runs.create(NewRun::new(record, entry(0), OwnerId::new("owner"))).await;
    assert_eq!(created.expect("made"), Created::Queued { ahead: 1 });
    let finished = stores.finish(&run, history(&run, &["a"])).await.expect("finished");
    let grant = finished.granted.expect("one waits");
    let next = (grant.id, grant.token);
    stores.finish(&next, history(&next, &["b"])).await.expect("finished");
    assert_eq!(stores.said().await, ["a", "b"]);
}
