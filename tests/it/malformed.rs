//! Sends invalid requests: no 5xx, no panic, and the server keeps running.

mod openai;

use std::time::Duration;

use agent_tests::client::{post, process};
use agent_tests::{Launch, Server, rounds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::task::JoinSet;

/// The number of concurrent exchanges.
const AT_ONCE: usize = 64;

async fn server() -> Server {
    let config = "[http]\nheader_timeout_seconds = 1\nkeep_alive_seconds = 1\nread_timeout_seconds = 1\n\
                  body_limit_bytes = 100000\n";
    Launch::echo(config).start().await
}

/// Sends bytes on a separate connection, and returns the answer.
async fn exchange(address: std::net::SocketAddr, bytes: &[u8], finish: bool) -> Vec<u8> {
    let mut connection = agent_tests::Connection::open(address).await;
    connection.send(bytes).await;
    if finish {
        connection.finish().await;
    }
    connection.everything().await
}

/// The statuses anywhere in the answer.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

async fn check_all(server: &Server, requests: Vec<(Vec<u8>, bool)>) {
    let mut under_way = JoinSet::new();
    let mut requests = requests.into_iter();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((bytes, finish)) = requests.next()
        {
            let address = server.address();
            under_way.spawn(async move {
                let answer = exchange(address, &bytes, finish).await;
                (bytes, answer)
            });
        }
        let Some(done) = under_way.join_next().await else { break };
        let (bytes, answer) = done.expect("no exchange fails");
        let server_errors = statuses(&answer).into_iter().any(|status| status >= 500);
        assert!(
            !server_errors,
            "{:?} was answered with {}",
            bytes.escape_ascii().to_string(),
            String::from_utf8_lossy(&answer)
        );
        assert!(
            openai::is_in_shape(&bytes, &answer),
            "{:?} was answered in another shape: {}",
            bytes.escape_ascii().to_string(),
            String::from_utf8_lossy(&answer)
        );
    }
    server.check_health().await;
    assert!(!server.log().contains("\"ERROR\""), "invalid requests are not errors of the server");
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let hard: Vec<&[u8]> = vec![
        b"\0",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\xff\xfe",
        b"\xc3\x28",
        b"{",
        b"[",
        b"\"",
        b"\\u0000",
        b"\\ud800",
        b":",
        b"1e999",
        b"-",
        b"null",
        b"transfer-encoding: chunked\r\n",
        b"content-length: 99999999999999999999\r\n",
        b"content-length: -1\r\n",
        b"expect: 100-continue\r\n",
        b"upgrade: h2c\r\nconnection: upgrade\r\n",
        b"host: \r\n",
        b"connection: close\r\n",
        b"%00",
        b"\xe2\x80\xa8",
    ];
    let insert = prop_oneof![
        3 => proptest::sample::select(hard).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..20),
    ];
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        1 => any::<Index>().prop_map(Mutation::Cut),
        2 => (any::<Index>(), 1_usize..30).prop_map(|(at, count)| Mutation::Remove(at, count)),
        4 => (any::<Index>(), insert).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => (any::<Index>(), 1_usize..200).prop_map(|(at, count)| Mutation::Repeat(at, count)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
    match mutation {
        Mutation::Flip(index, byte) => {
            let at = at(index, bytes);
            if let Some(old) = bytes.get_mut(at) {
                *old = *byte;
            }
        }
        Mutation::Cut(index) => bytes.truncate(at(index, bytes)),
        Mutation::Remove(index, count) => {
            let start = at(index, bytes);
            bytes.drain(start..(start + count).min(bytes.len()));
        }
        Mutation::Insert(index, new) => {
            let at = at(index, bytes);
            bytes.splice(at..at, new.iter().copied());
        }
        Mutation::Repeat(index, count) => {
            let start = at(index, bytes);
            let piece = bytes[start..(start + 8).min(bytes.len())].repeat(*count);
            bytes.splice(start..start, piece);
        }
    }
}

/// A valid request with some random damage, or only random bytes.
fn damaged() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let get = b"GET /health?x=1 HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n".to_vec();
    let chunked = b"POST /process HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n\
        5\r\n{\"inp\r\n8\r\nut\": []}\r\n0\r\n\r\n";
    let rich =
        process("a b", ",\"n\":2,\"stop\":[\"x\"],\"tools\":[{\"type\":\"function\"}],\"temperature\":0.5");
    let mut valid = openai::valid();
    valid.extend([get, chunked.to_vec(), rich, process("", ",\"stream\":false"), post("{\"input\":[]}")]);
    let mutated =
        (proptest::sample::select(valid), vec(mutation(), 1..5)).prop_map(|(mut bytes, mutations)| {
            mutations.iter().for_each(|mutation| mutate(&mut bytes, mutation));
            bytes
        });
    let bytes = prop_oneof![8 => mutated, 1 => vec(any::<u8>(), 0..300)];
    (bytes, proptest::bool::weighted(0.8))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_requests__never_answer_5xx() {
    let server = server().await;
    check_all(&server, samples(&damaged(), 16)).await;
}

/// This many values per round.
fn samples<S: Strategy>(strategy: &S, times: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    let mut sample = || strategy.new_tree(&mut runner).expect("nothing is rejected").current();
    (0..rounds(64) * times).map(|_| sample()).collect()
}

/// Sends bytes and waits for the first answer.
async fn check_status(server: &Server, request: &[u8], expected: &[u16]) {
    let found = statuses(&exchange(server.address(), request, false).await);
    let shown: String = request.iter().take(200).map(|byte| char::from(*byte)).collect();
    assert!(found.first().is_some_and(|status| expected.contains(status)), "{found:?} for {shown:?}");
}

fn with_header(header: &str) -> Vec<u8> {
    format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn malformed_http__answers_its_status() {
    let server = server().await;
    check_status(&server, b"GARBAGE\r\n\r\n", &[400]).await;
    check_status(&server, b"GET / HTTP/9.9\r\n\r\n", &[400]).await;
    check_status(&server, b"GET /\0 HTTP/1.1\r\nhost: localhost\r\n\r\n", &[400]).await;
    check_status(&server, &with_header("a b: c"), &[400]).await;
    check_status(&server, &with_header("x: a\0b"), &[400]).await;
    check_status(&server, &with_header(&format!("x: {}", "y".repeat(600_000))), &[431]).await;
    check_status(&server, &with_header(&"x: y\r\n".repeat(500)), &[431]).await;
    check_status(&server, format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(600_000)).as_bytes(), &[414, 431])
        .await;
    check_status(&server, &with_header("x: \u{e4}\u{2028}"), &[200]).await;
    let post = |rest: &str| {
        format!("POST /process HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}").into_bytes()
    };
    check_status(&server, &post("content-length: x\r\n\r\n{}"), &[400]).await;
    check_status(&server, &post("content-length: 5\r\ncontent-length: 6\r\n\r\n{}    "), &[400]).await;
    check_status(&server, &post("transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), &[400]).await;
    check_status(&server, &post("transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}"), &[400]).await;
    check_status(&server, &post("content-length: 100\r\n\r\n{\"input\""), &[408]).await;
    server.check_health().await;
}

#[tokio::test]
async fn unusual_bodies__answer_their_status() {
    let server = server().await;
    let check = async |body: &[u8], expected: &[u16]| {
        let head = format!(
            "POST /process HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        check_status(&server, &[head.as_bytes(), body].concat(), expected).await;
    };
    check(b"{\"input\": \"\xff\xfe\"}", &[400]).await;
    check(b"{\"input\": []}\0", &[422]).await;
    check(b"\xef\xbb\xbf{\"input\": []}", &[200]).await;
    check("[".repeat(90_000).as_bytes(), &[400]).await;
    check("{\"a\":".repeat(10_000).as_bytes(), &[400]).await;
    check(&[b' '; 200_000], &[413]).await;
    check(br#"{"input": [], "id": "\ud800"}"#, &[422]).await;
    check(br#"{"input": [], "temperature": NaN}"#, &[422]).await;
    check(br#"{"input": [], "max_tokens": 1e400}"#, &[422]).await;
    check(br#"{"input": [], "input": null}"#, &[422]).await;
    check(br#"{"input": [], "id": "a\u0000b", "session_id": "\n", "user_id": "\u2028"}"#, &[200]).await;
    let many: String = (0..9_000).map(|number| format!(",\"k{number}\":0")).collect();
    check(format!("{{\"input\":[]{many}}}").as_bytes(), &[200]).await;
    let messages = "{},".repeat(20_000);
    check(format!("{{\"input\":[{}]}}", messages.trim_end_matches(',')).as_bytes(), &[200]).await;
    server.check_health().await;
}

#[tokio::test]
async fn headers__never_ending__are_cut_off() {
    let server = server().await;
    let mut waiting = JoinSet::new();
    for start in ["", "GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: "] {
        let address = server.address();
        waiting.spawn(async move { exchange(address, start.as_bytes(), false).await });
    }
    // Without the setting it would be 30 seconds.
    let all_closed = tokio::time::timeout(Duration::from_secs(20), waiting.join_all()).await;
    for answer in all_closed.expect("the server closes the connections") {
        assert!(statuses(&answer).iter().all(|status| *status < 500), "{answer:?}");
    }
    server.check_health().await;
}
