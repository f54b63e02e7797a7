//! What every worker has to do, tested with the worker of the Python package, or with the command in `AGENT_TEST_WORKER`.
//!
//! The command gets the path of a script as its last argument. Another language brings scripts of its own with the same
//! agents.

mod test_server;

use std::io::Write;

use serde_json::json;

use self::test_server::{CREDIT, MAX_PAYLOAD, TestServer, encode, kind, pieces, read, start_of};

#[test]
fn ready__names_the_agents_in_their_order() {
    let mut server = TestServer::start("agents.py");
    server.hello(1);
    let ready = server.receive(0);
    assert_eq!(ready.kind, kind::READY);
    let ready = ready.json();
    assert_eq!(
        (&ready["version"], &ready["agents"][0]),
        (&json!(1), &json!({ "name": "echo", "recovery": "continue" }))
    );
    assert_eq!(ready["agents"][1]["recovery"], "give_up");
    assert!(ready["pid"].is_u64() && ready["language"].is_string(), "{ready}");
}

#[test]
fn server__speaks_only_later_versions__is_told() {
    let mut server = TestServer::start("agents.py");
    server.hello(99);
    let failed = server.receive(0);
    assert_eq!(failed.kind, kind::FAILED);
    assert!(failed.json()["message"].as_str().is_some_and(|text| text.contains("99")));
    server.exit();
}

#[test]
fn script__cannot_be_loaded__says_where_and_exits() {
    let mut server = TestServer::start("broken.py");
    server.hello(1);
    let failed = server.receive(0);
    assert_eq!(failed.kind, kind::FAILED);
    let failed = failed.json();
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("line 4")), "{failed}");
    assert!(failed["traceback"].as_str().is_some_and(|text| text.contains("def broken(:")), "{failed}");
    server.exit();
}

#[test]
fn run__answers__in_frames_of_one_part() {
    let mut server = TestServer::ready();
    server.run(7, "echo", "a ü");
    let open = server.receive(7);
    assert_eq!((open.kind, &open.json()["kind"]), (kind::OPEN, &json!("message")));
    for text in ["a ", "ü "] {
        let frame = server.receive(7);
        assert_eq!((frame.kind, frame.part, frame.text()), (kind::TEXT, open.part, text));
    }
    assert_eq!(
        (server.receive(7).kind, server.receive(7).json()),
        (kind::CLOSE, json!({ "status": "completed" }))
    );
}

#[test]
fn frames__arrive_byte_by_byte__are_whole() {
    let mut server = TestServer::ready();
    for byte in encode(kind::RUN, 0, 1, start_of("echo", "slowly").to_string().as_bytes()) {
        server.send_bytes(&[byte]);
    }
    assert_eq!(server.finish(1).0, "slowly ");
}

#[test]
fn request__longer_than_a_frame__does_not_delay_a_cancel() {
    let mut server = TestServer::ready();
    server.run(1, "waits", "x");
    assert_eq!(server.receive(1).kind, kind::OPEN);
    let words = "word ".repeat(MAX_PAYLOAD / 2);
    let frames = pieces(kind::RUN, 2, start_of("echo", &words).to_string().as_bytes(), 300_000);
    assert!(frames.len() > 5);
    for (number, frame) in frames.iter().enumerate() {
        server.send_bytes(frame);
        if number == 1 {
            server.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
            saves(&mut server, 1);
            assert_eq!(server.finish(1).1["status"], "canceled");
        }
    }
    assert_eq!(server.receive(2).kind, kind::OPEN);
}

/// Answers the call of a cancelled run that saves its state.
fn saves(server: &mut TestServer, run: u32) {
    loop {
        let frame = server.receive(run);
        if frame.kind == kind::CALL {
            let call = frame.json();
            assert_eq!(
                (&call["method"], &call["arguments"]),
                (&json!("save_state"), &json!({ "state": { "saved": "x" } }))
            );
            return server.send(kind::REPLY, run, &json!({ "call": call["call"], "result": null }));
        }
    }
}

#[test]
fn text__longer_than_a_frame__is_cut_between_characters() {
    let mut server = TestServer::ready();
    server.run(1, "long", &MAX_PAYLOAD.to_string());
    assert_eq!(server.receive(1).kind, kind::OPEN);
    let (mut characters, mut flags) = (0, Vec::new());
    while characters < MAX_PAYLOAD {
        let frame = server.receive(1);
        assert_eq!(frame.kind, kind::TEXT);
        characters += frame.text().chars().count();
        flags.push(frame.flags);
    }
    assert_eq!(flags.pop(), Some(0), "the last piece");
    assert!(flags.iter().all(|flags| *flags == 1), "{flags:?}");
}

#[test]
fn credit__used_up__stops_that_run_only() {
    let mut server = TestServer::ready();
    server.run(1, "flood", "200");
    let mut received = 0;
    // It may exceed its credit by one frame.
    while received < CREDIT {
        received += server.receive(1).payload.len();
    }
    server.run(2, "echo", "still here");
    assert_eq!(server.finish(2).0, "still here ", "the other run is not delayed");
    // Everything before the answer of the second run has arrived, so more would be here by now.
    assert!(received < CREDIT + 2000, "{received}");
    while received < 200_000 {
        server.send(kind::CREDIT, 1, &json!({ "bytes": 10_000 }));
        let granted = received + 10_000;
        while received < granted.min(200_000) {
            received += server.receive(1).payload.len();
        }
    }
    assert_eq!(server.finish(1).1["status"], "completed");
}

#[test]
fn cancel__of_one_among_many__ends_that_one() {
    let mut server = TestServer::ready();
    for run in 1..=500 {
        server.run(run, "waits", "x");
        assert_eq!(server.receive(run).kind, kind::OPEN);
    }
    for run in [250, 1, 500] {
        server.send(kind::CANCEL, run, &json!({ "reason": "canceled" }));
        saves(&mut server, run);
        assert_eq!(server.finish(run).1["status"], "canceled");
    }
    server.run(501, "echo", "others live");
    assert_eq!(server.finish(501).0, "others live ");
}

#[test]
fn cancel__before_the_request_or_after_the_end__is_no_error() {
    let mut server = TestServer::ready();
    server.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    server.run(1, "waits", "x");
    assert_eq!(server.finish(1), (String::new(), json!({ "status": "canceled" })), "it has not begun");
    server.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    server.run(2, "echo", "next");
    assert_eq!(server.finish(2).0, "next ");
}

#[test]
fn errors__with_and_without_a_code() {
    let mut server = TestServer::ready();
    server.run(1, "fails", "");
    let (_, done) = server.finish(1);
    assert_eq!((&done["status"], &done["error"]["message"]), (&json!("failed"), &json!("secret")));
    assert!(done["error"]["code"].is_null() && done["error"]["traceback"].is_string(), "{done}");
    server.run(2, "refuses", "");
    let (_, done) = server.finish(2);
    assert_eq!((&done["error"]["code"], &done["error"]["status"]), (&json!("DAILY_LIMIT"), &json!(429)));
    server.run(3, "nobody", "");
    assert_eq!(server.finish(3).1["status"], "failed", "there is no such agent");
}

#[test]
fn calls__answered_in_another_order__get_their_results() {
    let mut server = TestServer::ready();
    server.run(1, "counts", "");
    let calls = [server.receive(1).json(), server.receive(1).json()];
    for call in calls.iter().rev() {
        let result = if call["method"] == "history" { json!([{}, {}]) } else { json!({ "turns": 3 }) };
        server.send(kind::REPLY, 1, &json!({ "call": call["call"], "result": result }));
    }
    assert_eq!(server.finish(1).0, "{'turns': 3} 2");
    server.run(2, "counts", "");
    for _ in 0..2 {
        let call = server.receive(2).json();
        let error = json!({ "kind": "failed", "message": "no store" });
        server.send(kind::REPLY, 2, &json!({ "call": call["call"], "error": error }));
    }
    assert_eq!(server.finish(2).1["error"]["message"], "no store");
}

#[test]
fn unknown_frames_and_members__are_ignored() {
    let mut server = TestServer::ready();
    server.send(60, 0, &json!({ "from": "a later version" }));
    let mut start = start_of("echo", "known");
    start["a_later_member"] = json!({ "x": 1 });
    server.send(kind::RUN, 1, &start);
    assert_eq!(server.finish(1).0, "known ");
}

#[test]
fn drain__exits_after_the_last_run() {
    let mut server = TestServer::ready();
    server.run(1, "waits", "x");
    assert_eq!(server.receive(1).kind, kind::OPEN);
    server.send(kind::DRAIN, 0, &json!({}));
    server.send(kind::CANCEL, 1, &json!({ "reason": "canceled" }));
    saves(&mut server, 1);
    assert_eq!(server.finish(1).1["status"], "canceled");
    server.exit();
}

#[test]
fn blocked_worker__answers_pings_and_ends_with_the_server() {
    let mut server = TestServer::ready();
    server.run(1, "blocks", "");
    assert_eq!((server.receive(1).kind, server.receive(1).kind), (kind::OPEN, kind::TEXT));
    let mut ping = |stuck_ms: u64| {
        let ping = json!({ "stuck_ms": stuck_ms }).to_string();
        server.health.write_all(&encode(kind::PING, 0, 0, ping.as_bytes())).expect("sent");
        let answer = read(&mut server.health).expect("an answer");
        assert_eq!(answer.kind, kind::PONG);
        answer.json()
    };
    let pong = ping(60_000);
    assert_eq!((&pong["runs"], &pong["stack"]), (&json!(1), &json!(null)), "{pong}");
    let pong = ping(1);
    assert!(pong["lag_ms"].as_u64().is_some_and(|lag| lag > 0), "{pong}");
    assert!(pong["stack"].as_str().is_some_and(|stack| stack.contains("blocks")), "{pong}");
    for socket in [&server.data, &server.health] {
        socket.shutdown(std::net::Shutdown::Write).expect("shut down");
    }
    server.exit();
}

#[test]
fn log__of_a_run__names_it() {
    let mut server = TestServer::ready();
    server.run(1, "logs", "knives");
    assert_eq!(server.finish(1).1["status"], "completed");
    let line = read(&mut server.log).expect("a line");
    assert_eq!(line.kind, kind::LOG);
    let line = line.json();
    assert_eq!(
        (&line["run"], &line["level"], &line["logger"], &line["message"]),
        (&json!("run_1"), &json!("warning"), &json!("mine"), &json!("careful with knives"))
    );
}

#[test]
fn server_gone__worker_exits() {
    let server = TestServer::ready();
    server.data.shutdown(std::net::Shutdown::Write).expect("shut down");
    server.exit();
}
