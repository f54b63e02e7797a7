//! Ordinary requests over the wire: statuses, headers, reused connections, and allowed origins and hosts.

use agent_tests::client::{post, process};
use agent_tests::{Launch, Server};
use serde_json::Value;

async fn server(config: &str) -> Server {
    Launch::echo(config).start().await
}

fn text_of(event: &Value) -> &str {
    event["output"][0]["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn stream__events__are_numbered() {
    let server = server("").await;
    let answer = server.connect().await.process("Hello, wörld \u{2028}你好", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert!(answer.header("x-run-id").is_some_and(|id| id.starts_with("run_") && id.len() >= 36));
    assert!(answer.body.starts_with("id: 0\ndata: {\"sequence_number\":0,"), "{}", answer.body);
    assert!(!answer.body.contains('\u{2028}'), "line separators are escaped");
    let events = answer.events();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let last = events.last().expect("events");
    assert_eq!((last["status"].as_str(), text_of(last)), (Some("completed"), "Hello, wörld \u{2028}你好"));
}

#[tokio::test]
async fn stream_false__answers_one_object() {
    let server = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let mut connection = server.connect().await;
    let answer = connection.process("picture", ",\"stream\":false").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json()["status"], "completed");
    let failed = connection.process("please fail", ",\"stream\":false").await;
    assert_eq!(failed.status, 422, "the status of AGENT_ERROR");
    assert_eq!(failed.json()["error"]["code"], "AGENT_ERROR");
    assert_eq!(failed.json()["object"], "response");
    let request = String::from_utf8(process("hi", ",\"stream\":false")).expect("text");
    let wants_events = request.replacen("\r\n", "\r\naccept: text/event-stream\r\n", 1);
    let streamed = connection.send(wants_events.as_bytes()).await.answer().await;
    assert_eq!(streamed.header("content-type"), Some("text/event-stream; charset=utf-8"));
}

#[tokio::test]
async fn refusals__have_status_and_reason() {
    let server =
        server("[http]\nbody_limit_bytes = 2000\njson_depth = 20\n[runs]\nmax_runs = 1\nmax_waiting = 0\n")
            .await;
    let check = async |request: &[u8], status: u16, code: &str| {
        let answer = server.connect().await.send(request).await.answer().await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
        let body = answer.json();
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(!body["detail"].is_null(), "{body}");
        answer
    };
    check(&post("{}"), 422, "INVALID_REQUEST").await;
    check(&post("{bad"), 422, "MALFORMED_JSON").await;
    check(&post(""), 422, "INVALID_REQUEST").await;
    check(&post(&"[".repeat(500)), 400, "UNREADABLE_BODY").await;
    check(&process(&"x".repeat(3000), ""), 413, "PAYLOAD_TOO_LARGE").await;
    check(&process("", ",\"on_disconnect\":\"explode\""), 422, "INVALID_REQUEST").await;
    check(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, "NOT_FOUND").await;
    let wrong = check(b"GET /process HTTP/1.1\r\nhost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED").await;
    assert_eq!(wrong.header("allow"), Some("POST"));
    let chunked = b"POST /process HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunked = [chunked.as_slice(), b"bb8\r\n", &[b' '; 3000], b"\r\n0\r\n\r\n"].concat();
    check(&chunked, 413, "PAYLOAD_TOO_LARGE").await;
    let mut busy = server.connect().await;
    busy.send(&process("a b", ",\"delay_ms\":60000")).await.head().await;
    let refused = check(&process("c", ""), 429, "TOO_MANY_RUNS").await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    server.check_health().await;
}

#[tokio::test]
async fn failed_run__answers_status_of_its_code() {
    let server = server("").await;
    let fields = ",\"delay_ms\":-1,\"stream\":false";
    let answer = server.connect().await.process("a", fields).await;
    assert_eq!(answer.status, 400, "the status of INVALID_PARAMETER");
    let streamed = server.connect().await.process("a", ",\"delay_ms\":-1").await;
    assert_eq!(streamed.status, 200);
    let events = streamed.events();
    assert_eq!(events.last().expect("events")["error"]["code"], "INVALID_PARAMETER");
}

#[tokio::test]
async fn connection__reused_or_pipelined__works() {
    let server = server("").await;
    let mut connection = server.connect().await;
    for word in ["one", "two", "three"] {
        let answer = connection.process(word, "").await;
        assert_eq!(text_of(answer.events().last().expect("events")), word);
    }
    let words = ["four", "five", "six"];
    let together: Vec<u8> = words.iter().flat_map(|word| process(word, ",\"stream\":false")).collect();
    connection.send(&together).await;
    for word in words {
        assert_eq!(text_of(&connection.answer().await.json()), word);
    }
    assert_eq!(connection.get("/health").await.status, 200);
}

#[tokio::test]
async fn request_id__is_echoed_or_generated() {
    let server = server("").await;
    let check = async |given: &str, echoed: bool| {
        let request = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx-request-id: {given}\r\n\r\n");
        let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
        let id = answer.header("x-request-id").expect("every answer has an id").to_owned();
        assert_eq!(id == given, echoed, "{given:?} became {id:?}");
        assert!(!id.is_empty());
        server.logged("the request's line", |line| line["request.id"] == id.as_str()).await;
    };
    check("abc-123", true).await;
    check("two words", false).await;
    check("", false).await;
    check(&"x".repeat(200), false).await;
    let made = server.connect().await.get("/nowhere").await;
    assert!(made.header("x-request-id").is_some(), "errors have one too: {made:?}");
}

#[tokio::test]
async fn host_and_origin__only_loopback__is_accepted() {
    let server = server("[http]\ncors_origins = [\"https://app.example\"]\n").await;
    let check_host = async |host: &str, status: u16| {
        let request = format!("GET /health HTTP/1.1\r\nhost: {host}\r\n\r\n");
        let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
        assert_eq!(answer.status, status, "{host}: {answer:?}");
    };
    for host in ["localhost:8080", "127.0.0.1", "[::1]:1", "app.localhost"] {
        check_host(host, 200).await;
    }
    for host in ["evil.example", "127.0.0.1.nip.io", "10.0.0.1", "localhost.evil.example:80", ""] {
        check_host(host, 403).await;
    }
    let check_origin = async |origin: &str, allowed: bool| {
        for path in ["/health", "/nowhere"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n\r\n");
            let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
            let echoed = answer.header("access-control-allow-origin");
            assert_eq!(echoed, allowed.then_some(origin), "{origin} at {path}: {answer:?}");
        }
    };
    check_origin("http://localhost:5173", true).await;
    check_origin("https://app.example", true).await;
    check_origin("https://evil.example", false).await;
    check_origin("null", false).await;
}

#[tokio::test]
async fn foreign_web_page__cannot_start_a_run() {
    let server = server("[http]\ncors_origins = [\"https://app.example\"]\n").await;
    let check = async |origin: &str, content_type: &str, status: u16| {
        let body = r#"{"input":[],"stream":false}"#;
        let request = format!(
            "POST /process HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n{content_type}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
        assert_eq!(answer.status, status, "{origin}: {answer:?}");
        assert_eq!(answer.header("x-run-id").is_some(), status == 200, "{origin}: {answer:?}");
    };
    for content_type in ["", "content-type: application/json\r\n"] {
        check("https://app.example", content_type, 200).await;
        check("http://localhost:3000", content_type, 200).await;
        check("https://evil.example", content_type, 403).await;
        check("http://localhost.evil.example", content_type, 403).await;
        check("null", content_type, 403).await;
    }
}

#[tokio::test]
async fn public_server__any_host__is_accepted() {
    let launch = Launch::echo("").arguments(&["--host", "0.0.0.0", "--allow-unauthenticated"]);
    let server = launch.start().await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.address().port()));
    let mut connection = agent_tests::Connection::open(address).await;
    connection.send(b"GET /health HTTP/1.1\r\nhost: agents.example\r\n\r\n").await;
    assert_eq!(connection.answer().await.status, 200);
}

#[tokio::test]
async fn preflight__without_a_valid_host__is_refused() {
    let server = server("").await;
    let origin = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n";
    for (host, status) in [
        ("", 400),
        ("Host: localhost\r\nHost: localhost\r\n", 400),
        ("Host: a b\r\n", 400),
        ("Host: localhost\r\n", 200),
    ] {
        let request = format!("OPTIONS /process HTTP/1.1\r\n{host}{origin}\r\n");
        let answer = server.connect().await.send(request.as_bytes()).await.answer().await;
        assert_eq!(answer.status, status, "{host:?}: {answer:?}");
    }
}

#[tokio::test]
async fn input_tokens__of_an_unknown_agent__is_not_found() {
    let agents = "[agents.one]\nkind = \"echo\"\n[agents.two]\nkind = \"demo\"\n";
    let server = Launch::bare(&["--port", "0"]).config(agents).start().await;
    for (model, status) in [("two", 200), ("three", 404)] {
        let body = serde_json::json!({ "model": model, "input": "x" });
        let answer = server.connect().await.call("POST", "/v1/responses/input_tokens", Some(&body)).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
