//! The limits that have a setting.

use agent_services::backend::OpenOptions;
use agent_services::limits::StoreLimits;
use agent_tests::client::{post, process};
use agent_tests::{Answer, Connection, Launch, Server, within};
use futures_util::StreamExt;
use serde_json::json;

use super::{Reached, check_has_room, first_error, plain, rows, serve};

/// The first word comes at once, the second after a minute.
const SLOW: &str = ",\"delay_ms\":60000";

/// Settings in the sections with limits that are not limits for clients: they select a behavior, set how long something is
/// kept, or limit what an agent may start.
const OTHERS: [&str; 15] = [
    "runs.anonymous_session_seconds",
    "runs.max_children",
    "http.endpoint_path",
    "http.cors_origins",
    "http.allowed_hosts",
    "http.heartbeat_seconds",
    "runs.response_seconds",
    "runs.lease_seconds",
    "runs.session_policy",
    "runs.durability",
    "runs.cancel_grace_seconds",
    "runs.on_disconnect",
    "runs.disconnect_grace_seconds",
    "runs.retention_seconds",
    "runs.retention_bytes",
];

#[tokio::test]
async fn limits__every_row_of_the_page__is_answered_as_it_says() {
    for row in rows("setting") {
        let (setting, expected) = (plain(row[0]), plain(row[4]));
        let reached = reach(&setting).await;
        assert_eq!(reached.answer, expected, "{setting}: {:?}", reached.message);
        if let Some(message) = reached.message {
            assert!(message.contains(&setting), "{setting} is not named: {message}");
        }
    }
}

#[tokio::test]
async fn limits__page__has_every_setting_with_its_variable_and_default() {
    let printed = Launch::bare(&["--print-config"]).run().await.stdout;
    let mut section = String::new();
    let mut found = Vec::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((name, value)) = line.split_once(" = ")
            && ["http", "runs"].contains(&section.as_str())
        {
            found.push((format!("{section}.{name}"), value.to_owned()));
        }
    }
    let stores = StoreLimits::default();
    found.push(("services.session_messages".to_owned(), stores.session_messages.to_string()));
    found.push(("services.session_bytes".to_owned(), stores.session_bytes.to_string()));
    found.push(("services.item_bytes".to_owned(), stores.item_bytes.to_string()));
    found.push(("services.memory_bytes".to_owned(), OpenOptions::MEMORY_BYTES.to_string()));
    found.retain(|(setting, _)| !OTHERS.contains(&setting.as_str()));
    found.sort();
    let row = |row: Vec<&str>| {
        let setting = plain(row[0]);
        let variable = format!("AGENT_SERVER_{}", setting.replace('.', "_").to_ascii_uppercase());
        assert_eq!(plain(row[1]), variable, "{setting}");
        (setting, row[2].to_owned())
    };
    let mut documented: Vec<_> = rows("setting").into_iter().map(row).collect();
    documented.sort();
    assert_eq!(documented, found);
}

async fn reach(setting: &str) -> Reached {
    match setting {
        "http.max_connections" => too_many_connections("max_connections = 1").await,
        "http.max_connections_per_address" => too_many_connections("max_connections_per_address = 1").await,
        "http.header_timeout_seconds" => {
            let server = serve("[http]\nheader_timeout_seconds = 1\n").await;
            let mut connection = server.connect().await;
            connection.send(b"GET /health HTTP/1.1\r\nhost: lo").await;
            closed(connection).await
        }
        "http.keep_alive_seconds" => {
            let server = serve("[http]\nkeep_alive_seconds = 1\n").await;
            let mut connection = server.connect().await;
            assert_eq!(connection.get("/health").await.status, 200);
            closed(connection).await
        }
        "http.read_timeout_seconds" => {
            let server = serve("[http]\nread_timeout_seconds = 1\n").await;
            let mut connection = server.connect().await;
            connection.send(&post(&" ".repeat(100))[..150]).await;
            Reached::error(&connection.answer().await)
        }
        "http.write_timeout_seconds" => {
            let server = serve("[http]\nwrite_timeout_seconds = 1\n").await;
            let mut connection = server.connect().await;
            connection.send(&unreadable_amount()).await;
            server.logged("the client's line", |line| line["client_gone"] == true).await;
            Reached::other("closed")
        }
        "http.websocket_seconds" => {
            let server = serve("[http]\nwebsocket_seconds = 1\n").await;
            let stream = tokio::net::TcpStream::connect(server.address()).await.expect("a connection");
            let url = format!("ws://{}/v1/responses", server.address());
            let (socket, _) =
                tokio_tungstenite::client_async(url, stream).await.expect("it speaks WebSocket");
            let messages =
                socket.filter_map(|message| std::future::ready(message.expect("readable").into_text().ok()));
            let texts = messages.filter(|text| std::future::ready(!text.is_empty())).collect::<Vec<_>>();
            let texts = within("the end of the connection", texts).await;
            let event: serde_json::Value = serde_json::from_str(&texts[0]).expect("JSON");
            let code = event["error"]["code"].as_str().expect("a code");
            let message = event["error"]["message"].as_str().map(str::to_owned);
            Reached { answer: format!("{} {code}", event["status"]), message }
        }
        "http.body_limit_bytes" => {
            let server = serve("[http]\nbody_limit_bytes = 100\n").await;
            Reached::error(&server.connect().await.process(&"x".repeat(100), "").await)
        }
        "http.bodies_bytes" => no_room_for_a_body().await,
        "http.json_depth" => {
            let server = serve("[http]\njson_depth = 5\n").await;
            Reached::error(&server.connect().await.process("deep", ",\"x\":[[[[[[]]]]]]").await)
        }
        "http.unread_bytes" => {
            let server = serve("[http]\nunread_bytes = 1000\n").await;
            let mut connection = server.connect().await;
            connection.send(&unreadable_amount()).await;
            let answer = first_error(&server, "/").await;
            server.check_health().await;
            drop(connection);
            check_has_room(&server).await;
            Reached::error(&answer)
        }
        "runs.max_runs" | "runs.max_waiting" => {
            let server = serve("[runs]\nmax_runs = 1\nmax_waiting = 0\n").await;
            let _held = begin(&server, "").await;
            Reached::error(&server.connect().await.process("no", "").await)
        }
        "runs.max_queued" => {
            let server = serve("[runs]\nmax_queued = 0\n").await;
            let _held = begin(&server, ",\"session_id\":\"s\"").await;
            Reached::error(&server.connect().await.process("no", ",\"session_id\":\"s\"").await)
        }
        "runs.queued_bytes" => {
            let server = serve("[runs]\nqueued_bytes = 10\n").await;
            let _held = begin(&server, ",\"session_id\":\"s\"").await;
            let _waiting = begin(&server, ",\"session_id\":\"s\"").await;
            Reached::error(&server.connect().await.process("no", ",\"session_id\":\"s\"").await)
        }
        "runs.run_time_seconds" => {
            let server = serve("[runs]\nrun_time_seconds = 1\n").await;
            failed(&server.connect().await.process("a b", &format!("{SLOW},\"stream\":false")).await)
        }
        "runs.log_bytes" => {
            let server = serve("[runs]\nlog_bytes = 10000\n").await;
            failed(&server.connect().await.process(&"word ".repeat(100), ",\"stream\":false").await)
        }
        "runs.memory_bytes" => out_of_memory().await,
        "runs.unstored_bytes" => {
            let server = serve("[runs]\nunstored_bytes = 1\n").await;
            let answer = server.connect().await.process(&"word ".repeat(2000), ",\"stream\":false").await;
            assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("completed")));
            Reached::other("waits")
        }
        "services.session_messages" => append("session_messages = 1", 2, "x").await,
        "services.session_bytes" => append("session_bytes = 1000", 2, &"x".repeat(400)).await,
        "services.memory_bytes" => {
            let server = serve("[services]\nmemory_bytes = 10000\n").await;
            let mut answers = Vec::new();
            while answers.last().is_none_or(|answer: &Answer| answer.status == 200) {
                assert!(answers.len() < 10, "{answers:?}");
                answers.push(append_to(&server, 1, &"x".repeat(5000)).await);
            }
            Reached::error(answers.last().expect("an answer"))
        }
        "services.item_bytes" => append("item_bytes = 300", 1, &"x".repeat(400)).await,
        _ => panic!("this test does not know how to reach {setting}"),
    }
}

/// A request whose answer is larger than the sockets' buffers.
fn unreadable_amount() -> Vec<u8> {
    process(&"x".repeat(5_000_000), "")
}

/// Starts a run that writes its first word and then waits.
async fn begin(server: &Server, fields: &str) -> Connection {
    let mut connection = server.connect().await;
    connection.send(&process("first second", &format!("{SLOW}{fields}"))).await;
    assert_eq!(connection.head().await.status, 200);
    connection
}

async fn closed(mut connection: Connection) -> Reached {
    assert_eq!(connection.everything().await, b"", "nothing is answered");
    Reached::other("closed")
}

/// The error of a run that failed, whose answer is its response.
fn failed(answer: &Answer) -> Reached {
    let error = &answer.json()["error"];
    Reached {
        answer: format!("{} {}", answer.status, error["code"].as_str().unwrap_or_default()),
        message: error["message"].as_str().map(str::to_owned),
    }
}

async fn too_many_connections(setting: &str) -> Reached {
    let server = serve(&format!("[http]\n{setting}\n")).await;
    let mut first = server.connect().await;
    assert_eq!(first.get("/v1/models").await.status, 200);
    let refused = server.connect().await.get("/process").await;
    assert_eq!(refused.header("connection"), Some("close"), "{refused:?}");
    let in_shape = server.connect().await.get("/v1/models").await.json();
    assert_eq!(
        in_shape["error"]["code"], "too_many_connections",
        "errors on a protocol's path have its format"
    );
    server.check_health().await;
    assert_eq!(first.get("/v1/models").await.status, 200, "those that are open are served");
    drop(first);
    check_has_room(&server).await;
    Reached::error(&refused)
}

async fn no_room_for_a_body() -> Reached {
    let server = serve("[http]\nbodies_bytes = 10000\n").await;
    let alone = server.connect().await.process(&",".repeat(500), "").await;
    assert_eq!(alone.status, 413, "it needs more than the budget of all: {alone:?}");
    let half = post(&" ".repeat(9000));
    let refused = within("a body to be refused", async {
        loop {
            let mut slow = server.connect().await;
            slow.send(&half[..half.len() - 1]).await;
            // If this body is read first, the slow one is refused instead.
            let answer = server.connect().await.process(&"x".repeat(2000), "").await;
            if answer.status != 200 {
                return answer;
            }
        }
    })
    .await;
    within("the server to have room for a body", async {
        while server.connect().await.process(&"x".repeat(2000), "").await.status == 503 {}
    })
    .await;
    Reached::error(&refused)
}

async fn out_of_memory() -> Reached {
    let server = serve("[runs]\nmemory_bytes = 300000\n").await;
    let large = "x".repeat(150_000);
    let failed = server.connect().await.process(&large, ",\"stream\":false").await;
    assert_eq!((failed.status, &failed.json()["error"]["code"]), (503, &json!("MEMORY_LIMIT_EXCEEDED")));
    let _held = begin(&server, &format!(",\"x\":\"{}\"", "x".repeat(200_000))).await;
    let refused = server.connect().await.process(&large, "").await;
    assert_eq!(server.connect().await.process("small", "").await.status, 200);
    Reached::error(&refused)
}

async fn append(setting: &str, count: usize, text: &str) -> Reached {
    let server = serve(&format!("[services]\n{setting}\n")).await;
    Reached::error(&append_to(&server, count, text).await)
}

async fn append_to(server: &Server, count: usize, text: &str) -> Answer {
    let message = json!({ "role": "user", "content": [{ "type": "text", "text": text }] });
    let body = json!({ "messages": vec![message; count] });
    server.connect().await.call("POST", "/sessions/s/messages?user_id=u", Some(&body)).await
}
