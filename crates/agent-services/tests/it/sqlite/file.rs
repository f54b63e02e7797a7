//! Which files are opened, by which process, and the errors for others.

use std::fs;
use std::path::Path;

use agent_services::ErrorKind::{Conflict, InvalidInput, NotFound, Unavailable, Unexpected};
use agent_services::Service;
use agent_services::session::SessionStore;
use agent_services::sqlite::SqliteDatabase;
use rusqlite::Connection;

use super::{append, batch, database, folder, refused, s, sessions, started, texts, u};

/// Creates a database of agent-server, and changes it with a statement.
async fn changed(folder: &Path, sql: &str) {
    started(folder).await.stop().await.expect("stopped");
    let connection = Connection::open(database(folder).file()).expect("opened");
    connection.execute_batch(sql).expect("changed");
}

#[tokio::test]
async fn data__reopened__is_complete() {
    let folder = folder();
    let store = started(folder.path()).await;
    append(&store, "a").await;
    store.stop().await.expect("stopped");
    let store = started(folder.path()).await;
    append(&store, "b").await;
    drop(store);
    let database = database(folder.path());
    assert_eq!(database.folder(), folder.path());
    let store = sessions(database);
    // A dropped store closes on a separate thread.
    while let Err(error) = store.start().await {
        assert_eq!(error.kind(), Conflict, "{error}");
        tokio::task::yield_now().await;
    }
    assert_eq!(texts(&store).await, ["a", "b"]);
}

#[tokio::test]
async fn stop__leaves_database_and_lock_only() {
    let folder = folder();
    let store = started(folder.path()).await;
    append(&store, "a").await;
    store.stop().await.expect("stopped");
    let names =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["agent-server.lock", "agent-server.sqlite"]);
}

#[tokio::test]
async fn log__grown__is_moved_into_the_file_meanwhile() {
    let folder = folder();
    let store = started(folder.path()).await;
    let size = |suffix: &str| {
        let name = format!("agent-server.sqlite{suffix}");
        fs::metadata(folder.path().join(name)).expect("a file").len()
    };
    for number in 0..20 {
        append(&store, &format!("{number} {}", "x".repeat(4 << 20))).await;
    }
    while size("") < 64 << 20 {
        append(&store, "a").await;
    }
    assert!(size("-wal") < 256 << 20, "the writer would move a log of that size itself");
    store.stop().await.expect("stopped");
}

/// The names and the modes of a folder's files.
#[cfg(unix)]
fn modes(folder: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("known").permissions().mode() & 0o777;
        (entry.file_name().into_string().expect("a plain name"), mode)
    });
    let mut modes: Vec<_> = entries.collect();
    modes.sort();
    modes
}

#[cfg(unix)]
#[tokio::test]
async fn files__folder_of_everybody__are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    mode(folder.path(), 0o777);
    let store = started(folder.path()).await;
    append(&store, "a").await;
    let names =
        ["agent-server.lock", "agent-server.sqlite", "agent-server.sqlite-shm", "agent-server.sqlite-wal"];
    let private = names.map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes(folder.path()), private);
    // The files of an older version, with a log, because the process was killed.
    let left = super::folder();
    for name in names {
        fs::copy(folder.path().join(name), left.path().join(name)).expect("copied");
        mode(&left.path().join(name), 0o666);
    }
    mode(left.path(), 0o777);
    let store = started(left.path()).await;
    assert_eq!(texts(&store).await, ["a"]);
    assert_eq!(modes(left.path()), private);
    let folder_mode = fs::metadata(left.path()).expect("known").permissions().mode();
    assert_eq!(folder_mode & 0o777, 0o777, "we must not change the folder's mode");
}

#[cfg(unix)]
#[tokio::test]
async fn lock_file__is_a_link__is_refused_and_its_target_is_left_alone() {
    let folder = folder();
    let (target, lock) = (folder.path().join("mine"), folder.path().join("agent-server.lock"));
    fs::write(&target, "important").expect("written");
    std::os::unix::fs::symlink(&target, &lock).expect("linked");
    refused(sessions(database(folder.path())).start().await, Unexpected, &["agent-server.lock", "link"]);
    assert_eq!(fs::read_to_string(&target).expect("readable"), "important");
}

#[cfg(unix)]
#[tokio::test]
async fn folder__new__is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("a/b");
    started(&path).await;
    let mode = fs::metadata(&path).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn data__newer_version__is_refused() {
    let folder = folder();
    started(folder.path()).await.stop().await.expect("stopped");
    let current = version(folder.path());
    changed(folder.path(), "PRAGMA user_version = 1000").await;
    let expected = [
        "newer version of agent-server wrote this data (schema 1000, this version supports",
        "another data folder",
    ];
    refused(sessions(database(folder.path())).start().await, InvalidInput, &expected);
    refused(sessions(SqliteDatabase::read_only(folder.path())).start().await, InvalidInput, &expected);
    let connection = Connection::open(database(folder.path()).file()).expect("opened");
    connection.pragma_update(None, "user_version", current).expect("changed back");
    drop(connection);
    started(folder.path()).await;
}

fn version(folder: &Path) -> i64 {
    let connection = Connection::open(database(folder).file()).expect("opened");
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number")
}

#[tokio::test]
async fn data__of_other_programs__is_refused_and_unchanged() {
    let other = folder();
    let table = Connection::open(other.path().join("table")).expect("made");
    table.execute_batch("CREATE TABLE a (b)").expect("written");
    let named = Connection::open(other.path().join("named")).expect("made");
    named.execute_batch("PRAGMA application_id = 7; PRAGMA user_version = 1").expect("written");
    drop((table, named));
    let read = |name| fs::read(other.path().join(name)).expect("readable");
    let text = b"no database at all, but long enough for somebody to mistake it for one ".repeat(100);
    for content in [read("table"), read("named"), b"short".to_vec(), text] {
        let folder = folder();
        let file = database(folder.path()).file();
        fs::write(&file, &content).expect("written");
        let expected = ["agent-server.sqlite is not a database of agent-server"];
        refused(sessions(database(folder.path())).start().await, InvalidInput, &expected);
        refused(sessions(SqliteDatabase::read_only(folder.path())).start().await, InvalidInput, &expected);
        assert!(fs::read(&file).expect("readable") == content, "it is unchanged");
    }
}

#[tokio::test]
async fn file__empty__becomes_a_database() {
    let folder = folder();
    fs::write(database(folder.path()).file(), "").expect("written");
    append(&started(folder.path()).await, "a").await;
}

#[tokio::test]
async fn start__unopenable_path__is_named() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    refused(
        sessions(database(&file)).start().await,
        Unexpected,
        &["could not create the data folder", "file"],
    );
    fs::create_dir(database(folder.path()).file()).expect("made");
    refused(
        sessions(database(folder.path())).start().await,
        Unexpected,
        &["agent-server.sqlite", "could not open"],
    );
}

#[tokio::test]
async fn folder__second_owner__is_refused() {
    let folder = folder();
    let owner = started(folder.path()).await;
    let other = sessions(database(folder.path()));
    refused(
        other.start().await,
        Conflict,
        &["this process has already opened the data folder", "use exactly the same URL"],
    );
    refused(other.health().await, Unavailable, &["not started"]);
    append(&owner, "a").await;
    owner.stop().await.expect("stopped");
    other.start().await.expect("the folder is free");
    assert_eq!(texts(&other).await, ["a"]);
}

#[tokio::test]
async fn reader__beside_owner__sees_committed_data() {
    let folder = folder();
    let reader = sessions(SqliteDatabase::read_only(folder.path()));
    refused(reader.start().await, NotFound, &["no agent-server data"]);
    let owner = started(folder.path()).await;
    append(&owner, "a").await;
    reader.start().await.expect("started");
    reader.health().await.expect("it works");
    assert_eq!(texts(&reader).await, ["a"]);
    append(&owner, "b").await;
    assert_eq!(texts(&reader).await, ["a", "b"]);
    refused(reader.append(&u(), &s(), batch(&["c"])).await, InvalidInput, &["for reading only"]);
    owner.stop().await.expect("stopped");
    assert_eq!(texts(&reader).await, ["a", "b"], "and after it");
    reader.stop().await.expect("stopped");
    reader.start().await.expect("started without an owner");
    assert_eq!(texts(&reader).await, ["a", "b"]);
    let owner = started(folder.path()).await;
    append(&owner, "c").await;
    assert_eq!(texts(&reader).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn reader__old_version__does_not_migrate() {
    let folder = folder();
    changed(folder.path(), "PRAGMA user_version = 0").await;
    let reader = sessions(SqliteDatabase::read_only(folder.path()));
    refused(
        reader.start().await,
        InvalidInput,
        &["older version of agent-server wrote this data (schema 0", "start the server once"],
    );
}

#[tokio::test]
async fn write__locked_by_other_program__waits_then_fails() {
    let folder = folder();
    let store = started(folder.path()).await;
    append(&store, "a").await;
    let tool = Connection::open(database(folder.path()).file()).expect("opened");
    tool.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let (u, s) = (u(), s());
    let mut appends = std::pin::pin!(async {
        tokio::join!(store.append(&u, &s, batch(&["b"])), store.append(&u, &s, batch(&["c"])))
    });
    // All of this happens on one thread, and waiting for the lock does not block it.
    tokio::select! {
        biased;
        _ = &mut appends => panic!("the database is locked"),
        texts = texts(&store) => assert_eq!(texts, ["a"]),
    }
    let (first, second) = appends.await;
    for result in [first, second] {
        refused(result, Unavailable, &["another process has locked the database"]);
    }
    tool.execute_batch("COMMIT").expect("unlocked");
    append(&store, "d").await;
    assert_eq!(texts(&store).await, ["a", "d"]);
}
