//! `agent-server store backup`, beside a server that writes, and a server on the copy.

use std::path::Path;

use agent_tests::server::Ended;
use agent_tests::{Launch, Server};
use serde_json::Value;

/// A configuration with an agent that speaks until it is cancelled.
const SLOW: &str = "[agents.slow]\nkind = \"echo\"\ndelay_ms = 20\n";

async fn backup(data: &Path, into: &Path) -> Ended {
    let into = into.to_str().expect("test folders are UTF-8");
    Launch::bare(&["store", "backup", into]).data_dir(data).run().await
}

async fn info(server: &Server, id: &str) -> Value {
    let answer = server.connect().await.get(&format!("/runs/{id}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn backup__run_being_written__is_read_from_the_copy() {
    let (data, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = Launch::echo(SLOW).data_dir(data.path()).start().await;
    let session = ",\"session_id\":\"s\",\"user_id\":\"ann\"";
    let ended = server.connect().await.process("Remember this", session).await;
    let ended = ended.header("x-run-id").expect("an id").to_owned();
    let mut connection = server.connect().await;
    let words = "word ".repeat(10_000);
    connection.send(&agent_tests::client::process(&words, ",\"model\":\"slow\"")).await;
    let running = connection.head().await.header("x-run-id").expect("an id").to_owned();
    connection.until("\"delta\":true").await;

    let copy = copies.path().join("copy");
    let done = backup(data.path(), &copy).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.ends_with(&format!("agent-server --data-dir '{}'\n", copy.display())), "{done:?}");
    let again = backup(data.path(), &copy).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("is not empty; name another one"), "{again:?}");
    assert_eq!(info(&server, &running).await["status"], "in_progress", "the server goes on");

    let url = format!("sqlite:{}", copy.display());
    let restored = Launch::echo("").without_data_settings().arguments(&["--store", &url]).start().await;
    assert_eq!(info(&restored, &ended).await["status"], "completed");
    let messages = restored.connect().await.get("/sessions/s/messages?user_id=ann").await;
    assert!(messages.body.contains("Remember this"), "{messages:?}");
    // Its server is gone, as far as the copy knows, and some of its answer has been shown.
    let run = info(&restored, &running).await;
    assert_eq!(run["status"], "in_progress", "{run}");
    let events = restored.connect().await.get(&format!("/runs/{running}/events?after=0")).await;
    assert_eq!(events.status, 200, "{events:?}");
    restored.check_health().await;
    server.check_health().await;
}

#[tokio::test]
async fn backup__nothing_to_copy__says_so() {
    let (data, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let none = backup(data.path(), &copies.path().join("one")).await;
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.stderr.contains("there is no "), "{none:?}");
    for (store, expected) in [("redis://me:geheim@h", "redis-cli BGSAVE"), ("memory:", "nothing to back up")]
    {
        let arguments = ["store", "backup", "copy", "--store", store];
        let ended = Launch::bare(&arguments).data_dir(data.path()).run().await;
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.stderr.contains(expected) && !ended.stderr.contains("geheim"), "{ended:?}");
    }
}
