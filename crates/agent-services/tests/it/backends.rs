//! Services by URL: the backends of this crate, and one of another crate.

use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, Json, Message, SessionId, Status, UserId};
use agent_services::backend::{Backend, OpenOptions, StoreUrl, Stores};
use agent_services::clock::SystemIds;
use agent_services::limits::StoreLimits;
use agent_services::memory::MemoryQuery;
use agent_services::page::PageSize;
use agent_services::run::{Batch, Created, FinishRun, NewRun, OwnerId, Retention, RunRecord, fresh_id};
use agent_services::session::MessageBatch;
use agent_services::{Backends, Error, ErrorKind, Result, ServiceUrls, Services, StoreContext};

fn user() -> UserId {
    UserId::new("u")
}

fn session() -> SessionId {
    SessionId::new("s")
}

fn url(text: &str) -> StoreUrl {
    text.parse().expect("a URL")
}

fn said(text: &str) -> MessageBatch {
    MessageBatch::of(&[Message::user(text)]).expect("JSON")
}

/// Opens services with the defaults.
fn open(text: &str) -> Result<Services> {
    Backends::default().open(&text.parse()?, &OpenOptions::default())
}

fn error(text: &str) -> Error {
    open(text).expect_err("a URL that makes no sense")
}

/// The number of messages in the session.
async fn messages(services: &Services) -> usize {
    let size = PageSize::new(100).expect("a size");
    let found = services.sessions.messages(&user(), &session(), 0, size).await.expect("readable");
    found.unwrap_or_default().len()
}

/// Runs, sessions, states and memories all work, and the end of a run is stored with its history if possible.
async fn check_works(services: &Services, is_one_step: bool) {
    services.start().await.expect("started");
    services.health().await.expect("they work");
    assert_eq!(services.end_runs_in_one_step(), is_one_step);
    let request = Arc::new(AgentRequest::new(Vec::new()));
    let id = fresh_id(&SystemIds, &user());
    let record = RunRecord::new(id.clone(), user(), session(), "agent", 7, request);
    let new = NewRun::new(record, Batch::empty(0), OwnerId::new("owner"));
    let created = services.runs.create(new).await.expect("made");
    let Created::Started(token) = created else { panic!("a free session starts a run: {created:?}") };
    let entry = Batch { first: 0, count: 1, frames: b"id: 0\ndata: {}\n\n".to_vec().into() };
    let end = FinishRun::new(id.clone(), token, entry, Status::Completed);
    let finished = services.runs.finish(end.with_history(is_one_step.then(|| said("hello")))).await;
    finished.expect("finished");
    if !is_one_step {
        services.sessions.append(&user(), &session(), said("hello")).await.expect("appended");
    }
    assert_eq!(messages(services).await, 1);
    services.states.save(&user(), &session(), None, &Json::from("kept")).await.expect("saved");
}

/// An added memory is found.
async fn check_remembers(services: &Services) {
    let added = services.memories.add(&user(), &session(), vec![Message::user("green tea")]).await;
    added.expect("remembered");
    let found = services.memories.search(&user(), &MemoryQuery::new("tea")).await.expect("searched");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn open__memory_url__works() {
    let services = Services::open("memory:").expect("opened");
    check_works(&services, true).await;
    check_remembers(&services).await;
    for wrong in ["memory:somewhere", "memory://", "memory:?a=1"] {
        assert_eq!(error(wrong).kind(), ErrorKind::InvalidInput, "{wrong}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn open__sqlite_url__works() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = StoreUrl::of_path("sqlite", &folder.path().join("50% of it?")).expect("a URL");
    let services = Backends::default().open(&path, &OpenOptions::default()).expect("opened");
    check_works(&services, true).await;
    check_remembers(&services).await;
    assert!(folder.path().join("50% of it?/agent-server.sqlite").exists());
    let reader = Backends::default().open(&path, &OpenOptions::default().read_only()).expect("opened");
    reader.start().await.expect("it is read beside its owner");
    assert_eq!(messages(&reader).await, 1);
    let refused = reader.sessions.append(&user(), &session(), said("no")).await;
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    reader.stop().await.expect("stopped");
    services.stop().await.expect("stopped");
    let again = open(&format!("{}?sync=full", path.expose())).expect("opened");
    again.start().await.expect("started");
    assert_eq!(messages(&again).await, 1);
    for wrong in ["sqlite:", "sqlite:?sync=full", "sqlite:a?sync=never", "sqlite:a?prefix=b", "sqlite://a"] {
        assert_eq!(error(wrong).kind(), ErrorKind::InvalidInput, "{wrong}");
    }
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn open__redis_url__works() {
    let at = crate::redis::shared_url().await;
    let services = open(&format!("{at}&ttl_seconds=600")).expect("opened");
    check_works(&services, false).await;
    check_remembers(&services).await;
    let same = open(&at).expect("opened");
    same.start().await.expect("started");
    assert_eq!(messages(&same).await, 1);
    let other = open(&crate::redis::shared_url().await).expect("opened");
    other.start().await.expect("started");
    assert_eq!(messages(&other).await, 0, "another prefix has other data");
    for scheme in ["redis", "rediss", "redis-cluster", "rediss-cluster"] {
        open(&format!("{scheme}://u:p@h:1?prefix=a")).expect("opened");
    }
    for scheme in ["redis-sentinel", "rediss-sentinel"] {
        open(&format!("{scheme}://u:p@h:1/mymaster?prefix=a")).expect("opened");
    }
}

#[cfg(feature = "redis")]
#[test]
fn open__invalid_redis_url__hides_secrets() {
    for (text, what) in [
        ("redis://u:s3cret@h?prefix=s3cret/", "prefix"),
        ("redis://u:s3cret@h?ttl_seconds=s3cret", "`ttl_seconds` should be a number of seconds"),
        ("redis://u:s3cret@h?database=s3cret", "the known parameters are prefix, ttl_seconds"),
        ("redis://u:s3cret@", "should be"),
        ("redis-cluster://u:s3cret@h/1", "no numbered databases"),
        ("redis:s3cret", "such as redis://"),
    ] {
        let error = error(text);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert!(error.to_string().contains(what), "{text}: {error}");
        assert!(!text.contains('@') || !format!("{error} {error:?}").contains("s3cret"), "{text}: {error:?}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn open__same_url__shares_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| StoreUrl::of_path("sqlite", &folder.path().join(name)).expect("a URL");
    let mut urls = ServiceUrls::new(url("memory:"));
    (urls.runs, urls.sessions) = (Some(path("one")), Some(path("one")));
    let services = Backends::default().open_each(&urls, &OpenOptions::default()).expect("opened");
    check_works(&services, true).await;
    services.stop().await.expect("stopped");
    urls.sessions = Some(path("two"));
    urls.memories = Some(path("two"));
    let services = Backends::default().open_each(&urls, &OpenOptions::default()).expect("opened");
    check_works(&services, false).await;
    check_remembers(&services).await;
}

#[tokio::test]
async fn open__options__reach_the_stores() {
    let mut limits = StoreLimits::default();
    limits.item_bytes = 10;
    let options = OpenOptions::default()
        .with_context(StoreContext::default().with_limits(limits))
        .with_retention(None, Some(5));
    let services = Backends::default().open(&url("memory:"), &options).expect("opened");
    let refused = services.sessions.append(&user(), &session(), said("more than ten bytes")).await;
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
    let kept = options.retention(Retention::DURABLE);
    assert_eq!((kept.age, kept.bytes), (Duration::from_secs(24 * 60 * 60), 5));
}

/// A third party's backend, without memories: its URLs name a shelf.
#[derive(Debug)]
struct ShelfBackend;

impl Backend for ShelfBackend {
    fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Stores> {
        url.parameters(&["color"])?;
        if url.location().is_empty() {
            return Err(url.fault("it names no shelf"));
        }
        let inner = Backends::default().open(&"memory:".parse()?, options)?;
        Ok(Stores::new(inner.runs, inner.sessions, inner.states))
    }
}

#[tokio::test]
async fn backends__added_by_embedder__open() {
    let backends = Backends::default().with("shelf", ShelfBackend);
    let services = backends.open(&url("shelf:upper?color=red"), &OpenOptions::default()).expect("opened");
    check_works(&services, true).await;
    let refused = services.memories.search(&user(), &MemoryQuery::new("tea")).await.map(drop);
    let error = refused.expect_err("there are none");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unsupported, false));
    assert!(error.to_string().contains("`shelf:` does not store memories"), "{error}");
    for (wrong, what) in [
        ("shelf:", "names no shelf"),
        ("shelf:upper?size=1", "no parameter `size`; the known parameters are color"),
        ("shelves:upper", "no backend is known for `shelves:`; the known schemes are memory,"),
    ] {
        let error = backends.open(&url(wrong), &OpenOptions::default()).expect_err(wrong);
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong}");
        assert!(error.to_string().contains(what), "{wrong}: {error}");
    }
    let mut urls = ServiceUrls::new(url("shelf:upper"));
    urls.memories = Some(url("memory:"));
    let services = backends.open_each(&urls, &OpenOptions::default()).expect("opened");
    check_remembers(&services).await;
}

#[cfg(not(all(feature = "sqlite", feature = "redis")))]
#[test]
fn open__feature_disabled__names_it() {
    let missing = if cfg!(feature = "sqlite") { ("redis://h", "redis") } else { ("sqlite:a", "sqlite") };
    let error = error(missing.0).to_string();
    assert!(error.contains(&format!("needs the feature `{}`", missing.1)), "{error}");
}
