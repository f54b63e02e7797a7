//! Runs whose readers, writers and owners are different processes.

use std::time::{Duration, Instant};

use agent_schemas::{AgentRequest, RunId, Status, sse};
use agent_services::clock::SystemIds;
use agent_services::redis::RedisRunStore;
use agent_services::run::{
    Batch, Canceled, Created, FencingToken, FinishRun, IdempotencyKey, NewRun, OwnerId, Retention, RunFilter,
    RunRecord, RunStore, SessionPolicy, fresh_id,
};
use agent_services::{ErrorKind, Service, StoreContext};
use tokio::time::timeout;

use super::proxy::{Network, Proxy};
use super::server::Server;
use super::{
    DEADLINE, admin, client, client_with_prefix, cluster, eventually, fresh_prefix, server, session, started,
    user,
};

async fn two_stores(url: &str) -> (RedisRunStore, RedisRunStore) {
    let prefix = fresh_prefix();
    let store = || RedisRunStore::new(client_with_prefix(url, &prefix), StoreContext::default());
    (started(store()).await, started(store()).await)
}

fn batch(first: u64, count: u64) -> Batch {
    let mut frames = Vec::new();
    for number in first..first + count {
        sse::start_frame(&mut frames, number);
        sse::write_number(&mut frames, number);
        sse::end_frame(&mut frames);
    }
    Batch { first, count, frames: frames.into() }
}

fn owner() -> OwnerId {
    OwnerId::new("owner of one")
}

async fn start(store: &RedisRunStore) -> (RunId, FencingToken) {
    start_kept(store, 0).await
}

async fn start_kept(store: &RedisRunStore, kept_for: u64) -> (RunId, FencingToken) {
    let (id, request) = (fresh_id(&SystemIds, &user("u")), AgentRequest::new(Vec::new()));
    let mut record = RunRecord::new(id.clone(), user("u"), session(id.as_str()), "agent", 0, request.into());
    record.options.response_ttl = Duration::from_secs(kept_for);
    let created = store.create(NewRun::new(record, batch(0, 1), owner())).await.expect("made");
    let Created::Started(token) = created else { panic!("it starts: {created:?}") };
    (id, token)
}

/// Waits for entries that another store writes one by one, each while the first store waits; returns how long it took.
async fn follow(reader: &RedisRunStore, writer: &RedisRunStore) -> Duration {
    let (id, token) = start(writer).await;
    let begin = Instant::now();
    for next in 1..=20 {
        let read = async {
            loop {
                reader.wait(&id, next).await.expect("waited");
                let page = reader.read(&id, next, 1).await.expect("readable").expect("there");
                if !page.batches.is_empty() {
                    return;
                }
            }
        };
        let write = async {
            // The reader looks first.
            writer.get(&id).await.expect("readable");
            writer.append(&id, token, batch(next, 1)).await.expect("appended");
        };
        tokio::join!(read, write);
    }
    begin.elapsed()
}

/// Listens to requests about a run from another store.
async fn listen(owners: &RedisRunStore, other: &RedisRunStore) {
    let (id, _) = start(owners).await;
    let cancel = async {
        let canceled = other.cancel(&id, Batch::empty(0)).await;
        assert_eq!(canceled.expect("asked"), Some(Canceled::Requested));
    };
    let told = async {
        loop {
            let runs = owners.signals(&owner()).await.expect("listening works");
            let record = owners.get(&id).await.expect("readable").expect("there");
            if runs.contains(&id) || record.cancel_requested {
                return;
            }
        }
    };
    tokio::join!(told, cancel);
}

async fn check_two_stores(url: &str) {
    let (one, two) = two_stores(url).await;
    listen(&one, &two).await;
    // No entry may depend on the readers' periodic checks, each of which would take several seconds.
    assert!(follow(&one, &two).await < Duration::from_secs(20));
    // Once the owner listens, it receives the id of the run, or an empty list, which means that it must check all runs.
    eventually("a run is named", || async {
        let (id, _) = start(&one).await;
        two.cancel(&id, Batch::empty(0)).await.expect("asked");
        loop {
            // Before, it may still receive a signal for another run.
            let told = timeout(DEADLINE, one.signals(&owner())).await.expect("in time").expect("told");
            if told.is_empty() || told.contains(&id) {
                return !told.is_empty();
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores__standalone__wake_each_other() {
    check_two_stores(&server::shared().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores__cluster__wake_each_other() {
    check_two_stores(&cluster::shared().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription__broken__is_replaced() {
    let server = Server::start(&[]);
    let (one, two) = two_stores(&server.url()).await;
    follow(&one, &two).await;
    listen(&one, &two).await;
    let mut admin = admin(&server.url()).await;
    for _ in 0..3 {
        let kill = ::redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).clone();
        let killed: u64 = kill.query_async(&mut admin).await.expect("killed");
        assert!(killed > 0, "there was a subscription");
        // After the signals that still arrived, it learns that it may have missed some.
        while !one.signals(&owner()).await.expect("told").is_empty() {}
        listen(&one, &two).await;
        assert!(follow(&one, &two).await < Duration::from_secs(20));
    }
}

/// Waiting calls do not keep a store from stopping, and receive an error.
#[tokio::test(flavor = "multi_thread")]
async fn stop__waiting_calls__end() {
    let (one, two) = two_stores(&server::shared().await).await;
    let (id, _) = start(&one).await;
    let none = OwnerId::new("nobody");
    let listening = async {
        // The first answer only means that it may have missed something.
        assert_eq!(one.signals(&none).await.expect("told"), []);
        one.signals(&none).await.map_err(|error| error.kind())
    };
    let stop = async {
        follow(&one, &two).await;
        one.stop().await
    };
    let (waited, told, stopped) = tokio::join!(one.wait(&id, 7), listening, stop);
    assert!(waited.is_ok() && stopped.is_ok());
    assert_eq!(told, Err(ErrorKind::Unavailable));
    assert_eq!(one.wait(&id, 7).await.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
}

/// A call with a lost answer is repeated, and returns the original result.
#[tokio::test(flavor = "multi_thread")]
async fn lost_reply__repeated_call__gets_the_same_answer() {
    let url = server::shared().await;
    let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    let proxy = Proxy::start(port).await;
    let store = started(RedisRunStore::new(client(&proxy.url()), StoreContext::default())).await;
    let next_run = |first: &str, policy| {
        let id = fresh_id(&SystemIds, &user("u"));
        let request = AgentRequest::new(Vec::new()).into();
        let record = RunRecord::new(id.clone(), user("u"), session(first), "agent", 0, request);
        let key = IdempotencyKey::new(id.as_str(), "");
        (id, NewRun::new(record, batch(0, 1), owner()).with_policy(policy).with_key(Some(key)))
    };
    let by = OwnerId::new("by");
    // The first time, the server learns the scripts: otherwise, the lost answer would be that it does not know them.
    for is_lost in [false, true] {
        let lose = async || {
            store.health().await.expect("connected");
            if is_lost {
                proxy.set(Network::NextAnswerLost);
            }
        };
        let (a, token) = start(&store).await;
        let check_lost = || assert!(proxy.is(Network::Good), "an answer was lost");
        let mut queued = Vec::new();
        for (ahead, policy) in [(1, SessionPolicy::Enqueue), (2, SessionPolicy::Enqueue)] {
            let (id, run) = next_run(a.as_str(), policy);
            lose().await;
            assert_eq!(store.create(run).await.expect("made"), Created::Queued { ahead });
            check_lost();
            queued.push(id);
        }
        let (_, handed) = next_run(a.as_str(), SessionPolicy::Steer);
        lose().await;
        assert_eq!(store.create(handed).await.expect("made"), Created::Steered(a.clone()));
        check_lost();
        assert_eq!(store.steered(&a).await.expect("readable").len(), 1);
        lose().await;
        let canceled = store.cancel(&queued[1], batch(1, 1)).await.expect("asked");
        assert_eq!(canceled, Some(Canceled::Dequeued));
        check_lost();
        store.heartbeat(&owner(), DEADLINE).await.expect("it lives");
        lose().await;
        let taken = store.take_over(&a, &owner()).await.expect("asked").expect("it is its own");
        check_lost();
        assert_eq!(taken, FencingToken(token.0 + 1));
        assert_eq!(store.get(&a).await.expect("readable").expect("there").epochs, [1]);
        lose().await;
        store.append(&a, taken, batch(1, 1)).await.expect("appended");
        check_lost();
        lose().await;
        let end = FinishRun::new(a.clone(), taken, batch(2, 1), Status::Completed);
        let finished = store.finish(end.with_next(Some(by.clone()))).await.expect("finished");
        let granted = finished.granted.expect("one waits");
        check_lost();
        assert_eq!(granted.token, FencingToken(1));
        assert_eq!(store.get(&a).await.expect("readable").expect("there").entries, 3);
    }
}

/// A run that Redis has expired no longer exists for any call, including the list.
#[tokio::test(flavor = "multi_thread")]
async fn ended_run__retention_over__expires() {
    let (one, two) = two_stores(&server::shared().await).await;
    let one = one.with_retention(Retention { age: Duration::from_millis(50), bytes: u64::MAX });
    let (kept, _) = start(&two).await;
    let (id, token) = start(&one).await;
    let end = FinishRun::new(id.clone(), token, batch(1, 1), Status::Completed);
    assert_eq!(one.finish(end).await.expect("finished").granted, None);
    let (one, two) = (&one, &two);
    let is_gone = || async { two.get(&id).await.expect("readable").is_none() };
    eventually("the run has expired", is_gone).await;
    let listed = async || {
        let runs =
            two.list(&user("u"), &RunFilter::default(), None, Default::default()).await.expect("listed");
        runs.items.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, std::slice::from_ref(&kept));
    assert_eq!(two.read(&id, 0, 1).await.expect("readable"), None);
    eventually("nothing is left to sweep", || async { one.sweep().await.expect("swept") == 0 }).await;
    assert_eq!(listed().await, std::slice::from_ref(&kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn trimmed_run__response_ttl_over__expires() {
    let (one, two) = two_stores(&server::shared().await).await;
    let one = one.with_retention(Retention { age: Duration::ZERO, bytes: u64::MAX });
    let (id, token) = start_kept(&one, 1).await;
    one.append(&id, token, batch(1, 1)).await.expect("appended");
    let end = FinishRun::new(id.clone(), token, batch(2, 1), Status::Completed);
    one.finish(end).await.expect("finished");
    one.sweep().await.expect("swept");
    if let Some(record) = two.get(&id).await.expect("readable") {
        assert_eq!(record.first_entry, 2);
    }
    let is_gone = || async { two.get(&id).await.expect("readable").is_none() };
    eventually("the run has expired", is_gone).await;
    assert_eq!(two.read(&id, 2, 1).await.expect("readable"), None);
    eventually("nothing is left to sweep", || async { one.sweep().await.expect("swept") == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn create__id_of_other_user__is_refused() {
    let (one, _) = two_stores(&server::shared().await).await;
    for id in ["run_1", "run_", "", "run_00000000000000000000000000000000ffff"] {
        let record = RunRecord::new(
            RunId::new(id),
            user("u"),
            session("s"),
            "agent",
            0,
            AgentRequest::new(Vec::new()).into(),
        );
        let refused = one.create(NewRun::new(record, Batch::empty(0), owner())).await;
        assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput), "{id}");
        assert_eq!(one.get(&RunId::new(id)).await.expect("asked"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs__some_cannot_be_read__the_others_are_listed() {
    let url = server::shared().await;
    let prefix = fresh_prefix();
    let store = started(RedisRunStore::new(client_with_prefix(&url, &prefix), StoreContext::default())).await;
    let mut admin = admin(&url).await;
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(start(&store).await);
    }
    // A request of another form, no request, another type, and no id.
    let damage: [&[&[&str]]; 4] = [
        &[&["HSET", "", "request", r#"{"input":[],"id":5}"#, "epochs", "x"]],
        &[&["HDEL", "", "request", "created"]],
        &[&["DEL", ""], &["RPUSH", "", "foreign"]],
        &[&["HDEL", "", "id"]],
    ];
    for ((id, _), commands) in runs.iter().zip(damage) {
        let mut find = ::redis::cmd("KEYS");
        find.arg(format!("{prefix}:*run:{id}"));
        let found: Vec<String> = find.query_async(&mut admin).await.expect("keys");
        let [key] = &found[..] else { panic!("one key: {found:?}") };
        for command in commands {
            let mut cmd = ::redis::Cmd::new();
            for word in *command {
                cmd.arg(if word.is_empty() { key.as_str() } else { word });
            }
            cmd.exec_async(&mut admin).await.expect("changed");
        }
    }
    let listed =
        store.list(&user("u"), &RunFilter::default(), None, Default::default()).await.expect("listed");
    let shown: Vec<_> = listed.items.iter().map(|run| (run.id.clone(), run.damage.is_some())).collect();
    let expected = [(4, false), (1, true), (0, true)].map(|(at, damaged)| (runs[at].0.clone(), damaged));
    assert_eq!(shown, expected, "data without even an id is omitted");
    for at in [2, 3] {
        let read = store.get(&runs[at].0).await.map_err(|error| error.kind());
        assert_eq!(read.map(drop), Err(ErrorKind::Unexpected), "the run itself is requested");
    }
    let (id, token) = &runs[0];
    assert_eq!(store.cancel(id, Batch::empty(0)).await.expect("canceled"), Some(Canceled::Requested));
    let end = FinishRun::new(id.clone(), *token, batch(1, 1), Status::Failed).with_cancel_seen(true);
    store.finish(end).await.expect("finished");
    assert!(store.delete(id).await.expect("deleted"));
}
