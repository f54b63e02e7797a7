//! `agent-server sessions`.

use std::path::Path;

use agent_tests::Launch;
use agent_tests::server::Ended;

use super::{echo, said, say};

async fn sessions(folder: &Path, arguments: &[&str]) -> Ended {
    Launch::bare(&[&["sessions"], arguments].concat()).data_dir(folder).run().await
}

#[tokio::test]
async fn sessions_command__beside_running_server__reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = echo(folder.path()).start().await;
    say(&server, "one\u{7}").await;
    let list = sessions(folder.path(), &["list", "--user-id", "ann"]).await;
    assert_eq!((list.code, list.stdout.as_str()), (0, "a/b c\t2 messages\n"), "{list:?}");
    let shown = sessions(folder.path(), &["show", "a/b c", "--user-id", "ann"]).await;
    assert_eq!(shown.stdout, "user: one\\u{7}\nassistant: one\\u{7}\n", "{shown:?}");
    let stranger = sessions(folder.path(), &["show", "a/b c"]).await;
    assert_eq!(stranger.code, 1);
    assert!(stranger.stderr.contains("there is no session 'a/b c'"), "{stranger:?}");
    let locked = sessions(folder.path(), &["delete", "a/b c", "--user-id", "ann"]).await;
    assert_eq!(locked.code, 1);
    assert!(locked.stderr.contains("--server"), "{locked:?}");
    assert_eq!(said(&server).await.len(), 2);
}

#[tokio::test]
async fn sessions_command__export_and_import__copies_sessions() {
    let (from, to) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    {
        let mut server = echo(from.path()).start().await;
        say(&server, "one").await;
        say(&server, "two").await;
        server.signal(rustix::process::Signal::TERM);
        server.exit().await;
    }
    let exported = sessions(from.path(), &["export", "--user-id", "ann"]).await;
    assert_eq!(exported.stdout.lines().count(), 5, "{exported:?}");
    let file = to.path().join("lines.jsonl");
    std::fs::write(&file, &exported.stdout).expect("written");
    // Into a folder without a server, and again, which adds nothing.
    for added in ["added 4 messages\n", "added 0 messages\n"] {
        let imported = Launch::bare(&["sessions", "import"]).data_dir(to.path()).stdin(&file).run().await;
        assert_eq!((imported.code, imported.stdout.as_str()), (0, added), "{imported:?}");
    }
    assert_eq!(sessions(to.path(), &["export", "--user-id", "ann"]).await.stdout, exported.stdout);

    // Through a running server, and deleted again.
    let server = Launch::echo("").start().await;
    let address = format!("http://{}", server.address());
    let import = Launch::bare(&["sessions", "import", "--server", &address]).stdin(&file).run().await;
    assert_eq!((import.code, import.stdout.as_str()), (0, "added 4 messages\n"), "{import:?}");
    assert_eq!(said(&server).await, ["user: one", "assistant: one", "user: two", "assistant: two"]);
    let delete = ["sessions", "delete", "a/b c", "--user-id", "ann", "--server", &address];
    assert_eq!(Launch::bare(&delete).run().await.code, 0);
    let again = Launch::bare(&delete).run().await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("there is no session"), "{again:?}");
}

#[tokio::test]
async fn import__invalid_line__is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lines.jsonl");
    for (lines, complaint) in [
        ("{\"message\":{}}", "line 1 of standard input: a message line needs a session line before it"),
        ("\n{}", "line 2 of standard input: expected a session or a message"),
        ("{\"session\":{\"id\":\"s\"}}", "line 1 of standard input: the session has no user_id"),
        ("{", "line 1 of standard input"),
    ] {
        std::fs::write(&file, lines).expect("written");
        let ended = Launch::bare(&["sessions", "import"]).data_dir(folder.path()).stdin(&file).run().await;
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.stderr.contains(complaint), "{complaint:?} is missing in {ended:?}");
    }
    let nowhere = Launch::bare(&["sessions", "import", "--server", "nowhere"]).stdin(&file).run().await;
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    let empty = tempfile::tempdir().expect("a folder");
    let none = sessions(&empty.path().join("none"), &["list", "--user-id", "ann"]).await;
    assert_ne!(none.code, 101, "{none:?}");
}
