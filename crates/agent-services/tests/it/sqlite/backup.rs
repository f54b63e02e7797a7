//! Copies of a database in use, and what they are good for.

use std::fs;
use std::path::Path;

use agent_services::ErrorKind::{Conflict, InvalidInput, NotFound};
use agent_services::Service;
use agent_services::session::SessionStore;
use agent_services::sqlite::SqliteDatabase;

use super::{append, batch, database, folder, refused, s, started, texts, u};

/// The names of a folder's files.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.into_string().expect("a plain name")).collect()
}

#[tokio::test]
async fn backup__database_in_use__is_its_state_at_that_time() {
    let (folder, copies) = (folder(), folder());
    let store = started(folder.path()).await;
    append(&store, "a").await;
    // As another process does it.
    let other = SqliteDatabase::read_only(folder.path());
    let copy = other.backup(copies.path().join("deep/one")).await.expect("copied");
    append(&store, "b").await;
    let second = database(folder.path()).backup(copies.path().join("two")).await.expect("copied");
    store.stop().await.expect("stopped");
    let after = other.backup(copies.path().join("three")).await.expect("copied");
    for (copy, expected) in [(&copy, &["a"][..]), (&second, &["a", "b"]), (&after, &["a", "b"])] {
        assert_eq!(names(&copy.folder), ["agent-server.sqlite"]);
        let size = fs::metadata(copy.folder.join("agent-server.sqlite")).expect("a file").len();
        assert_eq!(copy.bytes, size);
        let restored = started(&copy.folder).await;
        assert_eq!(texts(&restored).await, expected);
        append(&restored, "more").await;
        restored.stop().await.expect("stopped");
    }
    assert_eq!(texts(&started(folder.path()).await).await, ["a", "b"]);
}

#[tokio::test]
async fn backup__writes_at_the_same_time__has_whole_commits() {
    let (folder, copies) = (folder(), folder());
    let store = started(folder.path()).await;
    let writing = async {
        for round in 0..50 {
            let pair = [format!("{round} first"), format!("{round} second")];
            let batch = batch(&pair.each_ref().map(String::as_str));
            store.append(&u(), &s(), batch).await.expect("appended");
        }
    };
    let copying = async {
        let mut found = Vec::new();
        for name in ["one", "two", "three"] {
            found.push(database(folder.path()).backup(copies.path().join(name)).await.expect("copied"));
        }
        found
    };
    let ((), found) = tokio::join!(writing, copying);
    for copy in found {
        let texts = texts(&started(&copy.folder).await).await;
        assert_eq!(texts.len() % 2, 0, "{texts:?}");
        for (position, text) in texts.iter().enumerate() {
            assert!(text.starts_with(&format!("{} ", position / 2)), "{texts:?}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn backup__files__are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, copies) = (folder(), folder());
    started(folder.path()).await.stop().await.expect("stopped");
    let shared = copies.path().join("shared");
    fs::create_dir(&shared).expect("made");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).expect("set");
    for into in [shared, copies.path().join("own")] {
        let copy = database(folder.path()).backup(&into).await.expect("copied");
        let file = fs::metadata(copy.folder.join("agent-server.sqlite")).expect("a file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let own = fs::metadata(copies.path().join("own")).expect("a folder");
    assert_eq!(own.permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn backup__folder_with_anything__is_left_alone() {
    let (folder, copies) = (folder(), folder());
    let store = started(folder.path()).await;
    append(&store, "a").await;
    let into = |name: &str| copies.path().join(name);
    database(folder.path()).backup(into("one")).await.expect("copied");
    let before = fs::read(into("one/agent-server.sqlite")).expect("a file");
    append(&store, "b").await;
    let again = database(folder.path()).backup(into("one")).await;
    refused(again, Conflict, &[into("one").to_str().expect("UTF-8"), "is not empty"]);
    assert_eq!(fs::read(into("one/agent-server.sqlite")).expect("a file"), before);
    refused(database(folder.path()).backup(folder.path()).await, Conflict, &["is not empty"]);
    fs::write(into("file"), "mine").expect("written");
    database(folder.path()).backup(into("file")).await.expect_err("it is a file");
    assert_eq!(fs::read_to_string(into("file")).expect("a file"), "mine");
    assert_eq!(texts(&store).await, ["a", "b"]);
}

#[tokio::test]
async fn backup__nothing_to_copy__leaves_no_copy() {
    let (folder, copies) = (folder(), folder());
    let missing = database(&folder.path().join("nowhere"));
    refused(missing.backup(copies.path().join("one")).await, NotFound, &["there is no", "nowhere"]);
    assert!(!copies.path().join("one").exists() && !folder.path().join("nowhere").exists());
    fs::write(folder.path().join("agent-server.sqlite"), "something else, as long as you like")
        .expect("written");
    let other = database(folder.path()).backup(copies.path().join("two")).await;
    refused(other, InvalidInput, &["is not a database of agent-server"]);
    assert!(names(&copies.path().join("two")).is_empty());
}
