//! Kills a process that writes to SQLite or Redis: nothing acknowledged is lost, and nothing is half-written.

use std::collections::HashMap;
use std::process::Stdio;

use agent_services::memory::MemoryQuery;
use agent_services::page::PageSize;
use agent_tests::redis::RedisServer;
use agent_tests::store::{Kind, Place, Stores, Writer, noise};
use agent_tests::{rounds, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The number of acknowledged writes of each writer.
type Acknowledged = HashMap<Writer, u64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill__sqlite__keeps_every_acknowledged_write() {
    let folder = tempfile::tempdir().expect("a folder");
    kill_again_and_again(&Place::Folder(folder.path().into())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill__redis__keeps_every_acknowledged_write() {
    let server = RedisServer::start().expect("a Redis server");
    kill_again_and_again(&Place::Redis(server.url())).await;
}

async fn kill_again_and_again(place: &Place) {
    let mut all = Acknowledged::new();
    for round in 0..rounds(9) as u64 {
        // Some are killed before they have opened the stores, some after a thousand writes.
        let patience = noise(round) % 1000 * u64::from(round % 8 != 0);
        let acknowledged = within("a process that is killed", killed(place, round, patience)).await;
        // Opening a file as its owner empties its log; reading it leaves the log for the next round.
        let stores = if round % 2 == 0 {
            Stores::start(place).await.expect("the data of a killed process can be opened")
        } else {
            Stores::start_reading(place).await.expect("the data of a killed process can be read")
        };
        for writer in Writer::all(round) {
            check(&stores, writer, acknowledged.get(&writer).copied().unwrap_or_default()).await;
        }
        stores.stop().await.expect("stopped");
        all.extend(acknowledged);
    }
    let stores = Stores::start(place).await.expect("opened");
    for (writer, count) in all {
        check(&stores, writer, count).await;
    }
    stores.stop().await.expect("stopped");
}

#[tokio::test]
async fn first_start__killed__can_be_repeated() {
    // Once each of them exists, the process is killed at once.
    for name in ["lock", "sqlite", "sqlite-wal", "sqlite-shm"] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(format!("agent-server.{name}"));
        let place = Place::Folder(folder.path().into());
        let mut child = spawn(&place, 0);
        within(name, async {
            while !file.exists() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        child.kill().await.expect("it can be killed");
        let stores = Stores::start(&place).await.expect("its data can be opened");
        let writer = Writer { round: 1, number: 2 };
        writer.write(&stores, 0).await.expect("written");
        check(&stores, writer, 1).await;
        stores.stop().await.expect("stopped");
    }
}

fn spawn(place: &Place, round: u64) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-writer"));
    command.arg(place.to_argument()).arg(round.to_string()).stdout(Stdio::piped()).kill_on_drop(true);
    command.spawn().expect("it can be started")
}

/// Starts a process and kills it after this many acknowledged writes.
async fn killed(place: &Place, round: u64, patience: u64) -> Acknowledged {
    let mut child = spawn(place, round);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut acknowledged = Acknowledged::new();
    let mut count = 0;
    loop {
        if count == patience {
            child.start_kill().expect("it can be killed");
        }
        // Its output before its end counts, too.
        let Some(line) = lines.next_line().await.expect("readable") else { break };
        let (number, n) = line.split_once(' ').expect("two numbers");
        let writer = Writer { round, number: number.parse().expect("a number") };
        let writes = acknowledged.entry(writer).or_default();
        assert_eq!(n.parse(), Ok(*writes), "writes are acknowledged in order");
        *writes += 1;
        count += 1;
    }
    assert!(count >= patience, "it ended by itself after {count} writes");
    let status = child.wait().await.expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
    acknowledged
}

/// A writer leaves exactly the acknowledged writes, and at most one more.
async fn check(stores: &Stores, writer: Writer, acknowledged: u64) {
    let written = match writer.kind() {
        Kind::Session => check_session(stores, writer).await,
        Kind::State => check_states(stores, writer).await,
        Kind::Memory => check_memories(stores, writer).await,
    };
    let expected = acknowledged..=acknowledged + 1;
    assert!(expected.contains(&written), "{writer:?}: {written} of {acknowledged}");
}

/// Expects complete batches, one after another; returns how many.
async fn check_session(stores: &Stores, writer: Writer) -> u64 {
    let (user, session) = (writer.user(), writer.session());
    let info = stores.sessions.get(&user, &session).await.expect("readable");
    let size = PageSize::new(1000).expect("a size");
    let mut texts = Vec::new();
    loop {
        let page =
            stores.sessions.messages(&user, &session, texts.len() as u64, size).await.expect("readable");
        let page = page.unwrap_or_default();
        if page.is_empty() {
            break;
        }
        texts.extend(page.iter().map(|stored| stored.message.full_text()));
    }
    assert_eq!(info.map_or(0, |info| info.message_count), texts.len() as u64, "{writer:?}");
    let (mut found, mut batches) = (texts.as_slice(), 0);
    while !found.is_empty() {
        let batch = writer.texts(batches);
        assert_eq!(found.get(..batch.len()), Some(batch.as_slice()), "{writer:?}: batch {batches}");
        found = &found[batch.len()..];
        batches += 1;
    }
    batches
}

/// Expects complete states, one after another; returns how many.
async fn check_states(stores: &Stores, writer: Writer) -> u64 {
    let (user, session) = (writer.user(), writer.session());
    let last = stores.states.export(&user, &session, None).await.expect("readable");
    let count = last.map_or(0, |(round, _)| round);
    for round in 1..=count {
        let state = stores.states.export(&user, &session, Some(round)).await.expect("readable");
        assert_eq!(state, Some((round, writer.state(round - 1))), "{writer:?}");
    }
    count
}

/// Expects memories that can be found, one after another; returns how many.
async fn check_memories(stores: &Stores, writer: Writer) -> u64 {
    let (user, session) = (writer.user(), writer.session());
    let (mut texts, mut after) = (Vec::new(), None);
    loop {
        let page =
            stores.memories.list(&user, Some(&session), after, PageSize::default()).await.expect("readable");
        texts.extend(page.items.iter().map(|memory| memory.message.full_text()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    texts.reverse();
    for (n, text) in (0..).zip(&texts) {
        assert_eq!(writer.texts(n), [text.as_str()], "{writer:?}");
        let word = text.split(' ').next().expect("a word");
        let found = stores.memories.search(&user, &MemoryQuery::new(word)).await.expect("searched");
        let found: Vec<String> = found.iter().map(|found| found.memory.message.full_text()).collect();
        assert_eq!(found, [text.as_str()], "{writer:?}");
    }
    texts.len() as u64
}
