//! Sessions over HTTP, and after a restart.

mod command;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use agent_tests::{Answer, Launch, Server};
use rustix::process::Signal;
use serde_json::{Value, json};

async fn say(server: &Server, text: &str) {
    let more = ",\"stream\":false,\"session_id\":\"a/b c\",\"user_id\":\"ann\"";
    let answer = server.connect().await.process(text, more).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn get(server: &Server, path: &str) -> Answer {
    server.connect().await.get(path).await
}

/// The messages, one line each.
async fn said(server: &Server) -> Vec<String> {
    let page = get(server, "/sessions/a%2Fb%20c/messages?user_id=ann").await.json();
    let line = |message: &Value| {
        format!(
            "{}: {}",
            message["role"].as_str().unwrap_or("-"),
            message["content"][0]["text"].as_str().unwrap_or("-")
        )
    };
    page["data"].as_array().expect("messages").iter().map(line).collect()
}

fn echo(folder: &Path) -> Launch {
    Launch::echo("").data_dir(folder)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
}

/// Checks that a folder has this many files, which only their owner can read.
fn check_private(folder: &Path, count: usize) {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file"));
    let modes: Vec<_> = files
        .map(|file| (file.file_name(), file.metadata().expect("known").permissions().mode() & 0o777))
        .collect();
    assert!(modes.len() == count && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[tokio::test]
async fn session__kill_and_restart__survives() {
    let folder = tempfile::tempdir().expect("a folder");
    // Whatever the folder and the umask allow, only the owner can read conversations.
    set_mode(folder.path(), 0o777);
    let mut server = echo(folder.path()).shell("umask 0").start().await;
    say(&server, "one").await;
    say(&server, "two").await;
    check_private(folder.path(), 4);
    server.signal(Signal::KILL);
    server.exit().await;
    fs::read_dir(folder.path())
        .expect("a folder")
        .for_each(|file| set_mode(&file.expect("a file").path(), 0o666));
    let server = echo(folder.path()).shell("umask 0").start().await;
    check_private(folder.path(), 4);
    assert_eq!(said(&server).await, ["user: one", "assistant: one", "user: two", "assistant: two"]);
    say(&server, "three").await;
    assert_eq!(said(&server).await.len(), 6);
}

#[tokio::test]
async fn sessions__other_user__cannot_access_them() {
    let server = Launch::echo("").start().await;
    say(&server, "one").await;
    let list = get(&server, "/sessions?user_id=ann").await.json();
    assert_eq!(list["data"][0]["id"], "a/b c");
    assert_eq!(list["data"][0]["message_count"], 2);
    assert_eq!(list["next"], Value::Null);
    let path = "/sessions/a%2Fb%20c?user_id=ann";
    let change = json!({ "title": "One", "metadata": { "b": 1, "a": null } });
    let changed = server.connect().await.call("PATCH", path, Some(&change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(get(&server, path).await.json()["title"], "One");
    for stranger in ["/sessions/a%2Fb%20c?user_id=bob", "/sessions/a%2Fb%20c"] {
        assert_eq!(get(&server, stranger).await.status, 404);
        // Deleting a session that they do not have succeeds, and changes nothing for others.
        assert_eq!(server.connect().await.call("DELETE", stranger, None).await.status, 204);
        assert_eq!(server.connect().await.call("PATCH", stranger, Some(&json!({}))).await.status, 404);
    }
    assert_eq!(get(&server, "/sessions?user_id=bob").await.json()["data"], json!([]));
    assert_eq!(get(&server, path).await.status, 200);
    for _ in 0..2 {
        assert_eq!(server.connect().await.call("DELETE", path, None).await.status, 204);
    }
    assert_eq!(get(&server, path).await.status, 404);
    server.check_health().await;
}

#[tokio::test]
async fn messages__are_paged() {
    let server = Launch::echo("").start().await;
    for text in ["one", "two", "three"] {
        say(&server, text).await;
    }
    let base = "/sessions/a%2Fb%20c/messages?user_id=ann";
    let first = get(&server, &format!("{base}&limit=4")).await.json();
    assert_eq!((first["data"].as_array().map(Vec::len), &first["next"]), (Some(4), &json!(4)));
    let rest = get(&server, &format!("{base}&from=4")).await.json();
    assert_eq!(
        (rest["data"].as_array().map(Vec::len), &rest["first"], &rest["next"]),
        (Some(2), &json!(4), &Value::Null)
    );
    let last = get(&server, &format!("{base}&last=1")).await.json();
    assert_eq!((&last["first"], &last["data"][0]["role"]), (&json!(5), &json!("assistant")));
}

#[tokio::test]
async fn parameters__invalid__are_named() {
    let server = Launch::echo("").start().await;
    for (path, word) in [
        ("/sessions", "user_id"),
        ("/sessions?user_id=", "user_id"),
        ("/sessions?user_id=a&limit=0", "limit"),
        ("/sessions?user_id=a&limit=1001", "limit"),
        ("/sessions?user_id=a&after=x", "after"),
        ("/sessions/s/messages?from=-1", "from"),
        ("/sessions/s/messages?last=1&from=0", "last"),
        ("/sessions/%ff", "UTF-8"),
    ] {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, 400, "{path} {answer:?}");
        let error = answer.json()["error"].clone();
        assert_eq!(error["code"], "INVALID_PARAMETER");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(word)), "{path}: {error}");
    }
    let long = "x".repeat(5000);
    assert_eq!(get(&server, &format!("/sessions/{long}")).await.status, 404);
    server.check_health().await;
}

#[tokio::test]
async fn data_folder__second_server__is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = echo(folder.path()).start().await;
    let second = echo(folder.path()).run().await;
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr.contains(folder.path().to_str().expect("UTF-8")), "{second:?}");
    assert_eq!(second.stdout, "", "it does not report that it listens");
    assert!(!second.stderr.contains("panicked"));
}

#[tokio::test]
async fn data_folder__environment__selects_it() {
    let home = tempfile::tempdir().expect("a folder");
    let launch = || Launch::echo("").without_data_settings();
    let refused = launch().run().await;
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--data-dir") && refused.stderr.contains("--ephemeral"), "{refused:?}");
    let path = home.path().to_str().expect("UTF-8");
    let server = launch().environment("HOME", path).start().await;
    say(&server, "one").await;
    assert!(home.path().join(".local/share/agent-server").is_dir());
    let other = tempfile::tempdir().expect("a folder");
    let data = other.path().to_str().expect("UTF-8");
    launch().environment("HOME", path).environment("XDG_DATA_HOME", data).start().await.check_health().await;
    assert!(other.path().join("agent-server").is_dir());
}

#[tokio::test]
async fn print_config__url_password__is_redacted() {
    let launch =
        Launch::bare(&["--print-config", "--store", "redis://me:geheim@h:1/0"]).without_data_settings();
    let ended = launch.run().await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("redis://[redacted]@h:1/0") && !ended.stdout.contains("geheim"),
        "{ended:?}"
    );
}
