//! `agent-server users forget`, over a running server and on its data folder.

use std::path::Path;

use agent_tests::Launch;
use rustix::process::Signal;

async fn forget(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let arguments = [&["users", "forget", "ann"], more].concat();
    let ended = Launch::bare(&arguments).data_dir(folder).run().await;
    (ended.code, ended.stdout, ended.stderr)
}

#[tokio::test]
async fn forget__over_a_server_and_in_its_folder__leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Launch::echo("").data_dir(folder.path()).start().await;
    let say = async |server: &agent_tests::Server, session: &str| {
        let more = format!(",\"stream\":false,\"session_id\":\"{session}\",\"user_id\":\"ann\"");
        let said = server.connect().await.process("a secret", &more).await;
        assert_eq!(said.status, 200, "{said:?}");
    };
    say(&server, "one").await;
    say(&server, "two").await;
    let address = format!("http://{}", server.address());
    let (code, out, _) = forget(folder.path(), &["--server", &address]).await;
    assert_eq!((code, out.as_str()), (0, "deleted 2 runs, 2 sessions, 0 states, 0 memories\n"));
    say(&server, "three").await;
    let (code, _, error) = forget(folder.path(), &[]).await;
    assert_eq!(code, 1, "the server has the folder");
    assert!(error.contains("--server"), "{error}");
    server.signal(Signal::TERM);
    server.exit().await;
    for out in [
        "deleted 1 runs, 1 sessions, 0 states, 0 memories\n",
        "deleted 0 runs, 0 sessions, 0 states, 0 memories\n",
    ] {
        let (code, found, error) = forget(folder.path(), &[]).await;
        assert_eq!((code, found.as_str()), (0, out), "{error}");
    }
}
