//! A server whose store fails and recovers.

use agent_tests::redis::RedisServer;
use agent_tests::{Launch, Server, pause, within};

/// Waits until the server reports that it is ready, or that it is not.
async fn readiness(server: &Server, wanted: u16) {
    within("the server to notice", async {
        while server.connect().await.get("/readiness").await.status != wanted {
            pause().await;
        }
    })
    .await;
}

async fn messages(server: &Server) -> Option<usize> {
    let answer = server.connect().await.get("/sessions/s/messages?user_id=u").await;
    (answer.status == 200).then(|| answer.json()["data"].as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn redis_outage__server_stays_up_and_recovers() {
    let mut redis = RedisServer::start_durable().expect("a Redis server");
    let launch = Launch::echo("").arguments(&["--store", &redis.url()]).without_data_settings();
    let server = launch.start().await;
    let more = ",\"stream\":false,\"session_id\":\"s\",\"user_id\":\"u\"";
    assert_eq!(server.connect().await.process("one", more).await.status, 200);
    assert_eq!(messages(&server).await, Some(2));
    readiness(&server, 200).await;

    redis.kill();
    readiness(&server, 503).await;
    let away = server.connect().await.get("/sessions/s?user_id=u").await;
    assert_eq!(away.status, 503, "{away:?}");
    assert_eq!(away.json()["error"]["code"], "STORE_UNAVAILABLE");
    assert!(away.header("retry-after").is_some());
    server.check_health().await;
    assert_eq!(server.connect().await.get("/liveness").await.status, 200);

    redis.restart().expect("it starts again");
    readiness(&server, 200).await;
    // A full Redis answers, but rejects writes.
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]).expect("set");
    readiness(&server, 503).await;
    let full = server.connect().await.get("/readiness").await.json();
    assert_eq!(full["reason"], "store_full");
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]).expect("set");
    readiness(&server, 200).await;
    assert_eq!(messages(&server).await, Some(2), "no acknowledged data is lost");
    assert_eq!(server.connect().await.process("two", more).await.status, 200);
    assert_eq!(messages(&server).await, Some(4));
    server.check_health().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn readiness__disk_takes_no_writes__is_off_until_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    // If a file may not grow, the signal would end the process before the error reaches SQLite.
    let server = Launch::echo("").data_dir(folder.path()).shell("trap '' XFSZ").start().await;
    readiness(&server, 200).await;
    server.limit_file_size(Some(0));
    readiness(&server, 503).await;
    let answer = server.connect().await.get("/readiness").await.json();
    assert_eq!(
        (answer["status"].as_str(), answer["reason"].as_str()),
        (Some("not_ready"), Some("store_failed"))
    );
    let refused = server.connect().await.process("one", "").await;
    assert!(refused.status >= 500, "{refused:?}");
    server.limit_file_size(None);
    readiness(&server, 200).await;
    assert_eq!(server.connect().await.process("two", ",\"stream\":false").await.status, 200);
    server.check_health().await;
}
